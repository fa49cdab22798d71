"""Everyday writing: letters, diaries, notices, reviews, lists, records, timetables, small talk."""

from __future__ import annotations

from tutelage.starter.microworld import lexicon
from tutelage.starter.microworld.claims import Telling
from tutelage.starter.microworld.documents.page import STORIES, Page
from tutelage.starter.microworld.groups import group
from tutelage.starter.microworld.records import record, table
from tutelage.starter.microworld.relations import Fact, fact
from tutelage.starter.microworld.reviews import Tone
from tutelage.starter.microworld.reviews import review as write_review
from tutelage.starter.microworld.scene import Scene
from tutelage.starter.microworld.states import portraits
from tutelage.starter.microworld.wording import Word, capital, listed, sentence

TONES: tuple[Tone, ...] = ("good", "bad", "good", "bad", "mixed")


def _own(page: Page, scene: Scene) -> list[str]:
    """The scene told by its first person ("I went to the park")."""
    lines = []
    hero = scene.people[0]
    for telling in scene.told:
        one = telling.fact
        mine = one.roles.get("who") is hero and one.relation.time == "events"
        lines.append(sentence(one.mine(page.language, page.chance), page.language) if mine else page.tell(one))
    return lines


def letter(page: Page) -> str:
    """A letter with news."""
    draw = page.draw()
    to = draw.person()
    scene = page.scene(("day", "errands", "visits", "search", "encounter", "shopping"))
    lines = [page.say("letter_open", x=page.word(to))]
    body = [page.say("letter_news")] if page.odds(0.6) else []
    body += _own(page, scene)
    lines += [page.joined(body), page.say("letter_close", y=page.word(scene.people[0]))]
    text = "\n".join(lines)
    if page.odds(0.4):
        text += "\n" + page.exchange(page.say("letter_to"), capital(page.word(to)) + page.stop())
        text += "\n" + page.exchange(page.say("letter_from"), capital(page.word(scene.people[0])) + page.stop())
    return text


def diary(page: Page) -> str:
    """What I did."""
    scene = page.scene(("day", "errands", "search", "encounter"))
    day = page.one(lexicon.family("days"))
    return page.joined([page.say("diary_open", d=page.word(day)), *_own(page, scene)])


def notice(page: Page) -> str:
    """Something lost, for sale, wanted, closed; and what one can ask about it."""
    draw = page.draw()
    thing = draw.dress(draw.fresh(group("thing")), 0.8)
    place = draw.fresh(group("place"))
    person = draw.person()
    spot = draw.word("spot", person)
    amount = lexicon.number(page.number(2, 30))
    texts = {
        "t": page.word(thing, "a"),
        "p": page.word(place, "noun"),
        "x": page.word(person),
        "n": page.word(amount),
        "d": page.word(page.one(lexicon.family("days"))),
        "s": sentence(fact("lies", what=thing, where=spot).clause(page.language, page.chance), page.language),
    }
    line = page.say("notice", **texts)
    asks = []
    if texts["n"] in line and texts["t"] in line:
        asks = [page.say("notice_sell_ask", **texts) for _ in range(page.number(0, 2))]
    return "\n".join([line, *dict.fromkeys(asks)])


def review(page: Page) -> str:
    """Somebody liked it, or did not; now and then with a verdict."""
    tone: Tone = page.one(TONES)
    return write_review(page.draw(), tone).text(page.language, page.chance)


def judged_review(page: Page) -> str:
    """Reviews of this part's aspects with a verdict on their tone."""
    lines = []
    for _ in range(page.number(1, 3)):
        tone = page.one(TONES)
        text = write_review(page.draw(), tone, asked=True, said=page.odds(0.5)).text(page.language, page.chance)
        lines.append(text + page.one((" ", "\n")) + page.say(f"verdict_{tone}"))
    return "\n".join(lines)


