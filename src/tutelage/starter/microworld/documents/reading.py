"""Documents about a passage: told, asked, judged, retold, summed up, headed."""

from __future__ import annotations

from tutelage.starter.microworld import lexicon
from tutelage.starter.microworld.claims import Ask, Telling
from tutelage.starter.microworld.documents import writing
from tutelage.starter.microworld.documents.page import STATES, STORIES, Page
from tutelage.starter.microworld.relations import Fact, fact
from tutelage.starter.microworld.scene import Scene
from tutelage.starter.microworld.schemas import causes, feelings
from tutelage.starter.microworld.states import forecast, portraits
from tutelage.starter.microworld.stories import mishap, mood
from tutelage.starter.microworld.wording import Word, capital, question


def story(page: Page) -> str:
    """What happened, as a story; sometimes two that follow each other."""
    scenes = [page.scene(STORIES) for _ in range(page.number(1, 3))]
    texts = [scene.text(page.language, page.chance) for scene in scenes]
    return page.title_or_none(scenes[0]) + ("\n" if page.odds(0.4) else " " if page.language == "en" else "").join(
        texts
    )


def description(page: Page) -> str:
    """How things are."""
    scenes = [page.scene(STATES) for _ in range(page.number(1, 2))]
    return page.title_or_none(scenes[0]) + "\n".join(scene.text(page.language, page.chance) for scene in scenes)


def _questioned(page: Page, scene: Scene, most: int, choose: float = 0.0) -> str:
    asks = scene.questions(page.chance)[: page.number(2, most)]
    exchanges = [page.chosen(ask) if page.odds(choose) else page.asked(ask) for ask in asks]
    return scene.text(page.language, page.chance) + "\n" + page.between().join(exchanges)


def story_questions(page: Page) -> str:
    """A story, then questions on it with their answers."""
    return _questioned(page, page.scene(STORIES), 7)


def description_questions(page: Page) -> str:
    """A description, then questions on it with their answers."""
    return _questioned(page, page.scene(STATES), 8)


def choices(page: Page) -> str:
    """A passage, then questions that name the possible answers."""
    return _questioned(page, page.scene(), 6, 0.8)


def lookup(page: Page) -> str:
    """Facts, then the same facts asked or told again, one after the other: as dense in looking back as text can be."""
    if page.odds(0.4):
        scene = portraits(page.draw(), page.number(2, 5), page.number(1, 2))
    else:
        scene = page.scene(("room", "prices", "amounts", "colours", "week", "forecast", "errands", "gifts"))
    known = scene.known()
    page.chance.shuffle(known)
    lines = []
    style = page.number(0, 3)
    for one in known[:8]:
        if style == 0 or (style == 3 and page.odds(0.5)):
            lines.append(page.tell(one))
            continue
        asks = scene.about(one, page.chance)
        if asks:
            ask = page.one(asks)
            short = capital(ask.short(page.language, page.chance)) + page.stop()
            lines.append(page.joined([ask.text(page.language, page.chance), short]))
    return scene.text(page.language, page.chance, page.odds(0.5)) + "\n" + page.joined(lines, page.odds(0.5))


def plain_lookup(page: Page) -> str:
    """Facts in the plainest wording of each, told again or asked for in the plainest wording too.

    Looking things up is learnt here first, where nothing but the words in the slots changes; `lookup` has all wordings.
    """
    draw = page.draw()
    scene = portraits(draw, page.number(2, 6), page.number(1, 2)) if page.odds(0.7) else page.scene(("room", "prices"))
    known = scene.known()
    page.chance.shuffle(known)
    lines = []
    for one in known[:8]:
        asks = [ask for ask in scene.about(one, page.chance) if ask.role]
        if not asks or page.odds(0.4):
            lines.append(one.sentence(page.language, page.chance, wording=0))
        else:
            ask = page.one(asks)
            asked = one.relation.ask[page.language][ask.role][0].fill(one.roles)
            answer = capital(ask.short(page.language, page.chance)) + page.stop()
            lines.append(page.joined([question(asked, page.language), answer]))
    told = [one.sentence(page.language, page.chance, wording=0) for one in scene.facts()]
    return page.joined(told) + "\n" + page.joined(lines, page.odds(0.5))


def question_first(page: Page) -> str:
    """A question, then the passage that answers it, then the answer."""
    scene = page.scene()
    asks = scene.questions(page.chance)
    if not asks:
        return story(page)
    ask = asks[0]
    question = ask.text(page.language, page.chance)
    return f"{question}\n{scene.text(page.language, page.chance)}\n{page.answer(ask)}"


