"""What stands around a statement in an answer: courtesy, yes and no, and words that lead up to it.

The forms are the world's own (`tables/phrases.yaml`) and a few more that everybody knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from tutelage.starter.microworld import lexicon
from tutelage.starter.microworld.phrases import phrases
from tutelage.starter.microworld.wording import Language

Sense = Literal["polite", "plain", "not", "yes", "no"]
Verdict = Literal["yes", "no"]

POLITE: Mapping[Language, tuple[str, ...]] = {
    "en": (
        "of course", "certainly", "gladly", "with pleasure", "please", "thank you", "thank you very much",
        "thank you for asking", "thanks", "thanks for asking", "you are welcome", "happy to help", "glad to help",
        "i am happy to help", "i am glad to help", "good question",
    ),
    "zh": (
        "当然", "当然了", "谢谢", "谢谢你", "谢谢你的问题", "谢谢提问", "非常感谢", "不客气", "很高兴帮忙", "请看",
        "请听", "请", "好的", "好问题",
    ),
}  # fmt: skip
PLAIN: Mapping[Language, tuple[str, ...]] = {
    "en": (
        "well", "so", "then", "and", "it is", "it was", "that is", "it is true that", "it says that",
        "the text says that",
        "the answer is", "the answer is that", "the right answer is", "i think", "i think that", "i think it is",
        "i believe", "i believe that", "i would say", "because", "the reason was that", "the reason is that", "since",
        "it was because", "it is because", "that was because", "that is because", "in the end", "at last", "finally",
        "first", "at first", "last of all", "after that", "next", "before that",
    ),
    "zh": (
        "是", "就是", "答案是", "我想是", "我想", "我觉得", "我认为", "应该说", "因为", "由于", "原因是", "那是因为",
        "这是因为", "结果", "后来", "然后", "接着", "最后", "终于", "首先", "一开始", "起先", "到最后", "文中说",
        "所以",
    ),
}  # fmt: skip
NOT: Mapping[Language, tuple[str, ...]] = {
    "en": ("not", "it is not", "it was not", "it is not true that", "it is false that", "it is wrong that"),
    "zh": ("不是", "并不是", "没有", "不对的是"),
}
# What stands between a frame and what is said. A yes or no needs a comma: "no garden" is not "no, the garden".
BEHIND = {"en": r"(?:\s*[,:]\s*|\s+|$)", "zh": r"\s*[，,：:、]?\s*"}
BEHIND_VERDICT = r"\s*[，,：:]\s*"
BEFORE = {"en": r"\s*,?\s+", "zh": r"[，,、]\s*"}


@dataclass(frozen=True, slots=True)
class Framed:
    """A clause without one frame, and what that frame was."""

    rest: str
    sense: Sense


@cache
def verdicts(language: Language) -> Mapping[str, Verdict]:
    """What says yes or no by itself, in small letters without full stop."""
    found: dict[str, Verdict] = {}
    for sense in ("yes", "no"):
        verdict: Verdict = "yes" if sense == "yes" else "no"
        for name in (sense, f"{sense}_word"):
            found |= {one.head.rstrip(".。").lower(): verdict for one in phrases()[name][language]}
    return found


@cache
def _frames(language: Language) -> Mapping[str, Sense]:
    times = [word.forms[language][""].lower() for name in ("dayparts", "hours") for word in lexicon.family(name)]
    found: dict[str, Sense] = dict.fromkeys((*times, *PLAIN[language]), "plain")
    found |= dict.fromkeys(POLITE[language], "polite")
    found |= dict.fromkeys(NOT[language], "not")
    found |= verdicts(language)
    return found


def _either(texts: Iterable[str]) -> str:
    return "|".join(re.escape(one) for one in sorted(texts, key=len, reverse=True))


@cache
def _patterns(language: Language) -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Yes and no before a clause, other frames before it, and frames behind it."""
    frames = _frames(language)
    before = (one for one, sense in frames.items() if sense not in ("yes", "no"))
    behind = (one for one, sense in frames.items() if sense in ("polite", "plain"))
    return (
        re.compile(f"({_either(verdicts(language))}){BEHIND_VERDICT}"),
        re.compile(f"({_either(before)}){BEHIND[language]}"),
        re.compile(f"{BEFORE[language]}({_either(behind)})$"),
    )


def unframed(clause: str, language: Language) -> Framed | None:
    """The clause without its first (or else its last) frame; None where it has none.

    >>> unframed("of course, tom has a ball", "en")
    Framed(rest='tom has a ball', sense='polite')
    """
    verdict, before, behind = _patterns(language)
    mark = verdict.match(clause) or before.match(clause)
    if mark:
        return Framed(clause[mark.end() :], _frames(language)[mark.group(1)])
    mark = behind.search(clause)
    return Framed(clause[: mark.start()], _frames(language)[mark.group(1)]) if mark else None
