"""What a chat template does, found by asking it: conversations of made-up words are rendered, and the words looked for.

Nothing here, or in `chat.py`, looks for markers in anybody's data.
"""

from __future__ import annotations

from dataclasses import dataclass

from tutelage.errors import UserError
from tutelage.records import Message, Part
from tutelage.tokens.rendering import Refused, Renderer
from tutelage.tokens.vocabulary import Vocabulary

# Words that no template trims, splits or means anything by.
QUESTION, ANSWER, NOTE = "uvulopalatal", "xylographic", "quinquennial"


def _message(role: str, text: str) -> Message:
    return Message(role, (Part(text),))


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
    full = renderer.render([*question, _message("assistant", ANSWER)], add_generation_prompt=False)
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
    plain = [_message("user", QUESTION)]
    try:
        renderer.render([*plain, _message("assistant", ANSWER)], add_generation_prompt=False)
    except Refused as refusal:
        with_system = [_message("system", NOTE), *plain]
        try:
            renderer.render([*with_system, _message("assistant", ANSWER)], add_generation_prompt=False)
        except Refused:
            raise UserError(f"The chat template fails on a plain question and answer: {refusal.reason}.") from None
        return with_system
    return plain


def leaves_out(renderer: Renderer, role: str, *, first: bool) -> bool:
    """Whether the template writes nothing of what this role says, at the start of a conversation or later in it.

    A template that raises instead does not leave out: it says so itself when it meets such a conversation.
    """
    said = _message(role, NOTE)
    question, answer = _message("user", QUESTION), _message("assistant", ANSWER)
    messages = [said, question] if first else [question, answer, said, question]
    try:
        return NOTE not in renderer.render(messages, add_generation_prompt=True)
    except Refused:
        return False


def ending(shape: Shape, vocabulary: Vocabulary) -> tuple[str, str | None]:
    """(blanks, stop): the blanks the template writes after an answer, then the token that ends the turn.

    Where the closing does not begin with such a token, its markers are ordinary text to this tokenizer: ("", None), and
    the tokenizer's end token ends the turn.
    """
    found = vocabulary.stops.search(shape.closing)
    if found is None or shape.closing[: found.start()].strip():
        return "", None
    return shape.closing[: found.start()], found.group()
