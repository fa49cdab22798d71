"""Stanford Alpaca's rows, LLaMA-Factory's additions to them, and Self-Instruct's, from which they come."""

from __future__ import annotations

from tutelage.data import fields
from tutelage.data.conversations import conversation, turn
from tutelage.data.fields import BadRow
from tutelage.records import Conversation, Message


def read_alpaca(row: object) -> Conversation:
    """Stanford Alpaca's rows (Taori et al. 2023), with LLaMA-Factory's `system` and `history`.

    >>> row = {"instruction": "Add.", "input": "2 3", "output": "5", "history": [["Hi", "Hello"]]}
    >>> [(message.role, message.content[0].text) for message in read_alpaca(row).messages]
    [('user', 'Hi'), ('assistant', 'Hello'), ('user', 'Add.\\n2 3'), ('assistant', '5')]
    """
    row = fields.mapping(row, "the row")
    answer = fields.filled(fields.text(row, "output"), "the answer")
    instruction = fields.filled(fields.text(row, "instruction"), "the instruction")
    given = fields.optional_text(row, "input")
    question = f"{instruction}\n{given}" if given.strip() else instruction
    system = fields.optional_text(row, "system")
    opening = [turn("system", system)] if system.strip() else []
    return conversation([*opening, *_history(row), turn("user", question), turn("assistant", answer)], row)


def instances_of(row: object) -> list[object]:
    """The Alpaca rows in one of Self-Instruct's (Wang et al. 2023): one for each of its `instances`.

    >>> instances_of({"instruction": "Add.", "instances": [{"input": "2 3", "output": "5"}]})
    [{'instruction': 'Add.', 'input': '2 3', 'output': '5'}]
    """
    row = fields.mapping(row, "the row")
    listed = fields.as_list(fields.required(row, "instances"), "field `instances`")
    if not listed:
        raise BadRow("field `instances` is empty")
    instruction = {"instruction": row["instruction"]} if "instruction" in row else {}
    return [{**instruction, **fields.mapping(each, "an instance")} for each in listed]


def _history(row: dict[str, object]) -> list[Message]:
    turns = []
    for pair in fields.as_list(row.get("history") or [], "field `history`"):
        pair = fields.as_list(pair, "a turn in `history`")
        if len(pair) != 2:
            raise BadRow("a turn in `history` is not [question, answer]")
        for role, content in zip(("user", "assistant"), pair, strict=True):
            turns.append(turn(role, fields.as_text(content, "a turn in `history`")))
    return turns
