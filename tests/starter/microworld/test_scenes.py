import random
from collections import Counter

import pytest

from tutelage.starter.microworld import lexicon
from tutelage.starter.microworld.builders import ALL, build, scene
from tutelage.starter.microworld.claims import Telling
from tutelage.starter.microworld.draw import Draw, allowed
from tutelage.starter.microworld.parts import PARTS, Part, part_of
from tutelage.starter.microworld.relations import Fact, fact
from tutelage.starter.microworld.reviews import Tone, review
from tutelage.starter.microworld.scene import Scene
from tutelage.starter.microworld.schemas import causes
from tutelage.starter.microworld.stories import errands, mishap, mood
from tutelage.starter.microworld.wording import LANGUAGES, Word


def number_of(answer: Word | Fact) -> int:
    assert isinstance(answer, Word)
    return int(answer.key)


def many(kind: str, count: int = 40) -> list[Scene]:
    return [scene(kind, f"{kind} {number}", PARTS[number % 3]) for number in range(count)]


@pytest.mark.parametrize("kind", list(ALL))
def test_scenes_are_told_in_both_languages_from_their_seed_alone(kind: str) -> None:
    for language in LANGUAGES:
        one = scene(kind, "again").text(language, random.Random(4))
        assert one == scene(kind, "again").text(language, random.Random(4))
        assert "{" not in one
        assert one[-1] in ".。"
        assert ".." not in one
        assert "  " not in one


@pytest.mark.parametrize("kind", list(ALL))
def test_each_question_has_one_right_answer_and_wrong_ones_of_the_same_form(kind: str) -> None:
    chance = random.Random(5)
    for one in many(kind):
        known = {other.key for other in one.known()}
        for ask in one.questions(chance):
            options = ask.options("en", chance, 4)
            assert len(set(options)) == len(options), (ask.kind, options)
            if ask.about is None or not ask.role:
                continue
            assert ask.about.key in known
            for other in ask.others:
                assert isinstance(other, Word)
                assert ask.about.having(ask.role, other).key not in known, (ask.kind, other)


@pytest.mark.parametrize("kind", list(ALL))
def test_claims_keep_to_what_is_known(kind: str) -> None:
    chance = random.Random(6)
    for one in many(kind):
        known = {other.key for other in one.known()}
        truths = [*one.true_claims(chance), *one.false_claims(chance), *one.open_claims(chance)]
        for claim in truths:
            assert "{" not in claim.clause("en", chance) + claim.clause("zh", chance)
            holds = claim.fact.key in known
            if claim.later is not None:
                told = [telling.fact for telling in one.told]
                assert (told.index(claim.fact) < told.index(claim.later)) == (claim.truth == "yes")
            elif claim.truth == "open":
                assert not holds
            elif holds:
                assert (claim.truth == "yes") != claim.denied
            elif claim.truth == "no":
                assert not claim.denied
                assert claim.fact.relation.unique or claim.fact.relation.name in ("gave", "borrowed", "made", "compare")


def test_where_everything_is_at_the_end_follows_from_the_errands() -> None:
    """An independent walk through the told events gives the same end."""
    for number in range(300):
        one = errands(Draw(random.Random(number)))
        place: dict[str, str] = {}
        holder: dict[str, str] = {}
        spot: dict[str, str] = {}
        for told in one.facts():
            who = told.roles["who"].key
            match told.relation.name:
                case "went":
                    place[who] = told.roles["where"].key
                case "took":
                    holder[told.roles["what"].key] = who
                case "put":
                    spot[told.roles["what"].key] = told.roles["where"].key
                    assert holder.pop(told.roles["what"].key) == who
                case "gave":
                    assert holder[told.roles["what"].key] == who
                    holder[told.roles["what"].key] = told.roles["whom"].key
        end = {("is_in", who, where) for who, where in place.items()}
        end |= {("holds", who, what) for what, who in holder.items()}
        end |= {("lies", what, where) for what, where in spot.items()}
        assert {implied.key for implied in one.implied} == end


def test_amounts_add_up() -> None:
    for number in range(300):
        one = scene("amounts", f"sum {number}")
        have: dict[str, int] = {}
        for told in one.facts():
            who, count = told.roles["who"].key, int(told.roles["number"].key)
            match told.relation.name:
                case "counts":
                    have[who] = count
                case "gave_some":
                    have[who] -= count
                    have[told.roles["whom"].key] += count
                case "lost_some":
                    have[who] -= count
                case "got_some":
                    have[who] += count
        chance = random.Random(number)
        for ask in one.questions(chance):
            if ask.kind == "total":
                assert number_of(ask.answer) == sum(have.values())
            if ask.kind == "left":
                hero = next(value for name, value in ask.slots if name == "who")
                assert isinstance(hero, Word)
                assert number_of(ask.answer) == have[hero.key]
            if ask.kind == "more":
                assert isinstance(ask.answer, Word)
                assert have[ask.answer.key] == max(have.values())


