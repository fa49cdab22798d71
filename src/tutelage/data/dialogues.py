"""Conversations written as flat text: "Human: … Assistant: …" after blank lines (HH-RLHF), or with "### " before.

Bai et al. 2022, "Training a Helpful and Harmless Assistant with Reinforcement Learning from Human Feedback"; the second
style is Guanaco's.
"""

from __future__ import annotations

import re

from tutelage.data.conversations import turn
from tutelage.data.fields import BadRow
from tutelage.records import Message

_ROLES = {"Human": "user", "Assistant": "assistant", "System": "system"}
_STYLES = (
    re.compile(r"\s*### ?(Human|Assistant|System):"),
    re.compile(r"(?:\A\s*|\n\n)(Human|Assistant|System):"),
)


def is_dialogue(text: object) -> bool:
    """Whether a text begins with a speaker of either style, and the assistant speaks in it."""
    return isinstance(text, str) and any(
        style.match(text) and any(mark.group(1) == "Assistant" for mark in style.finditer(text)) for style in _STYLES
    )


def turns_of(text: str) -> tuple[Message, ...]:
    """The turns of a flat text, without the blanks around them. Raises `BadRow` where it does not begin with one.

    >>> [(one.role, one.content[0].text) for one in turns_of("\\n\\nHuman: Hi.\\nYou?\\n\\nAssistant: Hello.")]
    [('user', 'Hi.\\nYou?'), ('assistant', 'Hello.')]
    """
    style = next((style for style in _STYLES if style.match(text)), None)
    if style is None:
        raise BadRow("the text does not begin with a turn, `Human:` or `### Human:`")
    marks = list(style.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return tuple(
        turn(_ROLES[mark.group(1)], text[mark.end() : end].strip()) for mark, end in zip(marks, ends, strict=True)
    )