def dialogue(page: Page) -> str:
    """People who say how it is with them, and then are asked."""
    scene = page.scene(("portraits",))
    who = list(scene.people)
    lines = [page.say("greeting", x=page.word(who[-1]))] if page.odds(0.4) else []
    for telling in scene.told:
        one = telling.fact
        said = one.mine(page.language, page.chance)
        lines.append(page.say("said", a=said, who=page.word(one.roles["who"])))
    asks = [ask for ask in scene.questions(page.chance) if ask.about is not None][: page.number(1, 4)]
    speakers = page.draw()
    asker = speakers.person()
    for ask in asks:
        assert ask.about is not None
        hero = ask.about.roles["who"]
        mate = page.one([person for person in who if person is not hero] or [speakers.person()])
        lines.append(
            page.say(
                "qa_speakers",
                q=ask.text(page.language, page.chance),
                a=capital(ask.short(page.language, page.chance)) + page.stop(),
                x=page.word(asker),
                y=page.word(mate),
            )
        )
    return "\n".join(lines)


def wrong_guesses(page: Page) -> str:
    """A passage, and guesses that are put right."""
    scene = page.scene()
    lines = []
    for ask in scene.questions(page.chance)[:4]:
        if ask.others and isinstance(ask.answer, Word):
            right, wrong = ask.options(page.language, page.chance, 2)
            guess = page.say("wrong_guess", x=right, y=wrong)
            lines.append(page.joined([ask.text(page.language, page.chance), guess]))
    return scene.text(page.language, page.chance) + "\n" + "\n".join(lines)


def judging(page: Page) -> str:
    """A passage, then claims about it, judged."""
    scene = page.scene()
    claims = []
    for found in (scene.true_claims(page.chance), scene.false_claims(page.chance), scene.open_claims(page.chance)):
        claims += page.some(found, 2)
    page.chance.shuffle(claims)
    lines = [page.judged(claim) for claim in claims[: page.number(2, 5)]]
    return scene.text(page.language, page.chance) + "\n" + page.between().join(lines)


def following(page: Page) -> str:
    """What follows from a passage, what it rules out and what it leaves open, said as a matter of fact."""
    scene = page.scene()
    kind = page.one(("follows", "follows", "contradicts", "stays_open"))
    found = {"follows": scene.true_claims, "contradicts": scene.false_claims, "stays_open": scene.open_claims}[kind]
    claims = page.some(found(page.chance), page.number(1, 2))
    text = scene.text(page.language, page.chance)
    if not claims:
        return text
    first = page.say(kind, p=text, c=claims[0].clause(page.language, page.chance))
    rest = [page.say(kind, p="", c=claim.clause(page.language, page.chance)).strip() for claim in claims[1:]]
    return page.joined([first, *(capital(line) for line in rest)])


def retelling(page: Page) -> str:
    """The same said in other words: a sentence, or a whole passage."""
    scene = page.scene()
    if page.odds(0.3) and not any(one.relation.loose for one in scene.facts()):
        first = scene.text(page.language, page.chance, pronouns=False)
        return page.say("same", p=first, r=scene.text(page.language, page.chance, pronouns=False))
    known = [one for one in scene.known() if one.wordings(page.language) > 1 and not one.relation.loose]
    lines = []
    for one in page.some(known, page.number(1, 4)):
        first_wording, second = page.some(range(one.wordings(page.language)), 2)
        told = one.sentence(page.language, page.chance, wording=first_wording)
        lines.append(page.say("same", p=told, r=one.sentence(page.language, page.chance, wording=second)))
    return "\n".join(lines) if lines else scene.text(page.language, page.chance)


def same_or_not(page: Page) -> str:
    """Pairs of sentences that mean the same, or do not."""
    scene = page.scene()
    lines = []
    for one in page.some(
        [one for one in scene.known() if one.wordings(page.language) > 1 and not one.relation.loose], 4
    ):
        first, second = page.some(range(one.wordings(page.language)), 2)
        other = one if page.odds(0.5) else changed(page, scene, one)
        if other is None:
            continue
        told = one.sentence(page.language, page.chance, wording=first)
        again = other.sentence(page.language, page.chance, wording=second if page.odds(0.7) else first)
        same = other is one
        if same and told == again:
            continue
        if page.odds(0.5):
            word = page.say("yes" if same else "no")
            lines.append(page.say("same_question", p=told, r=again, w=word))
        else:
            lines.append(page.say("same" if same else "different", p=told, r=again))
    return "\n".join(lines) if lines else story(page)


def changed(page: Page, scene: Scene, one: Fact) -> Fact | None:
    """The fact with one word changed for another of the scene or of the same kind; None where there is none."""
    asks = [ask for ask in scene.about(one, page.chance) if ask.others]
    if not asks:
        return None
    ask = page.one(asks)
    other = page.one(ask.others)
    return one.having(ask.role, other) if isinstance(other, Word) else None


def summary(page: Page) -> str:
    """A passage and, in short, what it says."""
    scene = page.scene(STORIES)
    return page.say("short", p=scene.text(page.language, page.chance), s=scene.summary(page.language, page.chance))


def asked_summary(page: Page) -> str:
    """Somebody tells a story and is asked for the gist."""
    scene = page.scene(STORIES)
    asker = page.draw().person()
    said = scene.summary(page.language, page.chance)
    asked = page.say("asks_for_text", y=page.word(asker), s=f'"{said}"' if page.language == "en" else f"“{said}”")
    return scene.text(page.language, page.chance) + "\n" + asked


