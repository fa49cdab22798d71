"""Every key a recipe may have, read off the settings; what each takes, in words; the name nearest to a wrong one."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from tutelage.run.peers import OUR_NAME
from tutelage.settings import Settings

TYPE_WORDS: dict[object, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
    type(None): "null",
}
PLURALS = {"text": "names", "a path": "paths", "a whole number": "whole numbers"}
BOUND_SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `name` is dotted, with 0 for the place in a list; `part` is set where the key is a group of keys."""

    name: str
    field: FieldInfo
    part: type[Settings] | None

    @property
    def leaf(self) -> str:
        """The last word of the name."""
        return self.name.rpartition(".")[2]

    @property
    def takes(self) -> str:
        """What may be given, in words: `a number > 0, or null`."""
        if self.part is not None:
            names = [f"{self.name}.{name}" for name in self.part.model_fields]
            return f"the keys {', '.join(names[:3])}{', …' if len(names) > 3 else ''}"
        bounds = [
            f"{BOUND_SIGNS[bound]} {getattr(limit, bound)}"
            for limit in self.field.metadata
            for bound in BOUND_SIGNS
            if hasattr(limit, bound)
        ]
        return _words(self.field.annotation, " and ".join(bounds))


def members(annotation: object) -> tuple[object, ...]:
    """The members of a union, or the annotation alone: `members(int | None) == (int, NoneType)`."""
    choices = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    return tuple(get_args(choice)[0] if get_origin(choice) is Annotated else choice for choice in choices)


def takes_text(annotation: object) -> bool:
    """Whether a plain string may be a value: text, a path, or one of some words."""
    return any(
        member in (str, Path)
        or (get_origin(member) is Literal and any(isinstance(word, str) for word in get_args(member)))
        for member in members(annotation)
    )


def item_of(annotation: object) -> Any:
    """The type of a list's items, or None where the annotation takes no list."""
    return next((get_args(member)[0] for member in members(annotation) if get_origin(member) is tuple), None)


def part_of(annotation: object) -> type[Settings] | None:
    """The settings that a key groups, or None."""
    return next(
        (member for member in members(annotation) if isinstance(member, type) and issubclass(member, Settings)), None
    )


def keys_of(settings: type[Settings], prefix: str = "") -> dict[str, Key]:
    """All keys below `settings`, groups too, in the order they are declared."""
    found: dict[str, Key] = {}
    for field_name, field in settings.model_fields.items():
        name = prefix + field_name
        part, item_part = part_of(field.annotation), part_of(item_of(field.annotation))
        found[name] = Key(name, field, part)
        if part is not None:
            found |= keys_of(part, f"{name}.")
        if item_part is not None:
            found |= keys_of(item_part, f"{name}.0.")
    return found


def nearest(word: str, names: Iterable[str]) -> str | None:
    """The name most like `word`, or None where none is near: `nearest("cosin", ["linear", "cosine"]) == "cosine"`."""
    known = {name.lower(): name for name in names}
    near = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return known[near[0]] if near else None


def nearest_key(word: str, keys: Mapping[str, Key]) -> str | None:
    """Our key for another tool's name, else the key that ends so, else the nearest full name, else the nearest ending.

    `learning_rate` is answered with `train.learning_rate`, `lora_rank` with `adapter.rank`.
    """
    word = word.strip("-").replace("-", "_")
    endings: dict[str, str] = {}
    for name, key in keys.items():
        endings.setdefault(key.leaf, name)
    for candidate in (word.lower(), word.lower().rpartition(".")[2]):
        ours = OUR_NAME.get(candidate) or endings.get(candidate)
        if ours:
            return ours
    ending = nearest(word.rpartition(".")[2], endings)
    return nearest(word, keys) or (endings[ending] if ending else None)


def _words(annotation: object, bounds: str = "") -> str:
    words = []
    for member in members(annotation):
        if get_origin(member) is Literal:
            words += [str(word) for word in get_args(member)]
        elif get_origin(member) is tuple:
            word = _words(get_args(member)[0])
            words.append(f"a list of {PLURALS.get(word, word)}")
        else:
            word = TYPE_WORDS.get(member, "groups of keys")
            words.append(f"{word} {bounds}" if bounds and member in (int, float) else word)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
