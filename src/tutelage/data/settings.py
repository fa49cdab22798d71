"""The `data.*` part of a recipe."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from tutelage.settings import Settings

FormatName = Literal["alpaca", "messages", "completion", "text"]


class SourceSettings(Settings):
    """One source of rows."""

    path: Path = Field(description="a file: .json, .jsonl, .txt, each also as .gz")
    format: FormatName | None = Field(None, description="how a row is read; null: detected from the rows and said")
    limit: int | None = Field(None, ge=1, description="use at most so many rows, from the top")


class DataSettings(Settings):
    """What is trained on, and how much of it may be bad."""

    sources: tuple[SourceSettings, ...] = Field((), description="`data=FILE` is short for one source")
    max_quarantine: float = Field(
        0.01, ge=0, le=1, description="stop if more than this share of the rows, and more than 10 rows, are bad"
    )
    validation: float | int | Path | None = Field(
        None, description="rows held back for the validation loss: a share below 1, a number of examples, or a file"
    )
