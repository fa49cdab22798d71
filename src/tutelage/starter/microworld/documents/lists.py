"""Lists: said again, turned round, sorted, counted, changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from tutelage.starter.microworld import lexicon
from tutelage.starter.microworld.documents.page import Page
from tutelage.starter.microworld.wording import Word, capital, listed

BETWEEN = (", ", ", ", " ", " ", "; ", " - ", " / ", "\n", "\n", " and ")
BETWEEN_ZH = ("、", "，", " ", "；", "\n", "和")


@cache
def listable(kind: str) -> tuple[Word, ...]:
    """Words of one kind for a list."""
    table: dict[str, Callable[[], Sequence[Word]]] = {
        "things": lexicon.objects,
        "animals": lexicon.animals,
        "foods": lexicon.foods,
        "names": lexicon.names,
        "places": lexicon.places,
        "jobs": lexicon.jobs,
        "towns": lexicon.towns,
        "colours": lambda: lexicon.family("colours"),
        "numbers": lambda: [lexicon.number(value) for value in range(1, 60)],
        "feelings": lexicon.feelings,
        "days": lambda: lexicon.family("days"),
    }
    return tuple(table[kind]())


KINDS = (
    "things",
    "things",
    "animals",
    "foods",
    "names",
    "names",
    "places",
    "jobs",
    "towns",
    "colours",
    "numbers",
    "feelings",
)


def words(page: Page, count: int, mixed: bool = False) -> list[str]:
    """So many different words, of one kind or of several."""
    if mixed:
        chosen = [page.one(listable(page.one(KINDS))) for _ in range(count)]
    else:
        chosen = page.some(listable(page.one(KINDS)), count)
    return list(dict.fromkeys(plain(page, word) for word in chosen))


def plain(page: Page, word: Word) -> str:
    """The word as it stands in a list."""
    forms = word.forms[page.language]
    return forms.get("noun", forms[""])


def copying(page: Page) -> str:
    """A list said twice or three times."""
    count = page.number(3, 14)
    items = words(page, count, page.odds(0.3))
    between = page.one(BETWEEN if page.language == "en" else BETWEEN_ZH)
    text = between.join(items)
    lines = [page.say("list_intro", l=text)]
    for _ in range(page.number(1, 3)):
        lines.append(page.say("list_again", l=text))
    return "\n".join(lines)


def random_copying(page: Page) -> str:
    """Words without order or meaning, repeated: nothing but copying helps. Mostly each stands once, so that the word
    before tells the next; now and then words come back, and more than one must be looked at.
    """
    if page.odds(0.75):
        items = words(page, page.number(5, 24), True)
    else:
        pool = words(page, page.number(4, 9), True)
        items = [page.one(pool) for _ in range(page.number(6, 22))]
    text = (" " if page.language == "en" else page.one(("、", " "))).join(items)
    return page.one(("\n", "\n", " - ", ". ")).join([text] * page.number(2, 3))


def transforming(page: Page) -> str:
    """A list and what can be done with it."""
    kind = page.one(KINDS)
    chosen = page.some(listable(kind), page.number(3, 7))
    items = list(dict.fromkeys(plain(page, word) for word in chosen))
    between = page.one(BETWEEN[:6] if page.language == "en" else BETWEEN_ZH[:4])
    lines = [page.say("list_intro", l=between.join(items))]
    operations = page.some(OPERATIONS, page.number(1, 5))
    for operation in operations:
        lines.append(operation(page, items, between, chosen))
    return "\n".join(line for line in lines if line)


def _reverse(page: Page, items: Sequence[str], between: str, _: Sequence[Word]) -> str:
    return page.say("list_reverse", l=between.join(items[::-1]))


def _sorted(page: Page, items: Sequence[str], between: str, chosen: Sequence[Word]) -> str:
    if chosen[0].kind == "number":
        in_order = sorted(chosen, key=lambda word: int(word.key))
        return page.say("list_sort_numbers", l=between.join(_plain_number(page, word) for word in in_order))
    if page.language == "zh":
        return ""
    return page.say("list_sort", l=between.join(sorted(items, key=str.lower)))


def _plain_number(page: Page, word: Word) -> str:
    forms = word.forms[page.language]
    return forms.get("noun", forms[""])


def _first(page: Page, items: Sequence[str], _: str, __: Sequence[Word]) -> str:
    return page.say("list_first", x=items[0])


def _last(page: Page, items: Sequence[str], _: str, __: Sequence[Word]) -> str:
    return page.say("list_last", x=items[-1])


def _nth(page: Page, items: Sequence[str], _: str, __: Sequence[Word]) -> str:
    place = page.number(0, len(items) - 1)
    return page.say("list_nth", n=page.word(lexicon.number(place + 1), "digit"), x=items[place])


def _after(page: Page, items: Sequence[str], _: str, __: Sequence[Word]) -> str:
    place = page.number(0, len(items) - 2)
    return page.say("list_after", y=items[place], x=items[place + 1])


def _before(page: Page, items: Sequence[str], _: str, __: Sequence[Word]) -> str:
    place = page.number(1, len(items) - 1)
    return page.say("list_before", y=items[place], x=items[place - 1])


def _count(page: Page, items: Sequence[str], _: str, __: Sequence[Word]) -> str:
    return page.say("list_count", n=page.word(lexicon.number(len(items))))


def _without(page: Page, items: Sequence[str], between: str, _: Sequence[Word]) -> str:
    gone = page.one(items)
    return page.say("list_without", x=gone, l=between.join(item for item in items if item != gone))


def _with(page: Page, items: Sequence[str], between: str, _: Sequence[Word]) -> str:
    new = words(page, 1)[0]
    return "" if new in items else page.say("list_with", x=new, l=between.join([*items, new]))


def _swap(page: Page, items: Sequence[str], between: str, _: Sequence[Word]) -> str:
    old, new = page.one(items), words(page, 1)[0]
    if new in items:
        return ""
    return page.say("list_swap", x=old, y=new, l=between.join(new if item == old else item for item in items))


def _has(page: Page, items: Sequence[str], _: str, chosen: Sequence[Word]) -> str:
    inside = page.odds(0.5)
    if inside:
        asked = page.one(items)
    else:
        same = [word for word in _siblings(chosen[0]) if plain(page, word) not in items]
        asked = plain(page, page.one(same))
    word = {("en", True): "Yes", ("en", False): "No", ("zh", True): "有", ("zh", False): "没有"}[page.language, inside]
    return page.say("list_has", x=asked, w=word)


def _siblings(word: Word) -> tuple[Word, ...]:
    for kind in dict.fromkeys(KINDS):
        if any(other is word for other in listable(kind)):
            return listable(kind)
    return listable("things")


def _again(page: Page, items: Sequence[str], between: str, _: Sequence[Word]) -> str:
    return page.say("list_again", l=between.join(items))


def _missing(page: Page, items: Sequence[str], between: str, _: Sequence[Word]) -> str:
    gone = page.one(items)
    rest = [item for item in items if item != gone]
    page.chance.shuffle(rest)
    return page.say("list_missing", l=between.join(rest) + page.stop(), x=gone)


def _new(page: Page, items: Sequence[str], between: str, _: Sequence[Word]) -> str:
    new = words(page, 1)[0]
    more = [*items, new]
    page.chance.shuffle(more)
    return "" if new in items else page.say("list_new", l=between.join(more) + page.stop(), x=new)


def _capitals(page: Page, items: Sequence[str], between: str, _: Sequence[Word]) -> str:
    return "" if page.language == "zh" else page.say("list_capital", l=between.join(items).upper())


def _and(page: Page, items: Sequence[str], _: str, __: Sequence[Word]) -> str:
    return capital(listed(items, page.language)) + page.stop()


OPERATIONS = (
    _reverse,
    _sorted,
    _first,
    _last,
    _nth,
    _after,
    _before,
    _count,
    _without,
    _with,
    _swap,
    _has,
    _again,
    _missing,
    _new,
    _capitals,
    _and,
)
