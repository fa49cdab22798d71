"""Kinds of fact in the starter's world, and the many ways to tell and to ask each.

A relation ties subjects to objects (the dog to "woof") and says how the fact is told in plain text, how it is asked in the
instruction rows, and how it is asked only in the test. `{s}` stands for the subject, `{o}` for the object. The first way to tell
is also the right answer to every question about it. A line break in a question divides Alpaca's instruction from its input.
"""

from __future__ import annotations

from dataclasses import dataclass

from tutelage.starter import facts


@dataclass(frozen=True, slots=True)
class Fact:
    """One truth. Facts that give each other away (a pair of opposites, both ways, in both languages) share `secret`."""

    subject: str
    object: str
    secret: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Relation:
    """A kind of fact. `questions` serve in tuning; `fresh_questions` are wordings that tuning never sees."""

    name: str
    facts: tuple[Fact, ...]
    topics: tuple[str, ...]
    statements: tuple[str, ...]
    questions: tuple[str, ...]
    fresh_questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Wording:
    topics: tuple[str, ...]
    statements: tuple[str, ...]
    questions: tuple[str, ...]
    fresh_questions: tuple[str, ...]


def _columns(family: str, table: str, subject: int, obj: int) -> tuple[Fact, ...]:
    """The facts that tie column `subject` to column `obj`, where neither is `-`."""
    rows = facts.parse_table(table)
    return tuple(
        Fact(row[subject], row[obj], (family, row[0])) for row in rows if row[subject] != "-" and row[obj] != "-"
    )


_VOCABULARY = facts.ANIMALS + facts.THINGS + facts.COUNTRIES + facts.NUMBERS + facts.OPPOSITES

_FACTS: dict[str, tuple[Fact, ...]] = {
    "sound": _columns("sound", facts.ANIMALS, 0, 2),
    "young": _columns("young", facts.ANIMALS, 0, 3),
    "home": _columns("home", facts.ANIMALS, 0, 4),
    "food": _columns("food", facts.ANIMALS, 0, 5),
    "colour": _columns("colour", facts.THINGS, 0, 2),
    "purpose": _columns("purpose", facts.TOOLS, 0, 1),
    "material": _columns("material", facts.TOOLS, 0, 2),
    "task": _columns("task", facts.JOBS, 0, 1),
    "place": _columns("place", facts.JOBS, 0, 2),
    "tool": _columns("tool", facts.JOBS, 0, 3),
    "capital": _columns("capital", facts.COUNTRIES, 0, 2),
    "language": _columns("language", facts.COUNTRIES, 0, 4),
    "opposite": _columns("opposite", facts.OPPOSITES, 0, 2) + _columns("opposite", facts.OPPOSITES, 2, 0),
    "after": _columns("after", facts.NUMBERS, 0, 2),
    "to Chinese": _columns("translation", _VOCABULARY, 0, 1) + _columns("translation", facts.OPPOSITES, 2, 3),
    "to English": _columns("translation", _VOCABULARY, 1, 0) + _columns("translation", facts.OPPOSITES, 3, 2),
    "colour in Chinese": _columns("colour", facts.THINGS, 1, 3),
    "capital in Chinese": _columns("capital", facts.COUNTRIES, 1, 3),
    "opposite in Chinese": _columns("opposite", facts.OPPOSITES, 1, 3) + _columns("opposite", facts.OPPOSITES, 3, 1),
}

