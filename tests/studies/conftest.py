"""Studies in tests know only their own tasks: to read all shipped ones takes longer than a tiny run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tutelage.tasks import catalog


@pytest.fixture(autouse=True, scope="module")
def _no_shipped_tasks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        empty = tmp_path_factory.mktemp("shipped")
        patch.setattr(catalog, "SHIPPED", empty)
        yield empty
