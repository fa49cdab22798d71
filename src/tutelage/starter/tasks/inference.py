"""Inference: does it follow, does it stay open, what follows, what cannot be, what came before.

Whatever label a claim has, it is drawn from claims of the same shape (relation, denied or not, how the thing is named),
so that the claim alone does not give the label away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations_with_replacement

from tutelage.starter.microworld import knowledge, lexicon
from tutelage.starter.microworld.claims import Claim, Telling, Truth
from tutelage.starter.microworld.draw import Draw
from tutelage.starter.microworld.knowledge import Step
from tutelage.starter.microworld.parts import Part
from tutelage.starter.microworld.relations import Fact, fact
from tutelage.starter.microworld.scene import Scene
from tutelage.starter.microworld.states import portraits
from tutelage.starter.microworld.wording import Language, Word, join, pick, sentence
from tutelage.starter.tasks.making import Maker, Row
from tutelage.starter.tasks.passages import SINGLE, gapped, one_of, plain_facts, short_scene, swapped, swaps
from tutelage.starter.tasks.surely import parts_asked

YES, NO = 0, 1
TRUTHS: tuple[Truth, ...] = ("yes", "no", "open")
READABLE = (
    "portraits", "room", "colours", "prices", "week", "amounts", "forecast", "family", "seats",
    "errands", "day", "gifts", "shopping", "search", "visits", "encounter",
)  # fmt: skip
TIMED = ("errands", "day", "gifts", "visits", "encounter", "search")
DENIED_SHARE = 0.3
GENERAL = frozenset({"has", "wants", "bought", "found", "borrowed", "pet", "saw"})
Shape = tuple[str, bool, str]


# --- does it follow? ---


def follows(draw: Draw, language: Language, label: int) -> Row | None:
    """A passage and a claim: does the claim follow? What is false or not told does not."""
    scene = short_scene(draw, READABLE)
    if scene is None:
        return None
    pools = _by_shape(_following(scene, draw)), _by_shape(_not_following(scene, draw))
    shape = one_of(draw, sorted(pools[YES].keys() & pools[NO].keys()))
    if shape is None:
        return None
    return _claim_row(scene, pick(draw.chance, pools[label][shape]), language, draw)


def _following(scene: Scene, draw: Draw) -> list[Claim]:
    undone = [Claim(one, True, "yes", (one,)) for one in _undone(scene)]
    return [one for one in scene.true_claims(draw.chance) if one.later is None] + undone


def _not_following(scene: Scene, draw: Draw) -> list[Claim]:
    found = [one for one in scene.false_claims(draw.chance) if one.later is None]
    found += scene.open_claims(draw.chance)
    found += [Claim(one, False, "no", (one,)) for one in _undone(scene)]
    moved = [one for one, _ in swaps(scene)]
    found += [Claim(one, False, "open", ()) for one in moved]
    return found + [Claim(one, False, "open", ()) for one in _wider(moved, scene)]


def _undone(scene: Scene) -> list[Fact]:
    """What was so and is no more: who gave the ball away does not have it."""
    known = {one.key for one in scene.known()}
    told = {one.key for one in (*scene.facts(), *scene.implied)}
    return [one for one in scene.stale if one.key not in known | told]


def _wider(moved: Sequence[Fact], scene: Scene) -> list[Fact]:
    """The changed facts said more generally ("a kite" → "a toy"), where the person has nothing of that kind."""
    own = {
        (one.relation.name, one.roles["who"].key, key)
        for one in scene.known()
        if one.relation.name in GENERAL
        for key in _kinds(one.roles["what"])
    }
    found = []
    for one in moved:
        if one.relation.name not in GENERAL:
            continue
        what = one.roles["what"]
        plain = next((word for word in lexicon.objects() if word.key == what.tags.get("base")), None)
        wide = plain or lexicon.classes()[what.tags["class"]]
        if (one.relation.name, one.roles["who"].key, wide.key) not in own:
            found.append(one.having("what", wide))
    return found


def _kinds(word: Word) -> tuple[str, str]:
    return word.tags.get("base", word.key), word.tags["class"]


def _by_shape(claims: Sequence[Claim]) -> dict[Shape, list[Claim]]:
    found: dict[Shape, list[Claim]] = {}
    for claim in claims:
        found.setdefault(_shape(claim), []).append(claim)
    return found


def _shape(claim: Claim) -> Shape:
    words = claim.fact.roles.values()
    kind = "class" if any(word.kind == "class" for word in words) else ""
    dressed = "dressed" if any("base" in word.tags for word in words) else ""
    return claim.fact.relation.name, claim.denied, kind or dressed


def _claim_row(scene: Scene, claim: Claim, language: Language, draw: Draw) -> Row:
    text = scene.text(language, draw.chance)
    return {"passage": text, "claim": sentence(claim.clause(language, draw.chance), language)}


# --- yes, no, or open ---


def follows_or_open(draw: Draw, language: Language, label: int) -> Row | None:
    """A passage that leaves something out, and a claim in its words: true, false, or not to be known."""
    make = _compared if draw.odds(0.25) else _told_of_others
    made = make(draw, TRUTHS[label])
    return None if made is None else _claim_row(*made, language, draw)


def _told_of_others(draw: Draw, truth: Truth) -> tuple[Scene, Claim] | None:
    gap = gapped(draw)
    denied = draw.odds(DENIED_SHARE)
    one, other = draw.some(gap.told, 2)
    wrong = swapped(one, gap.role, other)
    if wrong is None:
        return None
    if truth == "open":
        return gap.scene, Claim(gap.missing.having(gap.role, one.roles[gap.role]), denied, truth, ())
    return gap.scene, Claim(one if (truth == "yes") != denied else wrong, denied, truth, (one,))


def _compared(draw: Draw, truth: Truth) -> tuple[Scene, Claim]:
    """Four in a tree: Ann is taller than Ben, Ben than Carl, Ann than Dora, or all the other way round.

    Whether Dora is taller than Ben or Carl stays open.
    """
    grade = draw.fresh(lexicon.grades())
    people = grade.key.endswith(" person")
    a, b, c, d = draw.people(4) if people else [draw.word("thing") for _ in range(4)]
    down = draw.odds(0.5)

    def more(one: Word, other: Word) -> Fact:
        return fact("compare", who=one if down else other, than=other if down else one, grade=grade)

    told = [more(a, b), more(b, c), more(a, d)]
    draw.chance.shuffle(told)
    if truth == "open":
        pair = draw.some([d, pick(draw.chance, (b, c))], 2)
        claimed = more(*pair)
    else:
        claimed = more(*pick(draw.chance, ((a, c), (a, d), (a, b), (b, c))))
        if truth == "no":
            claimed = claimed.having("who", claimed.roles["than"]).having("than", claimed.roles["who"])
    who = (a, b, c, d) if people else ()
    return Scene("tree", "sport", who, tuple(map(Telling, told)), (told[0],)), Claim(claimed, False, truth, ())


# --- what follows from kinds ---


def conclusion(draw: Draw, language: Language, label: int) -> Row | None:
    """What three things are, and what such things do: which of three conclusions may be drawn?"""
    chosen = draw.some(_steps(draw.part), 3)
    right = chosen[0]
    by_member = draw.odds(0.5)
    wrong = [_crossed(one, right) if by_member else _crossed(right, one) for one in chosen[1:]]
    if None in wrong or len({(one.rule.key, one.member.key) for one in chosen}) < 3:
        return None
    options = [right.conclusion, *(one for one in wrong if one is not None)]
    if len({one.key for one in options}) < 3:
        return None
    told = list({one.key: one for step in chosen for one in (step.member, step.rule)}.values())
    draw.chance.shuffle(told)
    text = join([one.sentence(language, draw.chance) for one in told], language)
    number = draw.number(0, right.conclusion.wordings(language) - 1)
    return {"passage": text, "options": [one.clause(language, draw.chance, wording=number) for one in options]}


@cache
def _steps(part: Part) -> tuple[Step, ...]:
    """The steps that a part may ask about. Tuning tells nothing that another cluster's test asks."""
    wanted = parts_asked(part)
    steps = tuple(step for each in wanted for step in knowledge.steps_of(each))
    if part == "test":
        return steps
    return tuple(step for step in steps if all(knowledge.part(one) in wanted for one in (step.member, step.rule)))


