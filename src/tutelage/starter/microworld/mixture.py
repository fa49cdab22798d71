"""The mixture of documents: one table of weights, and how it changes while a model is pretrained.

An experiment changes a number here. Each kind has three weights: first, early, and late in pretraining (`KNOTS`);
between them the weight goes over in a straight line. Copying is learnt first, and only where text is full of it; then
looking up, where much of the text is that; then everything (docs/log.md has the trials).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import accumulate

from tutelage.starter.microworld.documents import exercises, knowing, lists, patterns, reading, translating, writing
from tutelage.starter.microworld.documents.page import Page
from tutelage.starter.microworld.parts import Part
from tutelage.starter.microworld.wording import Language

Document = Callable[[Page], str]

# kind: (function, weight at first, early, late)
TABLE: dict[str, tuple[Document, float, float, float]] = {
    # copying and lists
    "copying": (lists.copying, 4, 1.5, 1.5),
    "random copying": (lists.random_copying, 2, 0.5, 0.5),
    "list work": (lists.transforming, 0, 1, 4),
    "pattern": (patterns.pattern, 1, 1, 3),
    "mapping": (patterns.mapping, 3, 4, 2),
    "text work": (exercises.text_work, 0, 0.5, 3),
    "swapped": (exercises.swapped, 1, 1, 1.5),
    "kinds": (exercises.kinds, 0, 0.5, 2),
    "spelling": (exercises.spelling, 0, 0.3, 0.6),
    "sums": (exercises.sums, 0, 0.5, 1),
    # reading a passage
    "plain lookup": (reading.plain_lookup, 2, 8, 3),
    "lookup": (reading.lookup, 3, 14, 12),
    "story": (reading.story, 0, 0.5, 3),
    "description": (reading.description, 0, 0.5, 2),
    "story questions": (reading.story_questions, 0, 5, 9),
    "description questions": (reading.description_questions, 0, 9, 9),
    "choices": (reading.choices, 0, 5, 9),
    "question first": (reading.question_first, 0, 1, 2),
    "dialogue": (reading.dialogue, 0, 1, 3),
    "wrong guesses": (reading.wrong_guesses, 0, 1, 1.5),
    "judging": (reading.judging, 0, 3, 8),
    "following": (reading.following, 0, 2, 4),
    "retelling": (reading.retelling, 0, 2, 4),
    "same or not": (reading.same_or_not, 0, 1, 3.5),
    "summary": (reading.summary, 0, 1, 2.5),
    "asked summary": (reading.asked_summary, 0, 0.5, 1),
    "titled": (reading.titled, 0, 0.5, 1.5),
    "topical": (reading.topical, 0, 0.5, 2),
    "topic question": (reading.topic_question, 0, 0.3, 1.5),
    "missing word": (reading.missing_word, 0, 1, 2),
    "genre": (reading.genre, 0, 0.3, 1),
    # knowing
    "encyclopedia": (knowing.encyclopedia, 0, 1, 3),
    "quiz": (knowing.quiz, 0, 1, 3.5),
    "true or false": (knowing.true_or_false, 0, 0.5, 2.5),
    "conclusion": (knowing.conclusion, 0, 1, 2.5),
    "riddles": (knowing.riddles, 0, 0.5, 1),
    "opposites": (knowing.opposites, 0, 0.5, 1),
    "biography": (knowing.biography, 0, 1, 4),
    "people list": (knowing.people_list, 0, 1, 1.5),
    "people quiz": (knowing.people_quiz, 0, 0.5, 2.5),
    "cause telling": (knowing.cause_telling, 0, 1, 2),
    "cause asking": (knowing.cause_asking, 0, 0.5, 2.5),
    "feeling telling": (knowing.feeling_telling, 0, 1, 2),
    "feeling asking": (knowing.feeling_asking, 0, 0.5, 2),
    "purposes": (knowing.purposes, 0, 0.5, 1),
    "advice": (knowing.advice, 0, 0.3, 1.5),
    "pronouns": (knowing.pronoun_telling, 0, 1, 3.5),
    # everyday writing
    "letter": (writing.letter, 0, 0.5, 1.5),
    "diary": (writing.diary, 0, 0.5, 1),
    "notice": (writing.notice, 0, 0.3, 1),
    "review": (writing.review, 0, 0.5, 1.5),
    "judged review": (writing.judged_review, 0, 0.5, 2.5),
    "shopping list": (writing.shopping_list, 0, 1, 0.7),
    "small talk": (writing.small_talk, 0, 0.5, 1),
    "record": (writing.from_record, 0, 3, 4),
    "timetable": (writing.timetable, 0, 1, 1.5),
    "news": (writing.announcement, 0, 0.3, 0.7),
    # both languages
    "word list": (translating.word_list, 0, 1, 2),
    "translated sentences": (translating.sentences, 0, 1, 3),
    "side by side": (translating.line_by_line, 0, 1, 2),
    "cross questions": (translating.questions, 0, 0.2, 1),
    "translation checked": (translating.checked, 0, 0.2, 0.7),
}
# Share of documents in each language; those "in both" count as the language of their frame.
LANGUAGES_MIXED: dict[Language, float] = {"en": 0.75, "zh": 0.25}
# Where in pretraining (0 to 1) the first weights end to hold alone, and the early and the late ones are reached.
KNOTS = (0.06, 0.08, 0.4)
STAGE_STEPS = 100


@cache
def _weights(step: int) -> tuple[tuple[Document, ...], tuple[float, ...]]:
    stage, (first, early, late) = step / STAGE_STEPS, KNOTS
    before = stage < early
    share = max(stage - first, 0) / (early - first) if before else min((stage - early) / (late - early), 1)
    weights = []
    for _, *knots in TABLE.values():
        low, high = knots[:2] if before else knots[1:]
        weights.append(low + (high - low) * share)
    return tuple(function for function, *_ in TABLE.values()), tuple(accumulate(weights))


def document(chance: random.Random, language: Language = "en", part: Part = "pretrain", stage: float = 1.0) -> str:
    """One document of the mixture at that stage (0: the beginning of pretraining, 1: its end)."""
    functions, ends = _weights(round(min(max(stage, 0.0), 1.0) * STAGE_STEPS))
    point = chance.random() * ends[-1]
    number = next(number for number, end in enumerate(ends) if point < end)
    return functions[number](Page(chance, language, part)).strip()


def _language(shares: Mapping[Language, float], point: float) -> Language:
    """The language at that point of the shares laid end to end."""
    for language, share in shares.items():
        point -= share
        if point < 0:
            return language
    return next(iter(shares))


def written(kind: str, seed: str, language: Language = "en", part: Part = "pretrain") -> str:
    """The document of that kind which this seed writes."""
    return TABLE[kind][0](Page(random.Random(seed), language, part)).strip()


def documents(
    seed: int | str,
    part: Part = "pretrain",
    languages: Mapping[Language, float] | None = None,
    stage: Callable[[int], float] | float = 1.0,
    count: int | None = None,
    first: int = 0,
    step: int = 1,
) -> Iterator[str]:
    """Documents without end (or those of the first `count`), a pure function of the seed.

    languages: share of each language. stage: where in pretraining each document stands, from 0 to 1: a number, or a
    function of the document's number. first, step: which numbers are written; all, unless it is said. A document
    depends on nothing but the seed and its number, so two machines, or two processes that each take every second one,
    write the same text.
    """
    mixed = dict(languages or LANGUAGES_MIXED)
    total = sum(mixed.values())
    number = first
    while count is None or number < count:
        chance = random.Random(f"{seed}/{part}/{number}")
        language = _language(mixed, chance.random() * total)
        at = stage(number) if callable(stage) else stage
        text = document(chance, language, part, at)
        if text:
            yield text
        number += step
