from __future__ import annotations

import doctest
import random
import time
from collections.abc import Iterator
from functools import cache
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.starter.microworld.relations import Fact
from tutelage.starter.microworld.wording import LANGUAGES, Language, Word, article, sentence
from tutelage.starter.reward import Question, Score, frames, lines, questions, score, scoring
from tutelage.starter.reward.asking import KINDS

SPACE: dict[Language, str] = {"en": " ", "zh": ""}
THANKS: dict[Language, str] = {"en": "Of course! ", "zh": "当然！"}
NOT_TRUE: dict[Language, str] = {"en": "It is not true that ", "zh": "不是"}
RAMBLING: dict[Language, str] = {
    "en": "There is a lot that one could say about this, and much of it is of no use to anybody.",
    "zh": "这件事说来话长，可以说很多很多没有用处的话。",
}


@cache
def asked(language: Language, count: int = 300) -> tuple[Question, ...]:
    return tuple(questions(11, "test", language, count))


def cases(count: int = 300) -> Iterator[Question]:
    for language in LANGUAGES:
        yield from asked(language, count)


def test_examples() -> None:
    for module in (frames, lines, scoring):
        assert doctest.testmod(module).failed == 0
        assert doctest.testmod(module).attempted > 0
    assert Score(truth=1, sentence=1, polite=0, brief=1).total == pytest.approx(0.85)
    # A true sentence of twice the room that an honest answer has: brief = 1 - 1 / 1.5.
    assert Score(truth=1, sentence=1, polite=1, brief=1 / 3).total == pytest.approx(1 - 0.6 * 2 / 3)


def test_questions_are_a_pure_function_of_the_seed_and_of_every_kind() -> None:
    for language in LANGUAGES:
        again = [(one.prompt, one.answer) for one in questions(11, "test", language, 300)]
        assert again == [(one.prompt, one.answer) for one in asked(language)]
        assert {one.kind for one in asked(language)} == set(KINDS)
        assert len({one.prompt for one in asked(language)}) > 290
        assert not {prompt for prompt, _ in again} & {one.prompt for one in questions(11, "tune", language, 300)}
    assert len(list(islice(questions(1, "tune", "en"), 5))) == 5


def test_the_gold_sentence_earns_all_that_can_be_had_but_for_courtesy() -> None:
    for one in cases():
        got = score(one, one.full)
        assert (got.truth, got.sentence, got.brief) == (1, 1, 1), (one.prompt, one.full)
        assert score(one, THANKS[one.language] + one.full).total == pytest.approx(1)


def test_the_bare_word_is_right_but_no_sentence() -> None:
    for one in cases():
        if one.ask is not None and not isinstance(one.ask.answer, Word):
            continue  # a clause
        got = score(one, one.answer)
        assert (got.truth, got.sentence, got.polite, got.brief) == (1, 0, 0, 1), (one.prompt, one.answer)
        assert got.total == pytest.approx(0.6)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), language=st.sampled_from(LANGUAGES))
def test_every_wording_of_the_answer_is_understood_and_of_another_answer_earns_nothing(
    seed: int, language: Language
) -> None:
    for one in questions(seed, "tune", language, 3):
        ask = one.ask
        if ask is None or ask.about is None:
            continue
        for wording in range(ask.about.wordings(language)):
            said = ask.about.sentence(language, random, wording=wording)
            assert score(one, said).total == pytest.approx(0.85), (one.prompt, said)
            for other in ask.others if ask.role else ():
                assert isinstance(other, Word)
                wrong = ask.about.having(ask.role, other).sentence(language, random, wording=wording)
                assert score(one, wrong).truth == 0, (one.prompt, wrong)


def test_wrong_answers_earn_nothing_in_any_form() -> None:
    for one in cases():
        others = [] if one.ask is None else [one.ask.said(other, one.language, random) for other in one.ask.others]
        others += [{"yes": "No.", "no": "Yes."}[one.verdict]] if one.verdict and one.language == "en" else []
        others += [{"yes": "不对。", "no": "对。"}[one.verdict]] if one.verdict and one.language == "zh" else []
        for other in others:
            for text in (other, sentence(other, one.language), THANKS[one.language] + other):
                assert score(one, text).total == 0, (one.prompt, text)
            both = sentence(other, one.language) + SPACE[one.language] + one.full
            assert score(one, both).total == 0, (one.prompt, both)