def _crossed(member: Step, rule: Step) -> Fact | None:
    """The member with the other step's trait, None where it has that trait, or may have it by its kind."""
    if rule.rule.roles["y"].key in _traits(member.conclusion.roles["x"].key):
        return None
    return member.conclusion.having("y", rule.rule.roles["y"])


def _traits(x: str) -> set[str]:
    return {one.conclusion.roles["y"].key for one in knowledge.steps() if one.conclusion.roles["x"].key == x}


# --- which follows, which cannot be ---


def which_follows(draw: Draw, language: Language, label: int) -> Row | None:
    """Three sentences about the same people and things, of which the text tells one."""
    scene = _several(draw)
    if scene is None:
        return None
    kinds: tuple[Callable[[Draw, list[list[Fact]]], list[Fact] | None], ...] = (_same_word, _mixed_up, _one_each)
    groups = _groups(scene)
    options = pick(draw.chance, kinds)(draw, groups) if groups else None
    return None if options is None or not _sound(options, scene) else _options_row(scene, options, language, draw)


def _several(draw: Draw) -> Scene | None:
    if draw.odds(0.5):
        return portraits(draw, *pick(draw.chance, ((3, 1), (3, 2), (2, 3), (4, 1))))
    return short_scene(draw, ("room", "colours", "prices", "forecast", "week", "errands", "day", "family"), 3)


