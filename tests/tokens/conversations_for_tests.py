"""Conversations for the tests of this room: short ways to write them, and a strategy that makes them up."""

from __future__ import annotations

from hypothesis import strategies as st

from tutelage.records import Conversation, Message, Part
from tutelage.tokens.chat import ChatFormat
from tutelage.tokens.templates import resolve_template

from .tokenizers_for_tests import tokenizer_of

ROLES = {"s": "system", "u": "user", "a": "assistant", "t": "tool"}


def message(role: str, text: str, train: bool | None = None) -> Message:
    """One turn of one part."""
    return Message(role, (Part(text),), train)


def talk(*turns: str) -> Conversation:
    """`talk("s:Be brief.", "u:Hi", "a:Hello.")`."""
    return Conversation(tuple(message(ROLES[turn[0]], turn[2:]) for turn in turns))


def dictionaries(conversation: Conversation) -> list[dict[str, str]]:
    """As `apply_chat_template` takes them."""
    return [{"role": one.role, "content": "".join(part.text for part in one.content)} for one in conversation.messages]


def chat_of(kind: str, template: str) -> ChatFormat:
    """A named template with a tokenizer of `tokenizers_for_tests.KINDS`."""
    return ChatFormat(tokenizer_of(kind), resolve_template(template, tokenizer_of(kind)))


WORDS = (
    *("hello", "The sea", " is", "  ", " ", "\n", "\n\n", "Paris.", "a", "12"),
    *("你好", "天气", "😀", "👩‍👩‍👧", "é", "### ", ":", "<|", "|>", "[/"),
)
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map("".join)
answers = texts.filter(lambda text: bool(text.strip()))


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    """One to three questions and answers that no template of ours refuses, sometimes after a system text."""
    system = draw(st.lists(texts.map(lambda text: message("system", text)), max_size=1))
    pairs = draw(st.lists(st.tuples(texts, answers), min_size=1, max_size=3))
    turns = [one for pair in pairs for one in (message("user", pair[0]), message("assistant", pair[1]))]
    return Conversation((*system, *turns))
