"""A Trainer callback for both peers: what they were about to learn, and a line for every step.

`data.json` holds a digest for every row (ids, and where supervision starts), as `benchmarks/shape.py` computes
them; `metrics.jsonl` gets one object a step. When a step ended is for the reader of the file to tell: all systems
are timed from outside in the same way.
"""

import hashlib
import json
from pathlib import Path

from transformers import TrainerCallback


def supervision_start(row: dict) -> int:
    """The first supervised token: TRL says so with a mask, LLaMA-Factory with labels."""
    if "completion_mask" in row:
        return row["completion_mask"].index(1)
    return next(place for place, label in enumerate(row["labels"]) if label != -100)


class Recorder(TrainerCallback):
    """Writes `data.json` when training begins and `metrics.jsonl` as it goes."""

    def __init__(self, folder: str, rows: int) -> None:
        """`rows`: how many rows the run will see."""
        self.folder = Path(folder)
        self.rows = rows

    def on_train_begin(self, args, state, control, train_dataloader=None, **others):  # noqa: D102
        dataset = train_dataloader.dataset
        digests = []
        for place in range(min(self.rows, len(dataset))):
            row = dataset[place]
            text = f"{supervision_start(row)} {list(map(int, row['input_ids']))}"
            digests.append(hashlib.sha256(text.encode()).hexdigest()[:16])
        (self.folder / "data.json").write_text(json.dumps(digests))

    def on_log(self, args, state, control, logs=None, **others):  # noqa: D102
        if "loss" in logs:
            with open(self.folder / "metrics.jsonl", "a") as file:
                file.write(json.dumps({"step": state.global_step, "loss": float(logs["loss"])}) + "\n")
