"""What all tests share: real public data where it lies beside the project, and offline Hugging Face libraries."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from tests.tiny import make_model

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# No test reads or writes the developer's own token cache.
os.environ["TUTELAGE_CACHE"] = tempfile.mkdtemp(prefix="tutelage-cache-")

import tutelage  # noqa: F401  (sets the OpenMP variables before torch is imported)

TOPICS = ("the sea", "a red house", "old maps", "three dogs", "猫和狗", "winter", "a long road", "the price of tea")


def pytest_configure(config: pytest.Config) -> None:
    """Property tests try the same examples at every `make test`, and new ones at every `make test-long`."""
    settings.register_profile("steady", derandomize=True, deadline=None)
    settings.register_profile("exploring", deadline=None, max_examples=500)
    settings.load_profile("steady" if config.option.markexpr else "exploring")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data that the developers have beside the project; a user's machine does not, and skips."""
    folder = Path(__file__).parents[1].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the developers' folder of public data is not here")
    return folder


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of 0.1 million random parameters, with a chat template."""
    return make_model(tmp_path_factory.mktemp("models") / "llama")


@pytest.fixture(scope="session")
def rows_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty Alpaca rows of very different lengths, a third of them with a history, some under one long system text."""
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(60):
            topic = TOPICS[number % len(TOPICS)]
            answer = f"{topic} " * (1 + number % 9)
            row: dict[str, object] = {"instruction": f"Write {number} words on {topic}.", "input": "", "output": answer}
            if number % 3 == 0:
                row["history"] = [["Hello!", "Good day to you."], [f"Do you know {topic}?", "I have heard of it."]]
            if number % 4 == 0:
                row["system"] = "You are a patient helper who answers in plain and short words, whatever you are asked."
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path
