"""Kinds that a thing can be sorted into, and those that come so close that one may stand for the other."""

from __future__ import annotations

from collections.abc import Sequence

from tutelage.starter.microworld.draw import Draw

Near = tuple[frozenset[str], ...]


def near(*groups: str) -> Near:
    """Groups of kinds that come too close to each other, each written "a + b + c"."""
    return tuple(frozenset(group.split(" + ")) for group in groups)


def apart(draw: Draw, right: str, names: Sequence[str], near: Near, count: int) -> list[str]:
    """So many names that none would take for the right one."""
    close = {right}.union(*(group for group in near if right in group))
    return draw.some([name for name in names if name not in close], count)


def mutually_apart(draw: Draw, names: Sequence[str], near: Near, count: int) -> list[str]:
    """So many names of which none comes close to another. The first is to be the right one: which of them that is, is
    drawn when all are chosen, so that no name is right more often than it is offered.
    """
    found: list[str] = []
    for name in draw.some(names, len(names)):
        if len(found) < count and not any({name, other} <= group for group in near for other in found):
            found.append(name)
    return draw.some(found, count)
