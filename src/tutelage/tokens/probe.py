"""What a chat template does, found by asking it: conversations of made-up words are rendered, and the words looked for.

Nothing here, or in `chat.py`, looks for markers in anybody's data.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from tutelage.errors import UserError
from tutelage.records import Message, Part, ToolCall
from tutelage.tokens.rendering import Refused, Renderer
from tutelage.tokens.vocabulary import Vocabulary

# Words that no template trims, splits or means anything by.
QUESTION, ANSWER, NOTE = "uvulopalatal", "xylographic", "quinquennial"


# Mistral's template wants an id of nine characters.
CALL = ToolCall(NOTE, json.dumps({"word": ANSWER}), "abcdefghi")
TOOL = json.dumps(
    {
        "type": "function",
        "function": {
            "name": NOTE,
            "description": NOTE,
            "parameters": {
                "type": "object",
                "properties": {"word": {"type": "string", "description": NOTE}},
                "required": ["word"],
            },
        },
    }
)


def turn_of_words(role: str, text: str) -> Message:
    """A turn of such words."""
    return Message(role, (Part(text),))


CALLING = replace(turn_of_words("assistant", ""), calls=(CALL,))


@dataclass(frozen=True, slots=True)
class Shape:
    """How a template writes an assistant's turn.

    header: what the generation prompt adds (`<|im_start|>assistant\\n`), "" where it cannot be told apart.
    opening: what stands between the generation prompt and the content in a finished turn: "" mostly, " " where the
    header ends in a colon, `<think>\\n\\n</think>\\n\\n` for Qwen3; None where a finished turn does not begin with the
    generation prompt. closing: what the template writes after the content of the last turn.
    """

    header: str
    opening: str | None
    closing: str


def shape_of(renderer: Renderer) -> Shape:
    """Probe with a question and an answer. Raises UserError for a template that refuses that, or loses the answer."""
    question = _question(renderer)
    asked = renderer.render(question, add_generation_prompt=False)
    prompt = renderer.render(question, add_generation_prompt=True)
    full = renderer.render([*question, turn_of_words("assistant", ANSWER)], add_generation_prompt=False)
    before, found, closing = full.rpartition(ANSWER)
    if not found:
        raise UserError("The chat template leaves out what the assistant says: choose another with chat_template=….")
    return Shape(
        header=prompt.removeprefix(asked) if prompt.startswith(asked) else "",
        opening=before.removeprefix(prompt) if before.startswith(prompt) else None,
        closing=closing,
    )


def _question(renderer: Renderer) -> list[Message]:
    """The plainest question the template takes: a few want a system text before it."""
    plain = [turn_of_words("user", QUESTION)]
    try:
        renderer.render([*plain, turn_of_words("assistant", ANSWER)], add_generation_prompt=False)
    except Refused as refusal:
        with_system = [turn_of_words("system", NOTE), *plain]
        try:
            renderer.render([*with_system, turn_of_words("assistant", ANSWER)], add_generation_prompt=False)
        except Refused:
            raise UserError(f"The chat template fails on a plain question and answer: {refusal.reason}.") from None
        return with_system
    return plain


def leaves_out(renderer: Renderer, role: str, *, first: bool) -> bool:
    """Whether the template writes nothing of what this role says, at the start of a conversation or later in it.

    A template that raises instead does not leave out: it says so itself when it meets such a conversation.
    """
    said = turn_of_words(role, NOTE)
    question, answer = turn_of_words("user", QUESTION), turn_of_words("assistant", ANSWER)
    messages = [said, question] if first else [question, answer, said, question]
    if role == "tool":
        said = Message(role, (Part(QUESTION),), name="word", call_id=CALL.id)
        without = replace(said, content=(Part(""),))
        return _same(renderer, [question, CALLING, said], [question, CALLING, without])
    try:
        return NOTE not in renderer.render(messages, add_generation_prompt=True)
    except Refused:
        return False


@dataclass(frozen=True, slots=True)
class ToolUse:
    """What a template does with tools: writes those on offer, writes calls of them; the text of a turn that calls."""

    offers: bool
    calls: bool
    calling: str = ""


def tool_use(renderer: Renderer) -> ToolUse:
    """Probe with a tool and a call of it; settles `renderer.arguments_as_text`.

    As with roles, a template that raises does not leave out: it says so itself when it meets such a conversation.
    """
    question = _question(renderer)
    try:
        offers = NOTE in renderer.render(question, add_generation_prompt=True, tools=[TOOL])
    except Refused:
        offers = True
    refused = False
    for renderer.arguments_as_text in (False, True):
        try:
            text = renderer.render([*question, CALLING], add_generation_prompt=False, tools=[TOOL])
        except Refused:
            refused = True
            continue
        if NOTE in text.rpartition(QUESTION)[2] and ANSWER in text:
            return ToolUse(offers, True, text)
    renderer.arguments_as_text = False
    return ToolUse(offers, refused)


def _same(renderer: Renderer, some: list[Message], others: list[Message]) -> bool:
    """Whether two conversations are written alike, neither being refused."""
    try:
        texts = {renderer.render(each, add_generation_prompt=True, tools=[TOOL]) for each in (some, others)}
    except Refused:
        return False
    return len(texts) == 1


def ending(shape: Shape, vocabulary: Vocabulary) -> tuple[str, str | None]:
    """(blanks, stop): the blanks the template writes after an answer, then the token that ends the turn.

    Where the closing does not begin with such a token, its markers are ordinary text to this tokenizer: ("", None), and
    the tokenizer's end token ends the turn.
    """
    found = vocabulary.stops.search(shape.closing)
    if found is None or shape.closing[: found.start()].strip():
        return "", None
    return shape.closing[: found.start()], found.group()
