"""General knowledge, and knowledge about the people and towns of the world: told, asked, guessed, concluded."""

from __future__ import annotations

from tutelage.starter.microworld import knowledge, lexicon, people
from tutelage.starter.microworld.claims import Ask, Claim
from tutelage.starter.microworld.documents.page import Page
from tutelage.starter.microworld.draw import Draw
from tutelage.starter.microworld.lexicon import use_by
from tutelage.starter.microworld.parts import part_of
from tutelage.starter.microworld.records import record
from tutelage.starter.microworld.relations import Fact
from tutelage.starter.microworld.schemas import (
    Pronoun,
    Schema,
    askable,
    askable_pronouns,
    causes,
    clashing,
    feelings,
    pronouns,
    thing_pronouns,
)
from tutelage.starter.microworld.stories import mishap, mood, wish
from tutelage.starter.microworld.wording import Word, capital, pick

# --- kinds of things ---


def encyclopedia(page: Page) -> str:
    """All that is known about one thing, animal, job or place; or one kind of fact about several."""
    if page.odds(0.6):
        return "\n".join(_entry(page) for _ in range(page.number(1, 3)))
    relation = page.one(knowledge.facts()).relation.name
    return page.joined([page.tell(fact) for fact in page.some(knowledge.same_relation(relation), 6)], page.odds(0.4))


def _entry(page: Page) -> str:
    one = page.one(knowledge.facts())
    about = list(knowledge.about(one.roles["x"].key)[:6])
    page.chance.shuffle(about)
    head = capital(page.word(one.roles["x"], "noun")) + "\n" if page.odds(0.3) else ""
    return head + page.joined([page.tell(fact) for fact in about])


def general_ask(page: Page, one: Fact) -> Ask:
    """A question about a general fact; the wrong answers are surely wrong."""
    roles = [
        role
        for role in one.asked_roles()
        if role == "y" or len(knowledge.true_subjects(one.relation.name, one.roles["y"].key)) == 1
    ]
    return general_role_ask(page.draw(), one, page.one(roles or ["y"]))


def general_role_ask(draw: Draw, one: Fact, role: str) -> Ask:
    """The question for that role of a general fact."""
    others = []
    name = one.relation.name
    right = (
        knowledge.true_values(name, one.roles["x"].key)
        if role == "y"
        else knowledge.true_subjects(name, one.roles["y"].key)
    )
    pool = knowledge.same_relation(name)
    answer = one.roles[role]
    seen = {answer.key, *right}
    for _ in range(40):
        word = pick(draw.chance, pool).roles[role]
        if word.key in seen or (role == "x" and _alike(word, answer)):
            continue
        if role == "y" and name == "isa" and word.key == "animal":
            continue
        if role == "y" and name == "trait" and not _surely_wrong(one.roles["x"], word):
            continue
        seen.add(word.key)
        others.append(word)
        if len(others) == 3:
            break
    kind, form = one.relation.roles[role]
    zh = "bare" if kind in ("generic", "class", "job") else form
    return Ask(f"{name}.{role}", answer, tuple(others), (one,), about=one, role=role, form=form, form_zh=zh)


def _alike(word: Word, answer: Word) -> bool:
    return bool(word.tags.get("class")) and word.tags.get("class") == answer.tags.get("class") and word.kind == "thing"


def _surely_wrong(x: Word, trait: Word) -> bool:
    return any(other.key == trait.key for other in knowledge.wrong_traits(x))


def quiz(page: Page) -> str:
    """Questions on what everybody knows, with answers."""
    facts = page.some(knowledge.asked(page.part), page.number(2, 6))
    asks = [general_ask(page, one) for one in facts if one.relation.name != "trait"]
    return page.between().join(page.chosen(ask) if page.odds(0.4) else page.asked(ask) for ask in asks) or encyclopedia(
        page
    )


def true_or_false(page: Page) -> str:
    """Claims about what everybody knows, judged."""
    lines = []
    for one in page.some(knowledge.asked(page.part), page.number(2, 6)):
        claim = general_claim(page.draw(), one, page.odds(0.5))
        if claim is not None:
            lines.append(page.judged(claim))
    return page.between().join(lines) or encyclopedia(page)


