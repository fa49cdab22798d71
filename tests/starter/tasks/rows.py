"""What tests read in a row, and the row as an item of its task's file."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tutelage import starter
from tutelage.starter.microworld.wording import Language
from tutelage.starter.tasks.making import Row
from tutelage.tasks.files import read_task
from tutelage.tasks.task import Item, Task

CATALOG = Path(starter.__file__).parent / "tasks" / "catalog"


def text(row: Row, field: str) -> str:
    value = row[field]
    assert isinstance(value, str)
    return value


def texts(row: Row, field: str) -> list[str]:
    """The texts of a field that may hold one or several."""
    value = row[field]
    return list(value) if isinstance(value, list) else [str(value)]


def place(row: Row) -> int:
    """The place of the right label or option."""
    label = row["label"]
    assert isinstance(label, int)
    return label


def options(row: Row) -> list[str]:
    return texts(row, "options")


def right(row: Row) -> str:
    return options(row)[place(row)]


def wrong(row: Row) -> list[str]:
    return [option for number, option in enumerate(options(row)) if number != place(row)]


def said(row: Row) -> tuple[str, ...]:
    """All that a row says but its label and the order of its options."""
    return tuple(
        str(sorted(value) if isinstance(value, list) else value) for key, value in row.items() if key != "label"
    )


@cache
def task(name: str, language: Language) -> Task:
    """The task's file."""
    return read_task(CATALOG / f"starter_{name}{'_zh' if language == 'zh' else ''}.yaml")


def item(asked: Task, row: Row) -> Item:
    """The row as the task's item, by the names of its fields."""
    choices = asked.choices if isinstance(asked.choices, tuple) else tuple(options(row)) if asked.choices else ()
    fields = {field: row[column] for field, column in asked.fields.items()}
    references = tuple(texts(row, asked.references.strip("[]"))) if asked.references else ()
    return Item(asked.name, "test", 0, fields, choices, (place(row),) if choices else (), references)
