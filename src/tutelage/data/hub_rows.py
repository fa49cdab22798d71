"""Rows of a data set of the Hugging Face hub, through `datasets`: from its cache on disk, or streamed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tutelage.data.columnar import without_nulls
from tutelage.errors import UserError
from tutelage.hub import go_offline_without_network


@dataclass(frozen=True)
class HubSplit:
    """One split. subset, folder, revision: of the data set; stream: nothing is downloaded before it is read."""

    id: str
    subset: str | None = None
    split: str = "train"
    folder: str | None = None
    revision: str | None = None
    stream: bool = False

    @property
    def name(self) -> str:
        """What reports call it: `owner/name (subset), train`."""
        return f"{self.id} ({self.subset or self.folder}), {self.split}" if self.subset or self.folder else self.id

    def rows(self) -> Iterator[object]:
        """The rows, one by one. Raises `UserError` where the hub, or the data set, can't be had."""
        go_offline_without_network()
        import datasets

        try:
            data = datasets.load_dataset(
                self.id,
                self.subset,
                data_dir=self.folder,
                split=self.split,
                revision=self.revision or self._known[0],
                streaming=self.stream,
            )
            for row in data:
                yield {key: without_nulls(value) for key, value in row.items()}
        except Exception as error:  # whatever the hub, the network or the data set's own files give
            raise UserError(self._refusal(error)) from None

    def fingerprint(self) -> dict[str, Any]:
        """As of a file: what is read hangs on the data set's commit, where the hub can be asked for it."""
        commit = self.revision or self._known[0] or ""
        told = "\n".join([self.id, self.subset or "", self.split, self.folder or "", commit])
        return {"file": self.name, "bytes": 0, "sha256": hashlib.sha256(told.encode()).hexdigest()}

    @property
    def licence(self) -> str | None:
        """What the data set's card says; None where it says nothing, or the hub can't be asked."""
        return self._known[1]

    @cached_property
    def _known(self) -> tuple[str | None, str | None]:
        """The commit and the licence, as the hub has them."""
        go_offline_without_network()
        from huggingface_hub import HfApi

        try:
            info = HfApi().dataset_info(self.id, revision=self.revision)
        except Exception:  # offline, or gated: reading says so, or finds it in the cache
            return None, None
        return info.sha, licence_in({"license": getattr(info.card_data, "license", None)})

    def _refusal(self, error: Exception) -> str:
        why = " ".join(str(error).split())[:200]
        return (
            f"the data set {self.name} can't be had from the hub ({why}); check its name, subset and split, or name a "
            "file on this machine"
        )


def licence_in(card: object) -> str | None:
    """The licence that the head of a data set's card names.

    >>> licence_in({"license": ["cc-by-4.0", "mit"]})
    'cc-by-4.0, mit'
    """
    given = card.get("license") if isinstance(card, dict) else None
    named = [one for one in (given if isinstance(given, list) else [given]) if isinstance(one, str) and one.strip()]
    return ", ".join(named) or None