def general_claim(draw: Draw, one: Fact, true: bool) -> Claim | None:
    """A claim about a general fact: true as it stands, or false with another value; now and then denied."""
    denied = draw.odds(0.25)
    if true != denied:
        return Claim(one, denied, "yes" if true else "no", (one,))
    ask = general_role_ask(draw, one, "y")
    if not ask.others or not isinstance(ask.others[0], Word):
        return None
    wrong = one.having("y", ask.others[0])
    return Claim(wrong, denied, "yes" if true else "no", (one,))


def conclusion(page: Page) -> str:
    """A thing is of a kind, the kind does so, so the thing does so."""
    lines = []
    for step in page.some(knowledge.steps_of(page.part), page.number(1, 3)):
        a, b, c = (page.clause(one) for one in (step.member, step.rule, step.conclusion))
        lines.append(page.say("therefore", a=a, b=b, c=c))
    return "\n".join(lines)


def riddles(page: Page) -> str:
    """Guess what it is."""
    lines = []
    for _ in range(page.number(1, 3)):
        words = lexicon.animals() if page.odds(0.5) else lexicon.objects()
        word = page.one(words)
        about = [one for one in knowledge.about(word.key) if one.relation.name in RIDDLED]
        it = IT_WORD
        clues = [one.having("x", it) for one in about]
        page.chance.shuffle(clues)
        text = page.joined([_clue(page, one) for one in clues])
        lines.append(page.say("riddle", f=text, a=page.word(word, "a" if page.language == "en" else "bare")))
    return "\n".join(lines)


RIDDLED = ("isa", "can", "eats", "home_of", "made_of", "used_for", "kept_in")
_IT = {"": "it", "a": "it", "s": "it", "noun": "it", "the": "it", "o": "it", "bare": "it"}
IT_WORD = Word("it", "generic", {"en": _IT, "zh": dict.fromkeys(_IT, "它")})
# Of a general fact's wordings, the one that also fits "it".
IT_WORDING = {"isa": 0, "can": 0, "eats": 0, "home_of": 0, "made_of": 0, "used_for": 0, "kept_in": 0}


def _clue(page: Page, one: Fact) -> str:
    return one.sentence(page.language, page.chance, wording=IT_WORDING[one.relation.name])


def opposites(page: Page) -> str:
    """Words that mean the opposite or the same."""
    lines = []
    for _ in range(page.number(2, 5)):
        if page.odds(0.7):
            one = page.one(knowledge.opposites())
            lines.append(page.asked(general_role_ask(page.draw(), one, "y")) if page.odds(0.5) else page.tell(one))
        else:
            a, b = page.one(knowledge.synonyms())
            x, y = page.word(a), page.word(b)
            lines.append(page.say("synonym", a=x, b=y))
    return "\n".join(lines)


# --- people and towns ---


def biography(page: Page) -> str:
    """All that is known about somebody or a town, or some of it."""
    known = page.one(people.people() if page.odds(0.85) else people.towns())
    facts = page.some(known.facts, page.number(3, len(known.facts)))
    style = page.number(0, 3)
    name = page.word(known.word)
    if style == 0:
        own = [one for one in facts if one.roles.get("whom") is None]
        return record(name, own, page.language, page.chance) + (
            "\n" + page.joined([page.tell(one) for one in facts]) if page.odds(0.6) else ""
        )
    lines = []
    for number, one in enumerate(facts):
        pronoun = number > 0 and "who" in one.roles and one.relation.name != "kin" and page.odds(0.4)
        before = facts[number - 1] if number else one
        pronoun = pronoun and before.relation.name != "kin"
        lines.append(one.sentence(page.language, page.chance, "who" if pronoun else ""))
    text = page.joined(lines)
    return page.say("person_is", x=name, s=text) if style == 1 else text


