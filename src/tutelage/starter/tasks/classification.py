"""Classification: what a text is about, what kind of text it is, what a question asks for, what belongs together.

The right option and the wrong ones are drawn together from the same kinds, none of which comes too close to another
(`NEAR_TOPICS`, `NEAR_GROUPS`, `NEAR_KINDS`; topics.py and belonging.py have the first two).
"""

from __future__ import annotations

from collections.abc import Callable

from tutelage.starter.microworld import reviews, states
from tutelage.starter.microworld.documents import writing
from tutelage.starter.microworld.documents.page import Page
from tutelage.starter.microworld.draw import Draw
from tutelage.starter.microworld.parts import part_of
from tutelage.starter.microworld.phrases import phrase
from tutelage.starter.microworld.relations import Fact
from tutelage.starter.microworld.schemas import askable
from tutelage.starter.microworld.stories import mishap
from tutelage.starter.microworld.wording import Language, pick, sentence
from tutelage.starter.tasks.belonging import group, odd_one
from tutelage.starter.tasks.kinds import mutually_apart, near
from tutelage.starter.tasks.making import Maker, Row
from tutelage.starter.tasks.topics import fact_of, topic

# --- kinds of text ---

TALES = ("day", "errands", "gifts", "shopping", "search", "visits", "encounter")
LONGEST: dict[Language, int] = {"en": 420, "zh": 150}  # characters


def _letter(page: Page) -> str:
    return "\n".join(writing.letter(page).split("\n")[:3])  # without the questions that may follow it


def _notice(page: Page) -> str:
    return writing.notice(page).split("\n")[0]


def _review(page: Page) -> str:
    tone: reviews.Tone = page.one(writing.TONES)
    return reviews.review(page.draw(), tone, asked=True).text(page.language, page.chance)


def _tale(page: Page) -> str:
    return page.scene(TALES).text(page.language, page.chance)


def _shopping_list(page: Page) -> str:
    draw = page.draw()
    words = [page.word(draw.word("food"), "one") for _ in range(page.number(3, 6))]
    return page.say("list_intro", l=page.one(("\n", ", " if page.language == "en" else "、")).join(words))


GENRES: dict[str, tuple[tuple[str, str], Callable[[Page], str]]] = {
    "letter": (("a letter", "一封信"), _letter),
    "diary": (("a diary", "一篇日记"), writing.diary),
    "notice": (("a notice", "一张通知"), _notice),
    "review": (("a review", "一篇评论"), _review),
    "story": (("a story", "一个故事"), _tale),
    "list": (("a list", "一张单子"), _shopping_list),
    "talk": (("a talk", "一段对话"), writing.small_talk),
}

# A text that names a kind of text ("My list:", "Thank you for your letter") would give its own away, or another's.
GENRE_WORDS: dict[Language, tuple[str, ...]] = {
    "en": ("letter", "diary", "notice", "review", "story", "list", "talk"),
    "zh": ("信", "日记", "通知", "评论", "故事", "单子", "对话"),
}


def genre(draw: Draw, language: Language, _: int) -> Row | None:
    """What kind of text this is: a letter, a list, a talk."""
    names = draw.some(list(GENRES), 3)
    for _try in range(20):  # of the same kind, or the kinds that are refused more often would be right less often
        text = GENRES[names[0]][1](Page(draw.chance, language, draw.part)).strip()
        if len(text) <= LONGEST[language] and not any(word in text.lower() for word in GENRE_WORDS[language]):
            return {"passage": text, "options": [GENRES[name][0][language == "zh"] for name in names]}
    return None


# --- kinds of question ---

