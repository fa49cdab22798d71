"""All words of the world, read from `tables/` and given their forms in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from tutelage.starter.microworld.numerals import chinese_number, english_number
from tutelage.starter.microworld.tables import TABLES, pair, table
from tutelage.starter.microworld.wording import Word, article, plural


def simple(key: str, kind: str, chinese: str, tags: dict[str, str] | None = None, /, **forms: str) -> Word:
    """A word with one form in Chinese; every form asked of it in English is there in Chinese too."""
    english = {"": key, "o": key, "noun": key, "bare": key, **forms}
    return Word(key, kind, {"en": english, "zh": dict.fromkeys(english, chinese)}, tags or {})


# --- people ---


def person(english: str, chinese: str, gender: str, key: str = "") -> Word:
    """A person: forms "" (subject), o (object), p (whose), and the pronouns he, him, his."""
    he, him, his, ta = ("he", "him", "his", "他") if gender == "m" else ("she", "her", "her", "她")
    mine = english + "'s"
    en = {"": english, "o": english, "p": mine, "he": he, "him": him, "his": his, "noun": english, "in": english}
    zh = {"": chinese, "o": chinese, "p": chinese + "的", "he": ta, "him": ta, "his": ta + "的", "noun": chinese}
    return Word(key or english, "person", {"en": en, "zh": {**zh, "in": chinese}}, {"gender": gender})


def _pronoun(key: str, en: tuple[str, str, str], zh: str, gender: str) -> Word:
    he, him, his = en
    english = {"": he, "o": him, "p": his, "he": he, "him": him, "his": his, "noun": he}
    chinese = {"": zh, "o": zh, "p": zh + "的", "he": zh, "him": zh, "his": zh + "的", "noun": zh}
    return Word(key, "person", {"en": english, "zh": chinese}, {"gender": gender})


PRONOUNS = {
    "m": _pronoun("he", ("he", "him", "his"), "他", "m"),
    "f": _pronoun("she", ("she", "her", "her"), "她", "f"),
}
FIRST_PERSON = _pronoun("I", ("I", "me", "my"), "我", "i")


@cache
def names() -> tuple[Word, ...]:
    """First names as people, boys and girls in turn."""
    found: dict[str, list[Word]] = {"m": [], "f": []}
    gender = "m"
    for row in table("names"):
        if row[0] in ("boys", "girls"):
            gender = "m" if row[0] == "boys" else "f"
            continue
        for cell in row:
            english, chinese = cell.split()
            found[gender].append(person(english, chinese, gender))
    return tuple(found["m"] + found["f"])


@cache
def surnames() -> tuple[tuple[str, str], ...]:
    """Family names, English and Chinese."""
    return tuple((cell.split()[0], cell.split()[1]) for row in table("surnames") for cell in row)


@cache
def pet_names() -> tuple[Word, ...]:
    """What pets are called."""
    return tuple(simple(cell.split()[0], "petname", cell.split()[1]) for row in table("petnames") for cell in row)


# --- things ---


def counted(noun: str, many: str, chinese: str, measure: str, kind: str, key: str, tags: dict[str, str]) -> Word:
    """Something one can count: forms a, the, noun, s (plural); in Chinese a (with its measure word) and bare."""
    en = {"": "the " + noun, "o": "the " + noun, "the": "the " + noun, "a": article(noun), "noun": noun, "bare": noun}
    one = f"一{measure}{chinese}"
    zh = {"": chinese, "o": chinese, "the": chinese, "a": one, "noun": chinese, "bare": chinese, "s": chinese}
    return Word(key, kind, {"en": {**en, "s": many}, "zh": zh}, tags)


@cache
def objects() -> tuple[Word, ...]:
    """The things that people own and use, without colour; `paint` adds one."""
    found = []
    for name, chinese, measure, kind, material, room, use, many in table("objects"):
        tags = {"class": kind, "material": material, "room": room, "use": use, "measure": measure, "zh": chinese}
        tags["plural"] = many or plural(name)
        found.append(counted(name, tags["plural"], chinese, measure, "thing", name, tags))
    return tuple(found)


@cache
def paint(noun: Word, colour: Word | None, look: Word | None = None) -> Word:
    """The thing with a colour, a look ("old", "big"), or both."""
    if colour is None and look is None:
        return noun
    words = [word for word in (look, colour) if word is not None]
    english = " ".join([*(word.key for word in words), noun.tags.get("en", noun.key)])
    many = " ".join([*(word.key for word in words), noun.tags["plural"]])
    # "an old red ball" is 旧的红色的球, but "a big red ball" is 红色的大球.
    order = words[::-1] if look is not None and look.kind == "sizes" else words
    chinese = "".join(word.forms["zh"]["of"] for word in order) + noun.tags["zh"]
    tags = {**noun.tags, "base": noun.key, "colour": colour.key if colour else "", "look": look.key if look else ""}
    return counted(english, many, chinese, noun.tags["measure"], noun.kind, english, tags)


@cache
def animals() -> tuple[Word, ...]:
    """Animals."""
    found = []
    for name, chinese, measure, kind, ability, feed, home, size, many in table("animals"):
        tags = {"class": kind, "ability": ability, "food": feed, "home": home, "size": size, "measure": measure}
        tags |= {"zh": chinese, "plural": many or plural(name)}
        found.append(counted(name, tags["plural"], chinese, measure, "animal", name, tags))
    return tuple(found)


@cache
def animal_plurals() -> tuple[Word, ...]:
    """Animals in the plural, as one fears or likes them."""
    return tuple(
        simple(one.tags["plural"], "beasts", one.tags["zh"], {"class": one.tags["class"]}) for one in animals()
    )


@cache
def classes() -> dict[str, Word]:
    """Kinds of things by key: mammal, toy, fruit…; the tag `traits` holds what all members do."""
    found = {}
    for key, english, many, chinese, traits in table("classes"):
        word = counted(
            english, many, chinese, "种" if key in ("meat", "drink") else "件", "class", key, {"traits": traits}
        )
        measure = {"mammal": "只", "bird": "只", "fish": "条", "insect": "只", "reptile": "条", "animal": "只"}.get(
            key, "个"
        )
        zh = {**word.forms["zh"], "a": f"一{measure}{chinese}"}
        found[key] = Word(key, "class", {"en": word.forms["en"], "zh": zh}, word.tags)
    return found


@cache
def materials() -> dict[str, Word]:
    """What things are made of; the tag `traits` holds what such things do."""
    return {
        name: simple(name, "material", chinese, {"traits": traits}) for name, chinese, _, traits in table("materials")
    }


@cache
def foods() -> tuple[Word, ...]:
    """Food and drink: forms mass ("soup", "apples"), one ("a bowl of soup"), noun ("soup", "apple" as in "the … was
    burnt").
    """
    found = []
    for name, one, chinese, measure, kind, taste, colour in table("foods"):
        countable = name.endswith("s") and " of " not in one
        noun = one.partition(" ")[2] if countable else name
        tags = {"class": kind, "taste": taste, "colour": colour, "countable": "yes" if countable else "", "zh": chinese}
        tags |= {"plural": name, "measure": measure}
        en = {"": name, "mass": name, "s": name, "one": one, "noun": name, "single": noun, "a": one, "o": name}
        en |= {"the": "the " + name, "bare": name}
        zh = {**dict.fromkeys(en, chinese), "one": f"一{measure}{chinese}", "a": f"一{measure}{chinese}"}
        found.append(Word(name, "food", {"en": en, "zh": zh}, tags))
    return tuple(found)


@cache
def generic_foods() -> tuple[Word, ...]:
    """Countable foods as kinds: "an apple", "apples"."""
    return tuple(
        counted(
            one.forms["en"]["single"], one.key, one.tags["zh"], one.tags["measure"], "generic", one.key, dict(one.tags)
        )
        for one in foods()
        if one.tags["countable"]
    )


# --- places and what one does ---


@cache
def places() -> tuple[Word, ...]:
    """Rooms, buildings and places outside: forms in, to, the."""
    found = []
    for name, chinese, preposition, after, sort, use in table("places"):
        en = {
            "": name,
            "in": f"{preposition} the {name}",
            "to": f"to the {name}",
            "the": f"the {name}",
            "o": f"the {name}",
        }
        en |= {"noun": name, "a": article(name), "loc": f"{preposition} the {name}"}
        zh = {**dict.fromkeys(en, chinese), "in": f"在{chinese}{after}", "loc": chinese + after}
        found.append(Word(name, "place", {"en": en, "zh": zh}, {"sort": sort, "use": use, "zh": chinese}))
    return tuple(found)


@cache
def spots() -> tuple[Word, ...]:
    """Where a thing can lie."""
    return tuple(
        Word(
            english,
            "spot",
            {
                "en": {"": english, "in": english, "loc": english},
                "zh": {"": chinese, "in": chinese, "loc": chinese.removeprefix("在")},
            },
        )
        for english, chinese in table("spots")
    )


@cache
def towns() -> tuple[Word, ...]:
    """Towns; what is known about them stands in people.py."""
    cells = [cell.split() for row in table("towns") for cell in row]
    return tuple(simple(english, "town", chinese, None, **{"in": f"in {english}"}) for english, chinese in cells)


@cache
def land(kind: str) -> tuple[Word, ...]:
    """Regions, rivers, sights or products."""
    for row in (TABLES / "land.txt").read_text(encoding="utf-8").splitlines():
        name, _, cells = row.partition(":")
        if name == kind:
            found = [pair(cell) for cell in cells.split("|")]
            return tuple(simple(en, "land", zh, {"land": kind}, **{"in": en, "the": en}) for en, zh in found)
    raise KeyError(kind)


@cache
def jobs() -> tuple[Word, ...]:
    """Jobs with place, tool and task as tags."""
    found = []
    for name, chinese, place, tool, task in table("jobs"):
        tags = {"place": place, "tool": tool, "task": task, "zh": chinese, "plural": plural(name), "measure": "个"}
        word = counted(name, plural(name), chinese, "个", "job", name, tags)
        en = {**word.forms["en"], "": name, "his": "the"}
        if name.endswith("man"):
            en["s"] = name[:-3] + "men"
        zh = {**word.forms["zh"], "a": f"一个{chinese}", "his": "他的"}
        found.append(Word(name, "job", {"en": en, "zh": zh}, tags))
    return tuple(found)


@cache
def activities() -> tuple[Word, ...]:
    """Things to do: forms base, past, ing."""
    return tuple(
        simple(base, "activity", chinese, {"place": place, "topic": topic}, base=base, past=past, ing=ing, o=ing)
        for base, past, ing, chinese, place, topic in table("activities")
    )


@cache
def uses(kind: str) -> dict[str, Word]:
    """What things (`kind="thing"`) or places are for, by the thing's key; form his: said of one person."""
    found = {}
    for word in objects() if kind == "thing" else places():
        english, chinese = pair(word.tags["use"])
        found[word.key] = simple(english.replace("one's", "your"), "use", chinese, {"of": word.key}, one=english)
    return found


@cache
def use_by(use: Word, gender: str) -> Word:
    """The use as said of a man or a woman: "wash one's hands" → "wash her hands"."""
    whose = {"m": "his", "f": "her", "i": "my"}[gender]
    return simple(use.forms["en"]["one"].replace("one's", whose), "use", use.forms["zh"][""], dict(use.tags))


# --- small families ---


@cache
def family(name: str) -> tuple[Word, ...]:
    """A family of `words.txt`: colours, days, sports…"""
    for line in (TABLES / "words.txt").read_text(encoding="utf-8").splitlines():
        head, _, cells = line.partition(":")
        if head == name:
            return tuple(_small(english, chinese, name) for english, chinese in map(pair, cells.split("|")))
    raise KeyError(name)


def _small(english: str, chinese: str, kind: str) -> Word:
    word = simple(english, kind, chinese, on=f"on {english}", a=article(english), the=english)
    of = chinese if chinese.endswith("的") or kind == "sizes" else chinese + "的"
    return Word(english, kind, {"en": word.forms["en"], "zh": {**word.forms["zh"], "of": of, "on": chinese}})


@cache
def feelings() -> tuple[Word, ...]:
    """Feelings; tags `tone` (good or bad) and `group` (those that mean nearly the same)."""
    return tuple(
        simple(english, "feeling", chinese, {"tone": tone, "group": group})
        for english, chinese, tone, group in table("feelings")
    )


@cache
def grades() -> tuple[Word, ...]:
    """Adjectives that compare: forms base, er, est, opposite_er; tag `of`: what has it."""
    rows = table("grades")
    comparative = {(row[0], row[5]): (row[1], row[3]) for row in rows}
    found = []
    for base, er, est, chinese, opposite, of, scale, scale_zh in rows:
        contrary = comparative.get((opposite, of), (f"less {base}", f"不{chinese}"))
        en = {
            "": base,
            "base": base,
            "er": er,
            "est": est,
            "opposite_er": contrary[0],
            "opposite": opposite,
            "scale": scale,
        }
        zh = {**dict.fromkeys(en, chinese), "opposite": contrary[1], "opposite_er": contrary[1], "scale": scale_zh}
        found.append(Word(f"{base} {of}", "grade", {"en": en, "zh": zh}, {"of": of, "opposite": f"{opposite} {of}"}))
    return tuple(found)


@cache
def topics() -> dict[str, Word]:
    """What a text can be about."""
    return {key: simple(english, "topic", chinese, {"key": key}) for key, english, chinese in table("topics")}


@cache
def number(value: int, measure: str = "个") -> Word:
    """A number; form m: with the measure word of what is counted, form digit: as in a sum."""
    english, chinese = english_number(value), chinese_number(value)
    said = "两" if value == 2 else chinese
    en = {"": english, "m": english, "digit": english, "figure": str(value), "o": english}
    zh = {"": said, "m": said + measure, "digit": chinese, "figure": str(value), "o": said}
    return Word(str(value), "number", {"en": en, "zh": zh}, {"value": str(value), "measure": measure})


@cache
def many(noun: Word) -> Word:
    """The noun counted: "apples", 苹果."""
    tags = {"measure": noun.tags["measure"], "of": noun.key, "class": noun.tags["class"]}
    return simple(noun.tags["plural"], "plural", noun.tags["zh"], tags, s=noun.tags["plural"])


def vocabulary() -> Iterator[Word]:
    """Every word that has a plain translation, for word lists and dictionaries."""
    yield from objects()
    yield from animals()
    yield from generic_foods()
    yield from jobs()
    yield from places()
    yield from feelings()
    for name in ("colours", "days", "months", "seasons", "weather", "sports", "subjects", "tastes", "kin"):
        yield from family(name)
    yield from materials().values()
    yield from (number(value) for value in range(1, 21))