def known_ask(draw: Draw, one: Fact) -> Ask:
    """A closed-book question about somebody; wrong answers come from other people."""
    role = people.asked_role(one)
    answer = one.roles[role]
    others = [word for word in draw.some(people.values(one.relation.name, role), 8) if word.key != answer.key]
    if answer.kind == "person":
        others = [word for word in others if word.tags["gender"] == answer.tags["gender"]]
    barred = {word.key for word in one.roles.values()}
    kind, form = one.relation.roles[role]
    zh = "bare" if kind in ("generic", "class", "job") else form
    wrong = tuple(word for word in others if word.key not in barred)[:3]
    return Ask(f"{one.relation.name}.{role}", answer, wrong, (one,), about=one, role=role, form=form, form_zh=zh)


def people_quiz(page: Page) -> str:
    """Questions on people and towns of this part, with answers."""
    lines = []
    for _ in range(page.number(2, 5)):
        known = page.one(people.everybody(page.part))
        for one in page.some(known.facts, page.number(1, 2)):
            ask = known_ask(page.draw(), one)
            lines.append(page.chosen(ask) if page.odds(0.25) else page.asked(ask))
    return page.between().join(lines)


def people_list(page: Page) -> str:
    """One kind of fact about several people."""
    known = page.some(people.people() if page.odds(0.8) else people.towns(), page.number(3, 7))
    number = page.number(0, len(known[0].facts) - 1)
    return page.joined([page.tell(one.facts[number]) for one in known], page.odds(0.5))


# --- schemas ---


def filled(draw: Draw, schema: Schema, who: Word | None = None) -> dict[str, Word]:
    """Words for a schema."""
    return draw.fill(schema.name, schema.slots, who or draw.person())


def cause_telling(page: Page) -> str:
    """Why things happen: causes and effects in a row, each schema as likely."""
    scenes = [mishap(page.draw(), schema=page.one(causes())) for _ in range(page.number(1, 3))]
    return page.joined([scene.text(page.language, page.chance) for scene in scenes], page.odds(0.5))


def cause_asking(page: Page) -> str:
    """What happens then, why it happened: asked, with a wrong idea beside the right one."""
    lines = []
    for _ in range(page.number(1, 3)):
        draw = page.draw()
        schema = page.one(askable("causes", page.part))
        assert schema.second is not None
        who = draw.person()
        roles = filled(draw, schema, who)
        cause, effect = Fact(schema.first, roles), Fact(schema.second, roles)
        wrong = page.one(
            [
                one
                for one in askable("causes", page.part)
                if one.name not in clashing(schema.name) and one.topic != schema.topic
            ]
        )
        assert wrong.second is not None
        other = filled(draw, wrong, who)
        if page.odds(0.5):
            texts = {"a": page.clause(cause), "x": page.clause(effect), "y": page.clause(Fact(wrong.second, other))}
            lines.append(page.say("likely", **texts))
        else:
            texts = {"b": page.clause(effect), "x": page.clause(cause), "y": page.clause(Fact(wrong.first, other))}
            lines.append(page.say("cause_likely", **texts))
    return "\n".join(lines)


def feeling_telling(page: Page) -> str:
    """What happened to people and how they felt."""
    scenes = [mood(page.draw(), schema=page.one(feelings())) for _ in range(page.number(1, 3))]
    return page.joined([scene.text(page.language, page.chance) for scene in scenes], page.odds(0.5))


def feeling_asking(page: Page) -> str:
    """What happened to people, and how they must have felt."""
    lines = []
    for _ in range(page.number(1, 4)):
        draw = page.draw()
        schema = page.one(askable("feelings", page.part))
        who = draw.person()
        event = Fact(schema.first, filled(draw, schema, who))
        right = pick(draw.chance, schema.feelings)
        wrong = pick(draw.chance, [word for word in lexicon.feelings() if word.tags["tone"] != right.tags["tone"]])
        good = right.tags["tone"] == "good"
        kind = ("good" if good else "bad") if page.language == "en" else ("好" if good else "坏")
        texts = {"a": page.clause(event), "p": page.word(who), "x": page.word(right), "y": page.word(wrong), "g": kind}
        lines.append(page.say("feeling_ask", **texts))
    return "\n".join(lines)