def titled(page: Page) -> str:
    """A passage with its title."""
    scene = page.scene(STORIES)
    return page.say("titled", t=scene.heading(page.language, page.chance), p=scene.text(page.language, page.chance))


def topical(page: Page) -> str:
    """Passages on one topic with its name."""
    topic = page.one(list(lexicon.topics()))
    lines = topic_lines(page, topic)
    return page.say("topic_is", p=lines, t=page.word(lexicon.topics()[topic]))


def topic_lines(page: Page, topic: str) -> str:
    """A short passage on a topic: what people did, and schemas of that topic."""
    scene = topic_scene(page, topic)
    return scene.text(page.language, page.chance)


# Schemas whose topic a reader might see otherwise: a good mark in music is school, or music.
UNCLEAR = frozenset(
    (
        *(
            "good_mark",
            "bad_mark",
            "test_tomorrow",
            "study_hard",
            "no_study",
            "praised",
            "scolded",
            "laughed_at",
            "lie",
        ),
        *("high_tower", "long_wait", "friend_left", "friend_came", "bridge_down", "speed", "wind_kite", "cold_coat"),
        *("bag_hole", "stolen", "found_money", "lost_money", "glasses", "late_bed", "warm_bath", "dog_food", "bee"),
        *("sand_wave", "new_shoes", "dry", "ink", "long_hair", "cart_hill", "frost", "well_rope", "poem", "bike_back"),
        *("holidays", "purse_back", "long_walk", "soup_dress"),
    )
)


def topic_scene(page: Page, topic: str) -> Scene:
    """A scene that is surely about this topic."""
    draw = page.draw()
    if topic == "weather" and draw.odds(0.4):
        return forecast(draw)
    activities = [one for one in lexicon.activities() if one.tags["topic"] == topic]
    plain = topic in ("home", "play", "work")  # what happens at home or at play is too often about something else
    schemas = [] if plain else [one for one in causes() if one.topic == topic and one.name not in UNCLEAR]
    moods = [] if plain else [one for one in feelings() if one.topic == topic and one.name not in UNCLEAR]
    kinds = [name for name, found in (("did", activities), ("mishap", schemas), ("mood", moods)) if found]
    kind = page.one(kinds)
    if kind == "mishap":
        return _only(mishap(draw, schema=page.one(schemas)))
    if kind == "mood":
        return _only(mood(draw, schema=page.one(moods)))
    return _doings(page, activities, topic)


def _only(scene: Scene) -> Scene:
    """The scene without what is told before, which may be of another topic."""
    told = tuple(t for t in scene.told if t.fact.relation.time == "schema" or t.fact.relation.name == "felt")
    return Scene(scene.kind, scene.topic, scene.people, told, scene.gist, asks=scene.asks, title=scene.title)


def _doings(page: Page, activities: list[Word], topic: str) -> Scene:
    draw = page.draw()
    people = draw.people(page.number(1, 3))
    chosen = page.some(activities, len(people) + page.number(0, 1))
    told = [fact("did", who=people[n % len(people)], what=one) for n, one in enumerate(chosen)]
    return Scene("doings", topic, tuple(people), tuple(Telling(one) for one in told), (told[0],), timed=True)


def topic_question(page: Page) -> str:
    """What is it about: this or that?"""
    topics = page.some(list(lexicon.topics()), 3)
    words = [lexicon.topics()[name] for name in topics]
    ask = Ask("topic", words[0], tuple(words[1:]), (), group="topic_ask")
    return topic_lines(page, topics[0]) + "\n" + page.chosen(ask)


def missing_word(page: Page) -> str:
    """Sentences with a gap, after a passage that tells what belongs there."""
    scene = page.scene()
    lines = []
    for one in page.some([one for one in scene.known() if one.relation.time != "schema"], 4):
        role = page.one(one.asked_roles())
        word = one.answer(role, page.language)
        text = page.tell(one)
        if text.count(word) != 1:
            continue
        gap = page.one(("___", "...", "____"))
        lines.append(page.say("text_missing", q=text.replace(word, gap), w=word, p=text))
    return scene.text(page.language, page.chance) + "\n" + "\n".join(lines)


def genre(page: Page) -> str:
    """What kind of text is this?"""
    kinds = {
        "letter": (("a letter", "一封信"), writing.letter),
        "diary": (("a page of a diary", "一页日记"), writing.diary),
        "notice": (("a notice", "一张通知"), writing.notice),
        "review": (("a review", "一篇评论"), writing.review),
        "story": (("a story", "一个故事"), story),
        "list": (("a shopping list", "一张购物单"), writing.shopping_list),
        "talk": (("a talk between people", "一段对话"), writing.small_talk),
    }
    chosen, other = page.some(list(kinds), 2)
    number = 0 if page.language == "en" else 1
    (names, write), (others, _) = kinds[chosen], kinds[other]
    return page.say("genre_is", p=write(page), g=names[number], h=others[number])