def test_rankings_are_in_order() -> None:
    """Nobody who is told to be less so than another, in this word or in the opposite one, is the most so."""
    asked = 0
    for number in range(200):
        one = scene("ranking", f"rank {number}")
        less: set[tuple[str, str]] = set()
        for told in one.facts():
            grade, more, other = (told.roles[role] for role in ("grade", "who", "than"))
            less.add((grade.key, other.key))
            less.add((grade.tags["opposite"], more.key))
        for ask in one.questions(random.Random(0)):
            if ask.kind == "superlative":
                asked += 1
                est = next(value for name, value in ask.slots if name == "est")
                assert isinstance(est, Word)
                assert (est.key, ask.answer.key) not in less
                assert all((est.key, other.key) in less for other in ask.others)
    assert asked > 100


def test_names_meet_only_the_things_of_their_part() -> None:
    for part in PARTS:
        met: Counter[bool] = Counter()
        for number in range(200):
            one = scene("portraits", f"meet {number}", part)
            for told in one.facts():
                if told.relation.name in ("has", "wants", "is_in", "likes", "lives", "works"):
                    value = next(word for role, word in told.roles.items() if role != "who")
                    met[part_of(told.roles["who"].key, value.tags.get("base") or value.key) == part] += 1
        assert met[False] == 0
        assert met[True] > 100


def test_every_name_has_words_to_meet_in_every_part() -> None:
    for name in lexicon.names()[::7]:
        for kind in ("thing", "place", "food", "activity", "spot", "town"):
            shares = [{word.key for word in allowed(part, name.key, kind)} for part in PARTS]
            assert all(shares)
            assert not shares[0] & shares[2]


def test_pronouns_stand_only_for_the_one_they_can_mean() -> None:
    """A sentence with he or she follows one about the same person, in which nobody else of that gender is named."""
    chance = random.Random(8)
    for _ in range(400):
        one = build(chance)
        for before, telling in zip(one.told, one.told[1:], strict=False):
            who = telling.fact.roles.get("who")
            if who is None or who.kind != "person":
                continue
            lines = one.sentences("en", random.Random(1))
            line = lines[one.told.index(telling)].lower()
            if who.key.lower() not in line and telling.effect is None:
                assert before.fact.roles.get("who") is who or telling.fact.relation.time == "schema"


def test_an_effect_told_before_its_cause_leaves_nobody_unnamed() -> None:
    schema = next(one for one in causes() if one.name == "door_open")
    for number in range(60):
        one = mishap(Draw(random.Random(number)), schema=schema)
        alone = Scene(one.kind, one.topic, one.people, one.told[-1:], one.gist)
        assert one.people[0].key in alone.text("en", random.Random(number))


def test_a_scene_can_be_told_of_somebody_else() -> None:
    tom, ben = (next(one for one in lexicon.names() if one.key == name) for name in ("Tom", "Ben"))
    one = fact("likes", who=tom, what=lexicon.foods()[0])
    first = Scene("portraits", "food", (tom,), (Telling(one),), (one,))
    second = first.replaced(tom, ben)
    told = [each.text("en", random.Random(0), pronouns=False) for each in (first, second)]
    assert told[0].replace("Tom", "Ben") == told[1]
    assert second.people == (ben,)


@pytest.mark.parametrize("part", PARTS)
def test_only_schemas_of_the_part_are_asked(part: Part) -> None:
    for number in range(60):
        for one in (
            mishap(Draw(random.Random(number), part), asked=True),
            mood(Draw(random.Random(number), part), asked=True),
        ):
            why = [ask for ask in one.asks if ask.kind == "why"]
            assert why
            assert all(isinstance(other, Fact) for other in why[0].others)
            assert why[0].others


@pytest.mark.parametrize("tone", ["good", "bad", "mixed"])
def test_reviews_praise_and_blame_as_their_tone_says(tone: Tone) -> None:
    for number in range(50):
        one = review(Draw(random.Random(number), PARTS[number % 3]), tone, asked=True)
        praised = [good for _, good in one.points]
        assert set(praised) == {"good": {True}, "bad": {False}, "mixed": {True, False}}[tone]
        assert all(aspect.part == PARTS[number % 3] for aspect, _ in one.points)
        for language in LANGUAGES:
            assert one.text(language, random.Random(0))