def purposes(page: Page) -> str:
    """What people take, or where they go, for what they want to do."""
    scenes = [wish(page.draw()) for _ in range(page.number(1, 3))]
    return page.joined([scene.text(page.language, page.chance) for scene in scenes], page.odds(0.5))


def advice(page: Page) -> str:
    """What should I take, where should I go? Asked by somebody who wants something."""
    lines = []
    for _ in range(page.number(1, 3)):
        things = page.odds(0.6)
        words = lexicon.objects() if things else lexicon.places()
        asked = [word for word in words if part_of("use", word.key) == page.part]
        word = page.one(asked)
        same = word.tags["class"] if things else ""
        others = [
            one for one in asked if one.tags["use"] != word.tags["use"] and (not things or one.tags["class"] != same)
        ]
        wrong = page.one(others)
        use = use_by(lexicon.uses("thing" if things else "place")[word.key], "i")
        form = "a" if things else "to"
        said = [one.forms[page.language].get(form if page.language == "en" else "", "") for one in (word, wrong)]
        name = "advice_thing" if things else "advice_place"
        lines.append(page.say(name, u=page.word(use), x=said[0], y=said[1]))
    return "\n".join(lines)


# --- pronouns ---


def pronoun_case(draw: Draw, schema: Pronoun) -> dict[str, Word]:
    """The two people or things of a pronoun schema."""
    if schema.slots:
        return draw.fill(schema.family, schema.slots)
    one, other = draw.people(2, "m" if draw.odds(0.5) else "f")
    return {"a": one, "b": other}


LINKS = {"because": "因为", "but": "但是", "so": "所以", "and": "后来"}
IT = Word("it", "thing", {"en": {"": "it", "the": "it"}, "zh": {"": "它", "the": "它"}})


def pronoun_sentence(page: Page, schema: Pronoun, roles: dict[str, Word]) -> str:
    """The sentence with the pronoun in it."""
    people_ = not schema.slots
    he = lexicon.PRONOUNS[roles["a"].tags["gender"]] if people_ else IT
    main = Fact(schema.main, roles).clause(page.language, page.chance)
    said = Fact(schema.clause, {"p": he}).clause(page.language, page.chance)
    link = schema.link if page.language == "en" else LINKS[schema.link]
    comma = "," if schema.link in ("but", "so") and page.language == "en" else ""
    return page.ended(f"{main}{comma} {link} {said}" if page.language == "en" else f"{main}，{link}{said}")


def pronoun_telling(page: Page) -> str:
    """Sentences with a pronoun, and the same with the name in its place. Any schema may be told, but only this part's
    are resolved.
    """
    lines = []
    for _ in range(page.number(1, 4)):
        asked = page.odds(0.75)
        people_ = page.odds(0.75)
        kind = "people" if people_ else "things"
        schemas = askable_pronouns(kind, page.part) if asked else (pronouns() if people_ else thing_pronouns())
        schema = page.one(schemas)
        roles = pronoun_case(page.draw(), schema)
        text = pronoun_sentence(page, schema, roles)
        lines.append(_resolved(page, schema, roles, text, page.odds(0.5)) if asked else text)
    return "\n".join(lines)


def _resolved(page: Page, schema: Pronoun, roles: dict[str, Word], text: str, ask: bool) -> str:
    names = list(roles)
    meant, other = roles[schema.means], roles[next(name for name in names if name != schema.means)]
    he = page.word(lexicon.PRONOUNS[meant.tags["gender"]] if not schema.slots else IT)
    clause = Fact(schema.clause, {"p": meant}).clause(page.language, page.chance)
    texts = {"s": text, "p": he, "x": page.word(meant), "y": page.word(other)}
    if not ask:
        return page.say("means_pronoun", c=clause, **texts)
    who = ("who" if not schema.slots else "what") if page.language == "en" else ("谁" if not schema.slots else "什么")
    unknown = Word("who", "person", {"en": {"": who, "the": who}, "zh": {"": who, "the": who}})
    return page.say("ask_pronoun", w=Fact(schema.clause, {"p": unknown}).clause(page.language, page.chance), **texts)