# kind of answer → its name, and the (relation, role) that ask for one; why-questions are made of schemas.
ASKED: dict[str, tuple[tuple[str, str], tuple[str, ...]]] = {
    "person": (
        ("a person", "人"),
        ("has.who", "is_in.who", "likes.who", "went.who", "took.who", "gave.whom", "met.whom", "kin.who", "works.who"),
    ),
    "place": (
        ("a place", "地方"),
        ("is_in.where", "went.where", "lives.where", "lies.where", "met.where", "put.where", "saw.where"),
    ),
    "thing": (("a thing", "东西"), ("has.what", "wants.what", "bought.what", "took.what", "gave.what")),
    "animal": (("an animal", "动物"), ("pet.what",)),
    "food": (("food", "食物"), ("ate.what", "likes.what")),
    "time": (("a time", "时间"), ("plan.when",)),
    "number": (("a number", "数字"), ("age.years", "counts.number", "costs.number")),
    "feeling": (("a feeling", "心情"), ("feels.how", "felt.how")),
    "job": (("a job", "工作"), ("works.what",)),
    "colour": (("a colour", "颜色"), ("likes_colour.what", "is_coloured.colour")),
    "reason": (("a reason", "原因"), ("why",)),
}
# "What does Tom like?" may ask for anything: only these questions surely ask for food.
SURELY_FOOD = ("food", "lunch", "食物", "吃", "午饭", "中午")
NEAR_KINDS = near("thing + animal + food + job")


def question_kind(draw: Draw, language: Language, _: int) -> Row | None:
    """What kind of answer a question wants: a person, a place, a reason."""
    names = mutually_apart(draw, list(ASKED), NEAR_KINDS, 3)
    text = None
    while text is None:  # no kind may be dropped more often than another
        text = _of_kind(draw, names[0], language)
    return {"question": text, "options": [ASKED[one][0][language == "zh"] for one in names]}


def _of_kind(draw: Draw, kind: str, language: Language) -> str | None:
    """A question of that kind, None where this draw's is another part's, or might ask for another kind of thing."""
    relation, _, role = pick(draw.chance, ASKED[kind][1]).partition(".")
    text = _why(draw, language) if relation == "why" else _question(draw, relation, role, language)
    if text is None or part_of("question", text) != draw.part:
        return None
    return None if kind == "food" and not any(word in text for word in SURELY_FOOD) else text


def _question(draw: Draw, relation: str, role: str, language: Language) -> str | None:
    one = fact_of(draw, relation)
    return None if one is None else one.ask(role, language, draw.chance)


def _why(draw: Draw, language: Language) -> str:
    schema = pick(draw.chance, askable("causes", draw.part))
    scene = mishap(draw, schema=schema)
    if draw.odds(0.5):
        return phrase("why", language, draw.chance, b=scene.gist[0].clause(language, draw.chance))
    other = fact_of(draw, pick(draw.chance, ("feels", "went", "took", "bought", "wants")))
    assert other is not None
    return phrase("why", language, draw.chance, b=other.clause(language, draw.chance))


# --- what somebody does by saying it ---

# Not of fear: "Tom does not dare to go near dogs" tells it and sounds like a denial.
SAID = (*(name for name in states.TRAITS if name != "fears"), "went", "took", "bought", "did", "gave", "put", "saw")


def act(draw: Draw, language: Language, label: int) -> Row | None:
    """What somebody does by saying a sentence: asks (0), tells (1) or denies (2)."""
    one = fact_of(draw, pick(draw.chance, SAID))
    if one is None:
        return None
    said: tuple[Callable[[], str], ...] = (
        lambda: _asking(draw, one, language),
        lambda: one.sentence(language, draw.chance),
        lambda: sentence(one.denial(language, draw.chance), language),
    )
    text = said[label]()
    return {"sentence": text} if part_of("act", text) == draw.part else None


def _asking(draw: Draw, one: Fact, language: Language) -> str:
    if draw.odds(0.5):
        return one.check(language, draw.chance)
    return one.ask(pick(draw.chance, one.asked_roles()), language, draw.chance)


MAKERS: dict[str, Maker] = {
    "topic": Maker(topic, 3),
    "genre": Maker(genre, 3),
    "question_kind": Maker(question_kind, 3),
    "odd_one": Maker(odd_one, 4),
    "group": Maker(group, 4),
    "act": Maker(act, 3),
}
