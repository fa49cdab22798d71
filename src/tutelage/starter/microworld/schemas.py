"""What follows from what, as schemas with slots: causes and effects, events and feelings, and who a pronoun means.

A schema's `part` says who may *ask* about it. Telling is free (a story may use any schema), but the words that fill a
schema's slots are shared out too (`fillers`), so that a test's cause never stood in any text.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from tutelage.starter.microworld import lexicon
from tutelage.starter.microworld.groups import group
from tutelage.starter.microworld.parts import PARTS, Part, owned, shares
from tutelage.starter.microworld.relations import Relation
from tutelage.starter.microworld.tables import table
from tutelage.starter.microworld.wording import LANGUAGES, Language, Word, compile_wording

# Schemas whose effects could come of each other's causes: one never serves as the other's wrong answer.
CLASHES = (
    {"drop_fragile", "cat_shelf", "throw_window", "hot_pan"},
    {"throw_window", "roof_ball", "balloon_pin", "pump", "flat_tyre"},
    {"rain_left", "window_open", "boat_hole", "paper_water", "rain_river", "tap", "dog_bath", "sand_wave", "well_rope"},
    {"rain_left", "mud_walk", "fire_near", "dry"},
    {"wax_sun", "ice_sun", "snowman"},
    {"mud_walk", "dirty_shoes", "paint_bench", "ink", "dust"},
    {"clean_room", "dust", "polish"},
    {"no_breakfast", "shop_shut", "no_money", "too_much", "salt_walk", "in_one_go"},
    {"ice_road", "wet_floor", "fall_bike", "heavy_lift", "run_fast", "branch", "new_shoes", "goal", "ladder_gone"},
    {"door_open", "cage_open", "barn_fox", "feed_pet", "tail"},
    {"no_water", "no_rain", "good_water", "seed", "frost", "apple_shake"},
    {"alarm", "miss_train", "late_bed", "flat_tyre", "no_petrol", "bridge_down", "wrong_bus", "no_map", "clock_slow"},
    {"alarm", "flat_tyre", "no_petrol", "lights_on", "cart_hill", "fog", "bridge_down", "lift"},
    {"study_hard", "no_study", "practise", "train_sport", "talk"},
    {"save_money", "sale", "gift", "no_money", "no_bill", "library_late"},
    {"cold_coat", "sun_skin", "medicine", "exercise", "teeth", "lost_voice", "in_one_go"},
    {"bag_hole", "sink", "wind_hat", "overfull", "key_lost", "hide_well", "well_rope"},
    {"sharp_knife", "hot_pan", "wet_floor", "fall_bike", "onion", "chilli", "bee", "roses", "hammer_miss", "new_shoes"},
    {"fire_near", "wax_sun", "smoke", "oven_forgot", "pot_boil"},
    {"storm_light", "bulb", "phone_empty", "glasses", "candle_wind", "wet_match", "long_hair"},
    {"dog_food", "fridge_off", "no_sugar", "salt_tea", "oven_forgot", "ice_sun", "crumbs"},
    {"baby_tear", "overfull", "paper_water", "wool_hot", "string"},
    {"shout_baby", "grab", "loud_music", "lie", "share", "help_old", "speed", "talk", "referee", "lullaby"},
)


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """A cause and what comes of it, or an event and the feelings that follow it.

    first: the cause or event. second: the effect, told alone. after: the effect told after its cause (with a
    pronoun); both None for feelings. slots: role → group of words; "who" is always there.
    """

    name: str
    topic: str
    slots: tuple[tuple[str, str], ...]
    part: Part
    first: Relation
    second: Relation | None = None
    after: Relation | None = None
    feelings: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Pronoun:
    """A sentence with a pronoun, and whom it means.

    family: what it shares with the sentence that begins alike and means the other; both take the same words, so that
    no word gives away what is meant. main: what {a} and {b} (or {x} and {y}) do. link: because, but, so, and. clause:
    what is said of {p}. means: the role. slots: role → group, for things; empty for people.
    """

    name: str
    family: str
    part: Part
    main: Relation
    link: str
    clause: Relation
    means: str
    slots: tuple[tuple[str, str], ...]


def clause_relation(name: str, texts: dict[Language, str], roles: tuple[str, ...]) -> Relation:
    """A relation with a single wording and nothing to ask."""
    empty: dict[Language, tuple[()]] = {"en": (), "zh": ()}
    nothing: dict[Language, dict[str, tuple[()]]] = {"en": {}, "zh": {}}
    wordings = {language: (compile_wording(texts[language], language),) for language in LANGUAGES}
    kinds = dict.fromkeys(roles, ("", ""))
    return Relation(name, "schema", kinds, (), wordings, empty, empty, empty, nothing, nothing, empty)


def _named(text: str) -> str:
    """The clause with a name for its first pronoun: "{who:he} fell and hurt {who:his} arm" → "{who} fell …"."""
    places = [(text.find(pronoun), pronoun, plain) for pronoun, plain in _PRONOUNS if pronoun in text]
    if not places or "{who}" in text[: min(places)[0]] or "{who:o}" in text[: min(places)[0]]:
        return text
    _, pronoun, plain = min(places)
    return text.replace(pronoun, plain, 1)


_PRONOUNS = (("{who:he}", "{who}"), ("{who:his}", "{who:p}"), ("{who:him}", "{who:o}"))


def _pronounced(text: str) -> str:
    """The clause with pronouns for "who" throughout, to stand after a clause that names the person."""
    for pronoun, plain in _PRONOUNS:
        text = text.replace(plain, pronoun)
    return text


def _slots(text: str) -> tuple[tuple[str, str], ...]:
    found = (part.strip().partition("=") for part in text.split(",") if part.strip())
    return tuple((role, name) for role, _, name in found)


def _roles(slots: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    return ("who", *(role for role, _ in slots))


def _shared_out(name: str, family: str, cells: int) -> tuple[list[list[str]], dict[str, Part]]:
    """The lines of a table, cut to so many cells, and the part of each by its id.

    A line's last cell may name its part, so that new lines leave the part of the old ones as it was; all others are
    shared out. Pronoun sentences are, by their stem: "invite" and "invite2" say the same first, and must not be parted.
    """
    rows = table(name)
    stem = _stem if "pronouns" in name else str
    free = shares(family, (stem(row[0]) for row in rows if len(row) == cells))
    named: dict[str, Part] = {row[0]: part for row in rows for part in PARTS if row[cells:] == [part]}
    return [row[:cells] for row in rows], {row[0]: named.get(row[0]) or free[stem(row[0])] for row in rows}


@cache
def causes() -> tuple[Schema, ...]:
    """Causes and effects."""
    found = []
    rows, parts = _shared_out("causes", "causes", 7)
    for name, topic, slot_text, cause, effect, cause_zh, effect_zh in rows:
        slots = _slots(slot_text)
        roles = _roles(slots)
        first = clause_relation(f"cause {name}", {"en": cause, "zh": cause_zh}, roles)
        second = clause_relation(f"effect {name}", {"en": _named(effect), "zh": _named(effect_zh)}, roles)
        spoken: dict[Language, str] = {"en": effect, "zh": effect_zh}
        told = "{who" in cause.replace("{who:o}", "")
        after = clause_relation(
            f"effect {name}", {key: _pronounced(text) if told else text for key, text in spoken.items()}, roles
        )
        found.append(Schema(name, topic, slots, parts[name], first, second, after))
    return tuple(found)


@cache
def feelings() -> tuple[Schema, ...]:
    """Events and the feelings that follow."""
    by_key = {word.key: word for word in lexicon.feelings()}
    rows, parts = _shared_out("feelings_from", "feelings", 6)
    found = []
    for name, topic, slot_text, event, event_zh, names in rows:
        slots = _slots(slot_text)
        first = clause_relation(f"event {name}", {"en": event, "zh": event_zh}, _roles(slots))
        words = tuple(by_key[key.strip()] for key in names.split(","))
        found.append(Schema(name, topic, slots, parts[name], first, feelings=words))
    return tuple(found)


@cache
def pronouns() -> tuple[Pronoun, ...]:
    """Sentences about two people of one gender."""
    rows, parts = _shared_out("pronouns", "pronouns", 7)
    found = []
    for name, main, link, clause, means, main_zh, clause_zh in rows:
        found.append(_pronoun(parts[name], name, (main, main_zh), link, (clause, clause_zh), means, (), ("a", "b")))
    return tuple(found)


@cache
def thing_pronouns() -> tuple[Pronoun, ...]:
    """Sentences about two things and an "it"."""
    rows, parts = _shared_out("thing_pronouns", "thing pronouns", 8)
    found = []
    for name, slots, main, link, clause, means, main_zh, clause_zh in rows:
        words = (main, main_zh), link, (clause, clause_zh), means, _slots(slots), ("x", "y")
        found.append(_pronoun(parts[name], name, *words))
    return tuple(found)


def _stem(name: str) -> str:
    """ "invite" and "invite2" share their main clause: they go to one part, or a test would be half seen."""
    return name.partition("_")[0].rstrip("0123456789")


def _pronoun(
    part: Part,
    name: str,
    main: tuple[str, str],
    link: str,
    clause: tuple[str, str],
    means: str,
    slots: tuple[tuple[str, str], ...],
    roles: tuple[str, ...],
) -> Pronoun:
    said = clause_relation(f"main {name}", {"en": main[0], "zh": main[1]}, roles)
    asked = clause_relation(f"clause {name}", {"en": clause[0], "zh": clause[1]}, ("p",))
    return Pronoun(name, _stem(name), part, said, link, asked, means, slots)


@cache
def fillers(schema: str, slot_group: str, part: Part) -> tuple[Word, ...]:
    """The words that may fill a slot of this schema in this part."""
    words = group(slot_group)
    return owned(part, schema, words, [word.key for word in words])


@cache
def askable(kind: str, part: Part) -> tuple[Schema, ...]:
    """The schemas ("causes" or "feelings") that a part may ask about: pretraining its own, tuning also its own, the
    test its own.
    """
    all_of = causes() if kind == "causes" else feelings()
    wanted = ("pretrain", "tune") if part == "tune" else (part,)
    return tuple(one for one in all_of if one.part in wanted)


@cache
def askable_pronouns(kind: str, part: Part) -> tuple[Pronoun, ...]:
    """The pronoun schemas ("people" or "things") that a part may ask about, as `askable`."""
    all_of = pronouns() if kind == "people" else thing_pronouns()
    wanted = ("pretrain", "tune") if part == "tune" else (part,)
    return tuple(one for one in all_of if one.part in wanted)


@cache
def clashing(name: str) -> frozenset[str]:
    """The schemas whose causes might bring about this one's effect, itself among them."""
    return frozenset({name}.union(*(clash for clash in CLASHES if name in clash)))