def test_denying_the_answer_is_false() -> None:
    denied = 0
    for one in cases():
        assert score(one, NOT_TRUE[one.language] + one.full[:1].lower() + one.full[1:]).truth == 0, one.full
        about = None if one.ask is None else one.ask.about
        if about is not None and about.relation.deny[one.language]:
            denied += 1
            text = sentence(about.denial(one.language, random), one.language)
            assert score(one, text).truth == 0, text
            assert score(one, one.full + SPACE[one.language] + text).truth == 0, text
    assert denied > 200


def hacks(one: Question) -> Iterator[str]:
    """Ways to earn what has not been earned."""
    space = SPACE[one.language]
    yield one.full + space + one.full
    yield space.join([one.full] * 4)
    yield space.join([sentence(one.answer, one.language)] * 5)
    yield one.full + space + space.join([RAMBLING[one.language]] * 10)
    yield one.full + (" Or maybe not." if one.language == "en" else "也许不是。")
    yield "Yes. No. " + one.full if one.language == "en" else "对。不对。" + one.full
    yield ("Thank you. Please. Thanks. Of course. " if one.language == "en" else "谢谢。请。当然。不客气。") + one.full
    yield one.prompt
    yield one.prompt + space + one.full
    yield "Thank you!" if one.language == "en" else "谢谢！"
    yield ""
    yield " \n.。"
    options = [] if one.ask is None else [one.ask.said(other, one.language, random) for other in one.ask.others]
    if options:
        for between in (
            (", ", " and ", " or ", ". ", "; ", "\n") if one.language == "en" else ("、", "和", "或", "。", "，")
        ):
            yield between.join([one.answer, *options])


def test_no_trick_earns_as_much_as_an_honest_sentence() -> None:
    for one in cases():
        honest = score(one, one.full).total
        for text in hacks(one):
            assert score(one, text).total <= honest - 0.2, (one.prompt, text, score(one, text))


def test_copying_the_passage_is_not_answering() -> None:
    copied = 0
    for one in cases():
        if len(one.known) > 3 and one.kind in ("reading", "counting", "order", "checking"):
            copied += 1
            assert score(one, one.passage).total < 0.6, (one.prompt, score(one, one.passage))
    assert copied > 100


def test_longer_is_never_better() -> None:
    for one in cases(100):
        more = [one.full + SPACE[one.language] + one.passage[:length] for length in (0, 20, 60, 200)]
        totals = [score(one, text).total for text in more]
        assert totals[0] >= max(totals[1:])


def a_question(kind: str, language: Language, name: str) -> Question:
    """A question about a fact of that relation, for hand-made answers."""
    return next(
        one
        for one in questions(3, "test", language)
        if one.kind == kind and one.ask is not None and one.ask.kind == name and len(one.known) > 1
    )


def test_answers_made_by_hand() -> None:
    one = a_question("reading", "en", "is_in.where")
    assert one.ask is not None
    assert one.ask.about is not None
    who, where = one.ask.about.roles["who"], one.ask.about.roles["where"]
    he = who.forms["en"]["he"]
    place, name = where.forms["en"]["in"], who.key
    elsewhere = "in the mine" if "mine" not in place else "in the zoo"
    true = (f"{name} is {place}.", f"{he.capitalize()} is {place}.", f"I think that {name} is {place}.")
    for text in true:
        assert score(one, text).total == pytest.approx(0.85), text
    for text in (place, f"{place}.", f"It is {place}.", f"The answer is {place}.", f"{place}, not {elsewhere}"):
        assert score(one, text).truth == 1, text
        assert score(one, text).sentence == 0, text
    assert score(one, f"{place}, please.").polite == 1
    assert score(one, f"{name} is {place}").sentence == 0.5
    assert score(one, f"{name} is {place}, of course.").total == pytest.approx(1)
    for text in (
        elsewhere,
        f"{name} is {elsewhere}.",
        f"{name} is not {place}.",
        f"not {place}",
        f"{place} or {elsewhere}",
        f"{name} is {place} and {name} is {elsewhere}.",
        f"{name} is {place}. Zoe has a kite.",
        f"Zoe is {place}.",
        "Maybe.",
        "Yes.",
        "I do not know.",
    ):
        assert score(one, text).total == 0, text
    assert score(one, f"{name} is {place}. Who can say?").truth == 0.5


