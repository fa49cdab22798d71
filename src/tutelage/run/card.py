"""README.md of model/: the model card, in Markdown with the front matter that the Hugging Face hub reads.

It is made to be published, so it holds the names of files and folders, never where they lie.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import orjson
import yaml

import tutelage
from tutelage.run.directory import RunDirectory
from tutelage.run.metrics import read_metrics
from tutelage.run.recipe import Recipe, read_recipe
from tutelage.run.report import manner
from tutelage.run.summary import chosen, summarise

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
LOCAL_KEYS = frozenset({"model", "output", "data.validation", "chat_template"})
LOCAL_ENDINGS = (".path", "data.mixture.data_root", "data.mixture.catalog")
TASK_KEYS = ("data.mixture.tasks", "data.mixture.decontaminate")  # names, or paths of task files
CHAT_FORMATS = frozenset({"alpaca", "self-instruct", "preference", "messages", "sharegpt", "dialogue", "task"})


def model_card(directory: RunDirectory) -> str:
    """The card of the model that the run in `directory` made, from its recipe, data report, metrics and environment."""
    recipe = read_recipe(directory.recipe)
    sources = [_source(source) for source in directory.read_data_report().get("sources", [])]
    environment = orjson.loads(directory.environment.read_bytes()) if directory.environment.exists() else {}
    converses = any(source["format"] in CHAT_FORMATS for source in sources)
    return _template().render(
        front=_front_matter(recipe),
        version=tutelage.__version__,
        base=base_name(recipe),
        pretrained=recipe.stage == "pretrain",
        manner=manner(recipe),
        source_rows=[list(source.values()) for source in sources],
        settings=settings_told(recipe),
        losses=_losses(summarise(read_metrics(directory.metrics))),
        seed=recipe.seed,
        converses=converses,
        versions=", ".join(f"{name} {number}" for name, number in environment.get("versions", {}).items()),
    )


def base_name(recipe: Recipe) -> str:
    """The hub id of the base model, or the last part of the path to it."""
    hub = HUB_ID.fullmatch(recipe.model) and not Path(recipe.model).exists()
    return recipe.model if hub else Path(recipe.model).name


def settings_told(recipe: Recipe) -> dict[str, Any]:
    """The keys that differ from their defaults, without those that say where something lies."""
    told = {
        name: value
        for name, value in chosen(recipe).items()
        if not name.endswith(LOCAL_ENDINGS) and not (name in LOCAL_KEYS and isinstance(value, str) and _is_path(value))
    }
    words = {name: told[name] for name in TASK_KEYS if name in told}
    return told | {name: ", ".join(Path(word).name for word in values) for name, values in words.items()}


def cell(value: object) -> str:
    """Text that can't break out of a cell of a Markdown table: `cell("a|b") == "a\\\\|b"`."""
    text = " ".join(str(value).split())
    return re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", text)


def _is_path(value: str) -> bool:
    return "/" in value or "\\" in value or "." in value


def _front_matter(recipe: Recipe) -> str:
    matter: dict[str, Any] = {
        "library_name": "transformers" if recipe.adapter is None else "peft",
        "pipeline_tag": "text-generation",
        "tags": ["tutelage", recipe.stage, *([recipe.adapter.kind] if recipe.adapter else [])],
    }
    if HUB_ID.fullmatch(base_name(recipe)):
        matter["base_model"] = base_name(recipe)
    return yaml.safe_dump(matter, sort_keys=False, allow_unicode=True)


def _source(source: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": Path(str(source["path"])).name,
        "format": source.get("format", ""),
        "rows": source.get("kept", 0) + source.get("cut", 0),
        "tokens": source.get("tokens", 0),
        "licence": source.get("licence") or "not recorded",
    }


def _losses(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    lines = []
    if "loss_last" in summary:
        lines.append(("training loss", f"{summary['loss_first']:.4f} → {summary['loss_last']:.4f}"))
    if "validation_loss_best" in summary:
        best = f"{summary['validation_loss_best']:.4f} at step {summary['validation_step_best']:,}"
        lines.append(("best validation loss", best))
    if "steps" in summary:
        lines.append(("steps", f"{summary['steps']:,}"))
    if "tokens" in summary:
        supervised = summary.get("supervised_tokens", 0)
        lines.append(("tokens", f"{summary['tokens']:,}, of them supervised {supervised:,}"))
    return lines


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *([cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _template() -> jinja2.Template:
    # Markdown, not HTML: `cell` and `table` escape what comes from outside.
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tutelage.run", "."),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = cell
    environment.globals["table"] = _table
    return environment.get_template("card.md.jinja")