def shopping_list(page: Page) -> str:
    """What is to be bought, and for whom."""
    draw = page.draw()
    foods = page.some(lexicon.foods(), page.number(3, 6))
    names = [page.word(food, "one") for food in foods]
    who = draw.person()
    comma = ", " if page.language == "en" else "、"
    lines = [page.say("list_intro", l="\n".join(names) if page.odds(0.5) else comma.join(names))]
    if page.odds(0.7):
        lines.append(page.say("list_again", l=listed(names, page.language)))
    if page.odds(0.3):
        lines.append(page.tell(fact("made", who=who, what=foods[0], whom=draw.person())))
    return "\n".join(lines)


def small_talk(page: Page) -> str:
    """Two people and what they have to tell."""
    scene = page.scene(("day", "encounter", "errands"))
    hero = scene.people[0]
    other = next((person for person in scene.people if person is not hero), None) or page.draw().person()
    x, y = page.word(hero), page.word(other)
    lines = [f"{y}: {page.say('greeting', x=x)}" if page.language == "en" else f"{y}：{page.say('greeting', x=x)}"]
    for telling in scene.told:
        who = telling.fact.roles["who"]
        speaker = who if who in (hero, other) else hero
        said = telling.fact.mine(page.language, page.chance) if who is speaker else page.clause(telling.fact)
        line = sentence(said, page.language)
        lines.append(f"{page.word(speaker)}: {line}" if page.language == "en" else f"{page.word(speaker)}：{line}")
    lines.append(f"{y}: {page.say('thanks', x=x)}" if page.language == "en" else f"{y}：{page.say('thanks', x=x)}")
    return "\n".join(lines)


def from_record(page: Page) -> str:
    """A record and the same in sentences, either first; of one person or of several."""
    draw = page.draw()
    scene = portraits(draw, page.number(1, 3), page.number(2, 4))
    own: dict[str, list[Fact]] = {}
    for one in scene.facts():
        own.setdefault(one.roles["who"].key, []).append(one)
    people = [person for person in scene.people if person.key in own]
    text = Scene("record", scene.topic, scene.people, _by_person(people, own), ()).text(page.language, page.chance)
    same = len({tuple(one.relation.name for one in facts) for facts in own.values()}) == 1
    names = [page.word(person) for person in people]
    if len(people) > 1 and same and page.odds(0.5):
        shown = table(names, [own[person.key] for person in people], page.language, page.chance)
    else:
        between = page.one(("\n", "\n\n"))
        shown = between.join(
            record(name, own[person.key], page.language, page.chance)
            for name, person in zip(names, people, strict=True)
        )
    lines = [shown, text] if page.odds(0.6) else [text, shown]
    if page.odds(0.4):
        lines += [page.asked(ask) for ask in scene.questions(page.chance)[:2]]
    return "\n".join(lines)


def _by_person(people: list[Word], own: dict[str, list[Fact]]) -> tuple[Telling, ...]:
    return tuple(Telling(one) for person in people for one in own[person.key])


def timetable(page: Page) -> str:
    """Who does what when, as a plan and in sentences, with questions."""
    scene = page.scene(("week",))
    rows = []
    between = page.one((": ", " | ", " - "))
    for one in scene.facts():
        parts = [page.word(one.roles["when"]), page.word(one.roles["who"]), page.word(one.roles["what"], "base")]
        rows.append(between.join(parts) if page.odds(0.9) else ", ".join(parts))
    asks = [page.asked(ask) for ask in scene.questions(page.chance)[: page.number(1, 4)]]
    body = [scene.text(page.language, page.chance)] if page.odds(0.5) else []
    return "\n".join(["\n".join(rows), *body, *asks])


def announcement(page: Page) -> str:
    """News: a headline and what happened."""
    scene = page.scene(STORIES)
    headline = capital(scene.gist[0].clause(page.language, page.chance)).rstrip(".")
    return headline + "\n" + scene.text(page.language, page.chance)