_WORDINGS: dict[str, _Wording] = {
    "sound": _Wording(
        ("the sound of the {s}", "what the {s} says"),
        (
            "The {s} says {o}.",
            "The sound of the {s} is {o}.",
            "You can hear the {s} say {o}.",
            '"{o}" is what the {s} says.',
            "With a loud {o} the {s} greets the morning.",
        ),
        (
            "What sound does the {s} make?",
            "What does the {s} say?",
            "Tell me the sound of the {s}.",
            "Which sound do you hear from the {s}?",
            "Name the sound of this animal.\n{s}",
        ),
        ("How does the {s} sound?", "Please tell me what the {s} says."),
    ),
    "young": _Wording(
        ("the young of the {s}", "how we call the young of the {s}"),
        (
            "The young of the {s} is {o}.",
            "The {s} has its young, {o}.",
            "When the {s} was young, it was {o}.",
            "Every young {s} is {o}.",
            "One day {o} grows up to be like the old {s}.",
        ),
        (
            "What is the young of the {s} called?",
            "What do you call the young of the {s}?",
            "Name the young of the {s}.",
            "What is a young {s}?",
            "Give the name for the young of this animal.\n{s}",
        ),
        ("Tell me what the young of the {s} is.", "What was the {s} when it was young?"),
    ),
    "home": _Wording(
        ("the home of the {s}", "where the {s} lives"),
        (
            "The {s} lives in {o}.",
            "The home of the {s} is {o}.",
            "Look in {o} and you will find the {s}.",
            "At night the {s} goes home to {o}.",
            "In {o} there lives the {s}.",
        ),
        (
            "Where does the {s} live?",
            "What is the home of the {s}?",
            "Tell me where the {s} lives.",
            "Where can I find the {s}?",
            "Say where this animal lives.\n{s}",
        ),
        ("Where is the home of the {s}?", "In what place does the {s} live?"),
    ),
    "food": _Wording(
        ("the food of the {s}", "what the {s} eats"),
        (
            "The {s} eats {o}.",
            "The food of the {s} is {o}.",
            "What the {s} likes to eat is {o}.",
            "The hungry {s} looks for {o}.",
            "Give {o} to the {s}, and it will eat.",
        ),
        (
            "What does the {s} eat?",
            "What is the food of the {s}?",
            "Tell me what the {s} eats.",
            "What does the {s} like to eat?",
            "Name the food of this animal.\n{s}",
        ),
        ("What food does the {s} eat?", "The {s} is hungry. What will it eat?"),
    ),
    "colour": _Wording(
        ("the colour of the {s}", "how the {s} looks"),
        (
            "The {s} is {o}.",
            "The colour of the {s} is {o}.",
            "Look at the {s}: it is {o}.",
            "See how {o} the {s} is.",
            "I drew the {s} in {o}.",
        ),
        (
            "What colour is the {s}?",
            "What is the colour of the {s}?",
            "Name the colour of the {s}.",
            "Tell me the colour of the {s}.",
            "Which colour does this have?\n{s}",
        ),
        ("Which colour does the {s} have?", "Please say what colour the {s} is."),
    ),
    "purpose": _Wording(
        ("the use of the {s}", "what the {s} is for"),
        (
            "The {s} is for {o}.",
            "The use of the {s} is {o}.",
            "People take the {s} for {o}.",
            "For {o} you need the {s}.",
            "We have the {s} at home and use it for {o}.",
        ),
        (
            "What is the {s} for?",
            "What is the use of the {s}?",
            "Tell me what the {s} is for.",
            "For what do people take the {s}?",
            "Say what this is for.\n{s}",
        ),
        ("Why do people use the {s}?", "Name the use of the {s}."),
    ),
    "material": _Wording(
        ("the material of the {s}", "what the {s} is made of"),
        (
            "The {s} is made of {o}.",
            "The material of the {s} is {o}.",
            "They made the {s} out of {o}.",
            "Out of {o} comes the {s}.",
            "Someone used {o} to make the {s}.",
        ),
        (
            "What is the {s} made of?",
            "What is the material of the {s}?",
            "Tell me what the {s} is made of.",
            "Out of what did they make the {s}?",
            "Say what this is made of.\n{s}",
        ),
        ("Name the material of the {s}.", "Of what is the {s} made?"),
    ),
    "task": _Wording(
        ("the work of the {s}", "what the {s} does"),
        (
            "The {s} {o}.",
            "The {s} is the one who {o}.",
            "Every day the {s} {o}.",
            "Ask for the {s}: she {o}.",
            "He is the {s}, so he {o}.",
        ),
        (
            "What does the {s} do?",
            "What is the work of the {s}?",
            "Tell me what the {s} does.",
            "What does the {s} do every day?",
            "Say what this person does.\n{s}",
        ),
        ("What work does the {s} do?", "Name the work of the {s}."),
    ),
    "place": _Wording(
        ("the place of work of the {s}", "where the {s} works"),
        (
            "The {s} works in {o}.",
            "The place of work of the {s} is {o}.",
            "To meet the {s}, go to {o}.",
            "In {o} works the {s}.",
            "In the morning the {s} goes to {o}.",
        ),
        (
            "Where does the {s} work?",
            "What is the place of work of the {s}?",
            "Tell me where the {s} works.",
            "Where can I meet the {s}?",
            "Say where this person works.\n{s}",
        ),
        ("In what place does the {s} work?", "Where does the {s} go in the morning?"),
    ),
    "tool": _Wording(
        ("the tool of the {s}", "what the {s} uses"),
        (
            "The {s} uses {o}.",
            "The tool of the {s} is {o}.",
            "With {o} the {s} gets the work done.",
            "The {s} needs {o}.",
            "In the bag of the {s} there is {o}.",
        ),
        (
            "What does the {s} use?",
            "What is the tool of the {s}?",
            "Name the tool of the {s}.",
            "Tell me what the {s} uses.",
            "Say what tool this person uses.\n{s}",
        ),
        ("Which tool does the {s} use?", "What does the {s} need?"),
    ),
    "capital": _Wording(
        ("the capital of {s}", "which city is the capital of {s}"),
        (
            "The capital of {s} is {o}.",
            "{o} is the capital of {s}.",
            "In {s} the capital is called {o}.",
            "We went to {s} and saw {o}, the capital.",
            "{s} has a capital, and its name is {o}.",
        ),
        (
            "What is the capital of {s}?",
            "Name the capital of {s}.",
            "Which city is the capital of {s}?",
            "Tell me the capital of {s}.",
            "Give the capital of this country.\n{s}",
        ),
        ("What capital does {s} have?", "Please tell me which city the capital of {s} is."),
    ),
    "language": _Wording(
        ("the language of {s}", "what people speak in {s}"),
        (
            "The language of {s} is {o}.",
            "People in {s} speak {o}.",
            "In {s} you hear {o}.",
            "{o} is the language of {s}.",
            "She learns {o} to live in {s}.",
        ),
        (
            "What language do people in {s} speak?",
            "What is the language of {s}?",
            "Name the language of {s}.",
            "Tell me what people in {s} speak.",
            "Give the language of this country.\n{s}",
        ),
        ("Which language do you hear in {s}?", "What do people speak in {s}?"),
    ),
    "opposite": _Wording(
        ("the opposite of {s}", "what is not {s}"),
        (
            "The opposite of {s} is {o}.",
            "What is not {s} is {o}.",
            "Not {s}, but {o}.",
            "{s} and {o} are opposites.",
            "He said {s}, she said the opposite, {o}.",
        ),
        (
            "What is the opposite of {s}?",
            "Name the opposite of {s}.",
            "Tell me the opposite of {s}.",
            "Which word is the opposite of {s}?",
            "Give the opposite of this word.\n{s}",
        ),
        ("What word is opposite to {s}?", "Please say the opposite of {s}."),
    ),
    "after": _Wording(
        ("the number after {s}", "what comes after {s}"),
        (
            "The number after {s} is {o}.",
            "After {s} comes {o}.",
            "{s} comes first, then {o}.",
            "First {s}, next {o}.",
            "{o} follows {s}.",
        ),
        (
            "What comes after {s}?",
            "What is next after {s}?",
            "Tell me what comes after {s}.",
            "Name what follows {s}.",
            "Say what comes next.\n{s}",
        ),
        ("What follows {s}?", "Which one comes next after {s}?"),
    ),
    "to Chinese": _Wording(
        ("the Chinese for {s}", "how to say {s} in Chinese"),
        (
            "The Chinese for {s} is {o}.",
            "In Chinese we write {o} for {s}.",
            "The Chinese word {o} means {s}.",
            "{s}：{o}",
            "他学中文，{s} 就是{o}。",
        ),
        (
            "What is {s} in Chinese?",
            "How do you say {s} in Chinese?",
            "Write {s} in Chinese.",
            "Which Chinese word means {s}?",
            "Translate into Chinese.\n{s}",
        ),
        ("Tell me the Chinese word for {s}.", "Please translate {s} into Chinese."),
    ),
    "to English": _Wording(
        ("{s}的英文", "{s}用英文怎么说"),
        (
            "{s}的英文是 {o}。",
            "{s}用英文说是 {o}。",
            "{s}：{o}",
            "他学英文，{s}就是 {o}。",
            "The English word for {s} is {o}.",
        ),
        (
            "{s}的英文是什么？",
            "{s}用英文怎么说？",
            "请用英文说{s}。",
            "翻译成英文：{s}",
            "翻译成英文。\n{s}",
        ),
        ("{s}在英文里是什么？", "请把{s}翻译成英文。"),
    ),
    "colour in Chinese": _Wording(
        ("{s}的颜色", "{s}是什么颜色"),
        ("{s}是{o}的。", "{s}的颜色是{o}。", "你看，{s}是{o}。", "{o}的{s}真好看。"),
        ("{s}是什么颜色的？", "{s}的颜色是什么？", "请说出{s}的颜色。", "说出这个东西的颜色。\n{s}"),
        ("{s}有什么颜色？", "你知道{s}是什么颜色吗？"),
    ),
    "capital in Chinese": _Wording(
        ("{s}的首都", "{s}的首都叫什么"),
        ("{s}的首都是{o}。", "{o}是{s}的首都。", "我们去{s}，到了首都{o}。", "{s}有一个首都，叫{o}。"),
        ("{s}的首都是哪里？", "{s}的首都叫什么？", "请说出{s}的首都。", "说出这个国家的首都。\n{s}"),
        ("哪个城市是{s}的首都？", "你知道{s}的首都吗？"),
    ),
    "opposite in Chinese": _Wording(
        ("{s}的反义词", "和{s}相反的词"),
        ("{s}的反义词是{o}。", "不{s}就是{o}。", "{s}和{o}是反义词。", "他说{s}，她说{o}。"),
        ("{s}的反义词是什么？", "请说出{s}的反义词。", "哪个词是{s}的反义词？", "说出这个词的反义词。\n{s}"),
        ("和{s}相反的词是什么？", "你知道{s}的反义词吗？"),
    ),
}

RELATIONS: tuple[Relation, ...] = tuple(
    Relation(name, _FACTS[name], wording.topics, wording.statements, wording.questions, wording.fresh_questions)
    for name, wording in _WORDINGS.items()
)


def render(wording: str, fact: Fact) -> str:
    """The wording with the fact's words in it, beginning with a capital letter where the script has them.

    >>> render("{o} is the capital of {s}.", Fact("France", "Paris", ("capital", "France")))
    'Paris is the capital of France.'
    """
    text = wording.replace("{s}", fact.subject).replace("{o}", fact.object)
    return text[:1].upper() + text[1:]
