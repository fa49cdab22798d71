"""Rows that compare answers, `chosen` with `rejected`: the chosen side, to be learnt like any other answer.

What stands before the answer is a `prompt`, a list of messages, or the beginning of `chosen` itself (HH-RLHF; TRL's
implicit prompt). Of the assistant's turns, the chosen one is learnt, not those before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from tutelage.data import fields
from tutelage.data.alpaca import read_alpaca
from tutelage.data.conversations import conversation, turn
from tutelage.data.dialogues import turns_of
from tutelage.data.fields import BadRow
from tutelage.data.sharegpt import exchanged
from tutelage.records import Completion, Conversation, Message


def read_chosen(row: object) -> Conversation | Completion:
    """The chosen side of a comparison.

    >>> read_chosen({"prompt": "2 + 3 =", "chosen": " 5", "rejected": " 6"})
    Completion(prompt='2 + 3 =', completion=' 5')
    """
    row = fields.mapping(row, "the row")
    chosen = fields.required(row, "chosen")
    for key, read in _PROMPTS.items():
        if row.get(key):
            return read(row, chosen)
    turns = turns_of(chosen) if isinstance(chosen, str) else exchanged(chosen, "field `chosen`")
    return conversation(last_learnt(turns), row)


def last_learnt(turns: Sequence[Message]) -> list[Message]:
    """Of the assistant's turns only the last is learnt, unless they say so themselves."""
    return [
        replace(each, train=place == len(turns) - 1) if each.role == "assistant" and each.train is None else each
        for place, each in enumerate(turns)
    ]


def _after_messages(row: dict[str, object], chosen: object) -> Conversation:
    key = "conversations" if row.get("conversations") else "messages"
    if isinstance(chosen, list) and len(chosen) > 1:  # the whole conversation again
        return conversation(last_learnt(exchanged(chosen, "field `chosen`")), row)
    before = exchanged(row[key], f"field `{key}`")
    return conversation(last_learnt([*before, *_answer(chosen)]), row)


def _after_prompt(row: dict[str, object], chosen: object) -> Conversation | Completion:
    prompt = row["prompt"]
    if isinstance(prompt, list):
        return conversation(
            last_learnt([*exchanged(prompt, "field `prompt`"), *_answer(chosen)]),
            row,
        )
    if isinstance(chosen, list):  # UltraFeedback's: the whole conversation, whose question is the prompt
        turns = exchanged(chosen, "field `chosen`")
        whole = (
            turns if any(each.role == "user" for each in turns) else [turn("user", fields.text(row, "prompt")), *turns]
        )
        return conversation(last_learnt(whole), row)
    return Completion(
        fields.filled(fields.text(row, "prompt"), "the prompt"),
        fields.filled(fields.text(row, "chosen"), "the answer"),
    )


def _after_instruction(row: dict[str, object], chosen: object) -> Conversation:
    return read_alpaca({**row, "output": chosen})


def _answer(chosen: object) -> tuple[Message, ...]:
    if isinstance(chosen, str):
        return (turn("assistant", fields.as_text(chosen, "field `chosen`")),)
    turns = exchanged(chosen if isinstance(chosen, list) else [chosen], "field `chosen`")
    if not turns:
        raise BadRow("the answer is empty")
    return turns


_PROMPTS: dict[str, Callable[[dict[str, object], object], Conversation | Completion]] = {
    "prompt": _after_prompt,
    "instruction": _after_instruction,
    "conversations": _after_messages,
    "messages": _after_messages,
}
