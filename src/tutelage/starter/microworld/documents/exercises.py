"""Exercises: what belongs together, letters, sums, and passages copied, shortened and changed."""

from __future__ import annotations

import random
from functools import cache

from tutelage.starter.microworld import lexicon
from tutelage.starter.microworld.documents.lists import listable, plain
from tutelage.starter.microworld.documents.page import Page
from tutelage.starter.microworld.wording import Word, listed


def _members(kind: str) -> list[Word]:
    return [one for one in (*lexicon.objects(), *lexicon.animals(), *lexicon.foods()) if one.tags["class"] == kind]


@cache
def _classes() -> tuple[str, ...]:
    return tuple(key for key in lexicon.classes() if len(_members(key)) >= 4)


def kinds(page: Page) -> str:
    """What belongs together, what does not, what goes where."""
    lines = []
    comma = ", " if page.language == "en" else "、"
    for _ in range(page.number(1, 4)):
        first, second = page.some(_classes(), 2)
        a, b = page.some(_members(first), page.number(3, 4)), page.some(_members(second), 3)
        k, m = (page.word(lexicon.classes()[key], "s") for key in (first, second))
        style = page.number(0, 2)
        if style == 0:
            shown = [*(plain(page, word) for word in a), plain(page, b[0])]
            page.chance.shuffle(shown)
            lines.append(page.say("odd_one", l=comma.join(shown), x=plain(page, b[0]), k=k))
        elif style == 1:
            lines.append(page.say("same_kind", l=listed([plain(page, word) for word in a], page.language), k=k))
        else:
            one, other = [plain(page, w) for w in a[:3]], [plain(page, w) for w in b[: page.number(2, 3)]]
            shown = [*one, *other]
            page.chance.shuffle(shown)
            one.sort(key=shown.index)
            other.sort(key=shown.index)
            texts = {"l": comma.join(shown), "k": k, "m": m, "a": comma.join(one), "b": comma.join(other)}
            lines.append(page.say("sorted_kinds", **texts))
    return "\n".join(lines)


def spelling(page: Page) -> str:
    """How words are spelled and what they begin with."""
    lines = []
    for _ in range(page.number(2, 6)):
        word = plain(page, page.one(listable(page.one(("things", "animals", "names", "jobs")))))
        if page.odds(0.3):
            lines.append(page.say("begins_with", w=word, c=word[0]))
        else:
            lines.append(page.say("spelled", w=word, l=page.one(("-", " ", ", ")).join(word)))
    return "\n".join(lines)


def sums(page: Page) -> str:
    """Small sums in words or figures."""
    lines = []
    figures = page.odds(0.3)

    def said(value: int) -> str:
        return str(value) if figures else page.word(lexicon.number(value), "digit")

    for _ in range(page.number(3, 8)):
        a, b = page.number(1, 12), page.number(1, 9)
        style = page.number(0, 2)
        if style == 0:
            lines.append(page.say("sum_up", a=said(a), b=said(b), c=said(a + b)))
        elif style == 1:
            lines.append(page.say("take_off", a=said(a + b), b=said(b), c=said(a)))
        else:
            name, step = ("next_number", 1) if page.odds(0.5) else ("number_order", b)
            lines.append(page.say(name, a=said(a), b=said(a + step)))
    return "\n".join(lines)


def text_work(page: Page) -> str:
    """A passage copied, shortened, with one word changed, or put right."""
    scene = page.scene()
    sentences = scene.sentences(page.language, page.chance, pronouns=page.odds(0.3))
    text = page.joined(sentences)
    style = page.number(1, 6)
    if style == 1:
        return page.say("text_first", p=text, s=sentences[0])
    if style == 2:
        return page.say("text_last", p=text, s=sentences[-1])
    if style == 3 and len(sentences) < 7:
        return page.say("text_again", p=text)
    if style == 4:
        return page.say("text_count", p=text, n=page.word(lexicon.number(max(len(sentences), 1))))
    if style == 5:
        one = page.one(sentences)
        pieces = one[:-1].split(" ") if page.language == "en" else []
        if 3 < len(pieces) < 10:
            mixed = page.some(pieces, len(pieces))
            return page.say("text_mixed", q=" ".join(mixed), p=one)
    return page.say("text_again", p=page.one(sentences))


def swapped(page: Page) -> str:
    """The same passage with another name, or another thing, in its place."""
    scene = page.scene()
    if not scene.people:
        return text_work(page)
    old = page.one(scene.people)
    new = page.draw().person(old.tags["gender"])
    if page.odds(0.4):
        things = [word for one in scene.facts() for word in one.roles.values() if word.kind == "thing"]
        if things:
            old, new = page.one(things), page.draw().word("thing")
    if new.key in scene.words():
        return scene.text(page.language, page.chance)
    seed = page.chance.random()
    one, other = (
        told.text(page.language, random.Random(seed), pronouns=False) for told in (scene, scene.replaced(old, new))
    )
    return page.say("text_replace", p=one, x=page.word(old, "noun"), y=page.word(new, "noun"), r=other)