def test_a_pronoun_names_nobody() -> None:
    """ "He is in the garden" is no answer to "Who is in the garden?"."""
    asked_for_people = 0
    for one in cases():
        ask = one.ask
        if ask is None or not isinstance(ask.answer, Word) or ask.answer.kind != "person":
            continue
        asked_for_people += 1
        for form in ("he", "him", "his"):
            assert score(one, ask.answer.forms[one.language][form]).truth == 0
        if ask.about is not None and ask.role == "who":
            for wording in range(ask.about.wordings(one.language)):
                said = ask.about.sentence(one.language, random, "who", wording)
                assert score(one, said).truth == 0, (one.prompt, said)
    assert asked_for_people > 100


def test_whoever_the_question_names_may_be_he_or_she() -> None:
    said = 0
    for one in cases():
        about = None if one.ask is None else one.ask.about
        if one.ask is None or about is None or one.ask.role in ("who", "") or "who" not in about.roles:
            continue
        others = [word for role, word in about.roles.items() if role != "who" and word.kind == "person"]
        if about.roles["who"].kind == "person" and not others:
            said += 1
            text = about.sentence(one.language, random, "who")
            assert score(one, text).total == pytest.approx(0.85), (one.prompt, text)
    assert said > 60


def test_yes_and_no() -> None:
    for language, yes, no in (("en", "Yes", "No"), ("zh", "是的", "不对")):
        for one in [one for one in asked(language) if one.kind == "checking"]:
            assert one.claim is not None
            said = sentence(one.claim.fact.clause(language, random), language)  # type: ignore[arg-type]
            denied = sentence(one.claim.fact.denial(language, random), language)  # type: ignore[arg-type]
            true = one.verdict == "yes"
            assert score(one, (yes if true else no) + ".").truth == 1
            assert score(one, (no if true else yes) + ".").truth == 0
            assert score(one, said).truth == true, said
            assert score(one, denied).truth == (not true), (one.prompt, denied)
            assert score(one, f"{yes}. {no}.").truth == 0


def test_things_may_be_said_less_exactly_unless_there_are_two() -> None:
    found = 0
    for one in questions(21, "test", "en", 800):
        ask = one.ask
        if ask is None or not isinstance(ask.answer, Word) or not ask.answer.tags.get("base") or ask.about is None:
            continue
        bases = [word.tags.get("base", word.key) for word in ask.others if isinstance(word, Word)]
        found += 1
        assert (score(one, article(ask.answer.tags["base"])).truth == 1) == (ask.answer.tags["base"] not in bases)
    assert found > 10


def test_the_questions_of_the_test_ask_what_only_the_test_may_ask() -> None:
    from tutelage.starter.microworld.people import everybody

    own = {known.word.key for known in everybody("test")}
    for one in asked("en"):
        if one.kind == "people":
            assert one.ask is not None
            assert isinstance(one.ask.about, Fact)
            assert own & {word.key for word in one.ask.about.roles.values()}


def test_two_thousand_answers_a_second() -> None:
    """Never read before, in wordings of all kinds."""
    every = [one for language in LANGUAGES for one in questions(99, "test", language, 200)]
    score(every[0], "")
    score(every[-1], "")
    started = time.process_time()
    for one in every:
        score(one, one.full)
        score(one, one.answer)
        score(one, one.full + SPACE[one.language] + one.passage)
    assert 3 * len(every) / (time.process_time() - started) > 500  # 2,000 and more where nothing else runs
