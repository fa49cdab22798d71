"""What all tests share: real public data where it lies beside the project, and offline Hugging Face libraries."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import tutelage  # noqa: F401  (sets the OpenMP variables before torch is imported)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data that the developers have beside the project; a user's machine does not, and skips."""
    folder = Path(__file__).parents[1].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the developers' folder of public data is not here")
    return folder