def _groups(scene: Scene) -> list[list[Fact]]:
    """The facts by relation, where several facts are of one."""
    found: dict[str, list[Fact]] = {}
    for one in plain_facts(scene):
        found.setdefault(one.relation.name, []).append(one)
    return [own for own in found.values() if len(own) > 1]


def _same_word(draw: Draw, groups: list[list[Fact]]) -> list[Fact] | None:
    """Three facts that differ in one word: where Tom is, or who is in the garden."""
    long = [own for own in groups if len(own) > 2]
    if not long:
        return None
    one, *others = draw.some(pick(draw.chance, long), 3)
    role = pick(draw.chance, tuple(one.relation.roles))
    return _all_there([one, *(swapped(one, role, other) for other in others)])


def _mixed_up(draw: Draw, groups: list[list[Fact]]) -> list[Fact] | None:
    """Three people with three values, of whom two have each other's."""
    long = [own for own in groups if len(own) > 2]
    if not long:
        return None
    one, other, third = draw.some(pick(draw.chance, long), 3)
    role = pick(draw.chance, tuple(one.relation.roles))
    return _all_there([one, swapped(other, role, third), swapped(third, role, other)])


def _one_each(draw: Draw, groups: list[list[Fact]]) -> list[Fact] | None:
    """Facts of three kinds, two of them with another's word."""
    if len(groups) < 3:
        return None
    found: list[Fact | None] = []
    for own in draw.some(groups, 3):
        one, other = draw.some(own, 2)
        found.append(swapped(one, pick(draw.chance, tuple(one.relation.roles)), other) if found else one)
    return _all_there(found)


def _all_there(facts: Sequence[Fact | None]) -> list[Fact] | None:
    found = [one for one in facts if one is not None]
    return found if len(found) == len(facts) else None


def _sound(options: Sequence[Fact], scene: Scene) -> bool:
    """Whether the first alone is so, and no two say the same."""
    known = {one.key for one in scene.known()}
    return len({one.key for one in options}) == len(options) and not any(one.key in known for one in options[1:])


def _options_row(scene: Scene, options: Sequence[Fact], language: Language, draw: Draw) -> Row | None:
    said = [one.clause(language, draw.chance) for one in options]
    return {"passage": scene.text(language, draw.chance), "options": list(said)} if len(set(said)) == 3 else None


