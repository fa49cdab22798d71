"""A small catalog in which a hold-out study makes sense, and a model for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.tiny import make_model, make_tokenizer
from tutelage.run.recipe import build_settings
from tutelage.studies.settings import HoldOut

TASK = """
name: {name}
clusters: [{cluster}]
source: {{files: {{train: {name}_train.jsonl, test: {name}_test.jsonl}}}}
splits: {{train: train, test: test}}
fields: {{word: word}}
choices: ["yes", "no"]
answer: "0 if label else 1"
plain:
  - {{id: plain, prompt: "{{{{ word }}}} {name}?"}}
templates:
  - {{id: ask, prompt: "Is {{{{ word }}}} {name}? {{{{ options }}}}", options: inline}}
  - {{id: tell, prompt: "Tell me if {{{{ word }}}} is {name}:"}}
  - {{id: say, prompt: "{name}: {{{{ word }}}}. Say yes or no."}}
  - {{id: turn, prompt: "Name something that is {name}: {{{{ answer }}}}", target: "{{{{ word }}}}", turned: true}}
"""
FREE = """
name: {name}
clusters: [{cluster}]
source: {{files: {{train: {name}_train.jsonl, test: {name}_test.jsonl}}}}
splits: {{train: train, test: test}}
fields: {{passage: "'Here is ' ~ word ~ '.'"}}
references: word
metrics: [exact_match, f1]
max_tokens: 4
templates:
  - {{id: copy, prompt: "{{{{ passage }}}} What is here?"}}
  - {{id: once, prompt: "{{{{ passage }}}} Here is"}}
"""
# By name: the cluster and the form.
CATALOG = {
    "wet": ("weather", TASK),
    "cold": ("weather", TASK),
    "big": ("size", TASK),
    "tall": ("size", TASK),
    "again": ("copying", FREE),
}


def make_catalog(folder: Path, rows: int = 8) -> Path:
    """Five tasks in three clusters."""
    folder.mkdir(parents=True)
    for name, (cluster, form) in CATALOG.items():
        (folder / f"{name}.yaml").write_text(form.format(name=name, cluster=cluster), "utf-8")
        for split in ("train", "test"):
            lines = [{"word": f"{name}{number}{split[1]}", "label": number % 2 == 0} for number in range(rows)]
            text = "".join(json.dumps(line) + "\n" for line in lines)
            (folder / f"{name}_{split}.jsonl").write_text(text, "utf-8")
    return folder


def make_base(folder: Path) -> Path:
    """A tiny model without a chat template."""
    return make_model(folder, tokenizer=make_tokenizer(chat_template=None), width=32)


def recipe(model: Path, tasks: Path, output: Path, /, **values: Any) -> HoldOut:
    """A study of a few steps; `tune__train__epochs=1` stands for `tune.train.epochs=1`."""
    settled: dict[str, Any] = {
        "kind": "holdout",
        "model": model,
        "tasks": [str(tasks)],
        "data_root": tasks,
        "output": output,
        "ladder.templates": 1,
        "tune.train.max_steps": 3,
        "tune.train.dtype": "float32",
        "tune.train.learning_rate": 1e-3,
        "tune.data.mixture.rate_cap": 8,
        "evaluate.generate.max_tokens": 3,
        **{name.replace("__", "."): value for name, value in values.items()},
    }
    return build_settings(HoldOut, settled)
