"""What stands around facts: joining words, ways to ask, judge, retell, head a letter. From `tables/phrases.yaml` and
`genres.yaml`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import yaml

from tutelage.starter.microworld.tables import TABLES
from tutelage.starter.microworld.wording import LANGUAGES, Chance, Language, capital, expand, pick

_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A line with slots for text: `head`, then (slot, capital?, text after it)."""

    head: str
    slots: tuple[tuple[str, bool, str], ...]

    def fill(self, texts: dict[str, str]) -> str:
        """The line with the texts put in."""
        line = self.head
        for name, capitalised, after in self.slots:
            text = texts[name]
            line += (capital(text) if capitalised else text) + after
        return line


def compile_phrase(text: str) -> Phrase:
    """A capital slot name asks for a capital first letter.

    >>> compile_phrase("{A}. Why?").fill({"a": "it broke"})
    'It broke. Why?'
    """
    text = text.replace("\\n", "\n")
    marks = list(_SLOT.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)] if marks else []
    slots = []
    for mark, end in zip(marks, ends, strict=True):
        name = mark.group(1)
        slots.append((name.lower(), name[0].isupper(), text[mark.end() : end]))
    return Phrase(text[: marks[0].start()] if marks else text, tuple(slots))


@cache
def phrases() -> dict[str, dict[Language, tuple[Phrase, ...]]]:
    """All groups of phrases by name and language."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    entries: dict[str, dict[Language, str]] = {}
    for name in ("phrases", "genres"):
        entries |= yaml.load((TABLES / f"{name}.yaml").read_text(encoding="utf-8"), loader)
    return {
        name: {language: tuple(compile_phrase(line) for line in expand(entry[language])) for language in LANGUAGES}
        for name, entry in entries.items()
    }


def phrase(name: str, language: Language, chance: Chance, **texts: str) -> str:
    """A phrase of that group with the texts put in; in English its first letter becomes a capital one."""
    text = pick(chance, phrases()[name][language]).fill(texts)
    return capital(text) if language == "en" else text