def contradiction(draw: Draw, language: Language, label: int) -> Row | None:
    """Three sentences, of which the text rules one out; no word is in two of them in the same role.

    They are of one relation, or of two either of which might as well have been the false one's; and only words that
    could make a sentence false stand in them, so that nothing of a sentence alone tells that it is the false one.
    """
    scene = _crowded(draw)
    if scene is None:
        return None
    wrong = _ruled_out(scene, draw)
    right = {name: _of_such_words(scene, name, facts) for name, facts in wrong.items()}
    pairs = list(combinations_with_replacement(sorted(wrong), 2))
    for one, other in draw.some(pairs, len(pairs)):
        either = [_beside(draw, wrong[name], (right[one], right[other])) for name in (one, other)]
        if all(either):
            return _options_row(scene, pick(draw.chance, either), language, draw)
    return None


def _crowded(draw: Draw) -> Scene | None:
    """A scene of several who have one value each, of one trait or of two."""
    if draw.odds(0.6):
        count, traits = pick(draw.chance, ((4, 1), (5, 1), (3, 2), (3, 2)))
        return portraits(draw, count, traits, draw.some(SINGLE, traits))
    return short_scene(draw, ("room", "colours", "prices", "forecast", "errands", "family"), 4)


def _ruled_out(scene: Scene, draw: Draw) -> dict[str, list[Fact]]:
    """What cannot be, in words of the scene, by relation."""
    words = scene.words()
    claims = [one.fact for one in scene.false_claims(draw.chance) if one.later is None and not one.denied]
    found: dict[str, list[Fact]] = {}
    for one in (*claims, *_undone(scene)):
        if all(word.key in words for word in one.roles.values()):
            found.setdefault(one.relation.name, []).append(one)
    return found


def _of_such_words(scene: Scene, name: str, wrong: Sequence[Fact]) -> list[Fact]:
    """The scene's facts of that relation, each word of which some false one has in the same role."""
    words = {(role, word.key) for one in wrong for role, word in one.roles.items()}
    facts = [one for one in plain_facts(scene) if one.relation.name == name]
    return [one for one in facts if all((role, word.key) in words for role, word in one.roles.items())]


def _beside(draw: Draw, wrong: Sequence[Fact], right: Sequence[Sequence[Fact]]) -> list[Fact]:
    """A false fact and one of each kind of true ones, none of which share a word; empty where there are no such."""
    chosen = [pick(draw.chance, wrong)]
    for facts in right:
        found = one_of(draw, [one for one in facts if not any(_share(one, mate) for mate in chosen)])
        chosen += [found] if found else []
    return chosen if len(chosen) == 1 + len(right) else []


def _share(one: Fact, other: Fact) -> bool:
    return one.relation is other.relation and any(one.roles[name].key == other.roles[name].key for name in one.roles)


# --- order in time ---


def before_after(draw: Draw, language: Language, label: int) -> Row | None:
    """What happened, in the order of telling or with the hour: was this before that?"""
    scene = short_scene(draw, TIMED, 3, 5)
    told = [] if scene is None else [one.fact for one in scene.told if one.fact.relation.time == "events"]
    if scene is None or len(told) < 3:
        return None
    places = sorted(draw.some(range(len(told)), 2))
    first, second = (told[place] for place in places)
    if scene.kind == "day" and draw.odds(0.7):
        scene = _by_the_clock(scene, draw)
    claim = Claim(first, False, "yes", (), second) if label == YES else Claim(second, False, "no", (), first)
    return _claim_row(scene, claim, language, draw)


def _by_the_clock(scene: Scene, draw: Draw) -> Scene:
    """The same with an hour before each event, told in any order."""
    hours = lexicon.family("hours")
    chosen = sorted(draw.some(range(len(hours)), len(scene.told)))
    told = [Telling(one.fact, when=hours[hour]) for one, hour in zip(scene.told, chosen, strict=True)]
    draw.chance.shuffle(told)
    return replace(scene, told=tuple(told), timed=False)


MAKERS: dict[str, Maker] = {
    "follows": Maker(follows, 2),
    "follows_or_open": Maker(follows_or_open, 3),
    "conclusion": Maker(conclusion, 3),
    "which_follows": Maker(which_follows, 3),
    "contradiction": Maker(contradiction, 3),
    "before_after": Maker(before_after, 2),
}
