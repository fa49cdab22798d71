"""The recipe: what a person asks for, from a YAML file, `key=value` words, or Python values.

    load_recipe(Path("recipe.yaml"), ["train.learning_rate=1e-4"])
    build_recipe({"model": "Qwen/Qwen3-0.6B", "data": "rows.jsonl", "output": "runs/first", "train.epochs": 1})

Paths in it are relative to the folder that the command runs in, wherever the recipe file lies. docs/recipe.md has all
keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import Field, ValidationError, model_validator

from tutelage.data.locating import files, on_hub
from tutelage.data.world import NAME as WORLD
from tutelage.errors import UserError
from tutelage.model.settings import AdapterSettings, FreezeSettings
from tutelage.objectives.settings import ObjectiveSettings
from tutelage.run.keys import Key, keys_of, nearest
from tutelage.run.overrides import COMMAND_LINE, expand, overlay
from tutelage.run.rules import broken_rule
from tutelage.run.task_words import may_be_a_task, name_tasks, no_such_data
from tutelage.run.values import explain, settle
from tutelage.settings import Settings
from tutelage.tasks.settings import MixedDataSettings
from tutelage.train.settings import TrainSettings
from tutelage.yaml_tree import Group, Node, Scalar, Series, read_file, resolve


class ReportSettings(Settings):
    """What the run's report shows besides what happened."""

    samples: int = Field(
        4,
        ge=0,
        le=50,
        description="prompts answered before and after, side by side: held-out ones where data.validation is given; "
        "0: none",
    )


class Recipe(Settings):
    """One run of one stage: what is tuned, on what, how, and where the result goes."""

    stage: Literal["sft", "pretrain"] = Field(
        "sft", description="learn answers from instruction rows, or all of a text"
    )
    model: str = Field(
        description="a folder, a hub id or a run directory; for pretraining, "
        "config.json and a tokenizer are enough (starter: those of a small model that come with Tutelage)"
    )
    from_scratch: bool = Field(
        False, description="pretraining: the model's shape and tokenizer with new weights, drawn by seed"
    )
    adapter: AdapterSettings | None = Field(
        None, description="`adapter=lora` is short for `adapter.kind=lora`; null: full tuning"
    )
    freeze: FreezeSettings | None = Field(None, description="null: every weight of the model is trained")
    chat_template: str | None = Field(
        None,
        description="chatml, llama3, alpaca, vicuna, qwen, gemma, mistral, plain…; null: the tokenizer's own",
    )
    max_length: int | None = Field(
        None, ge=2, description="tokens a sequence; null: the model's own limit, at most 2048"
    )
    overlong: Literal["truncate-prompt", "split", "drop", "error"] | None = Field(
        None,
        description="what is done to what is longer; null: truncate-prompt for conversations, split for pretraining, "
        "drop for a mixture's examples",
    )
    data: MixedDataSettings = Field(description="`data=FILE` is short for one source, `data=rte` for a mixture of one")
    objective: ObjectiveSettings = Field(default_factory=ObjectiveSettings, description="what is learnt")
    train: TrainSettings = Field(default_factory=TrainSettings, description="the loop")
    report: ReportSettings = Field(default_factory=ReportSettings, description="report.html")
    output: Path = Field(description="the run directory, made if need be")
    seed: int = Field(0, ge=0, lt=2**32, description="the order of the data, dropout and new weights follow from it")
    resume: bool = Field(False, description="continue the run in `output` from its last checkpoint")
    overwrite: bool = Field(False, description="start again in an `output` that holds a run, which is deleted")
    trust_remote_code: bool = Field(False, description="let Python code that comes with the model run on this machine")

    @model_validator(mode="after")
    def _keys_agree(self) -> Recipe:
        rule = broken_rule(self)
        if rule is not None:
            raise ValueError(rule)
        return self


S = TypeVar("S", bound=Settings)


@cache
def settings_keys(schema: type[Settings]) -> dict[str, Key]:
    """Every key of a schema by its dotted name."""
    return keys_of(schema)


def load_recipe(path: Path | None, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe in the YAML file `path` (or none), with `key=value` words over it; its files are checked to be there.

    Raises:
        UserError: one sentence that says what is wrong, in which file and line, and the nearest right name.
    """
    recipe = load_settings(Recipe, path, overrides)
    check_files(recipe)
    return recipe


def load_settings(schema: type[S], path: Path | None, overrides: Sequence[str] = ()) -> S:
    """What a recipe file and `key=value` words say, as a schema has it: `tutelage evaluate` reads its own so.

    Raises:
        UserError: as `load_recipe`.
    """
    root: Node = read_file(path) if path is not None else Group({}, COMMAND_LINE)
    if isinstance(root, Scalar) and root.value is None:
        root = Group({}, root.place)
    if not isinstance(root, Group):
        raise UserError(f"{path} is not a recipe: it must hold `key: value` lines, such as `model: Qwen/Qwen3-0.6B`.")
    overlay(root, overrides, settings_keys(schema))
    return _validated(root, schema)


def build_settings(schema: type[S], values: Mapping[str, object]) -> S:
    """The same from Python values, as `build_recipe` takes them."""
    return _validated(_tree_of(values, schema), schema)


def build_recipe(values: Mapping[str, object]) -> Recipe:
    """A recipe from Python values; keys may be dotted: `{"model": …, "train": {"epochs": 1}, "train.seed": 3}`.

    Raises:
        UserError: as `load_recipe`.
    """
    recipe = build_settings(Recipe, values)
    check_files(recipe)
    return recipe


def _tree_of(values: Mapping[str, object], schema: type[Settings]) -> Group:
    root = Group({}, "in Python")
    keys = settings_keys(schema)
    for name, value in sorted(values.items(), key=lambda pair: pair[0].count(".")):
        here, *below = name.split(".")
        nested: object = value
        for step in reversed(below):
            nested = {step: nested}
        _merge(root, here, _tree(nested))
        expand(root, keys)  # "data" may be a file's name, and "data.validation" follow
    return root


def read_recipe(path: Path) -> Recipe:
    """The recipe that a run directory holds, without asking whether its files are still there."""
    root = read_file(path)
    if not isinstance(root, Group):
        raise UserError(f"{path} is not a recipe.")
    return _validated(root, Recipe)


def recipe_text(recipe: Settings) -> str:
    """The recipe as YAML with every default written out; `load_recipe` reads the same recipe from it."""
    values = recipe.model_dump(mode="json")
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


class _Dumper(yaml.SafeDumper):
    """Quotes text that YAML 1.2 reads as something else, which PyYAML, keeping to 1.1, doesn't see in all of it."""


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    if not text.isprintable():  # line breaks of every kind are escaped, for in other styles they are folded
        style: str | None = '"'
    else:
        style = None if isinstance(resolve(text), str) else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _write_text)


def flat_values(recipe: Settings) -> dict[str, Any]:
    """Every value under its dotted key: `{"model": …, "data.sources.0.path": …, "train.epochs": 3.0, …}`."""
    flat: dict[str, Any] = {}

    def walk(values: Mapping[str, Any], prefix: str) -> None:
        for name, value in values.items():
            if isinstance(value, dict):
                walk(value, f"{prefix}{name}.")
            elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
                walk({str(place): item for place, item in enumerate(value)}, f"{prefix}{name}.")
            else:
                flat[prefix + name] = value

    walk(recipe.model_dump(mode="json"), "")
    return flat


def check_files(recipe: Recipe) -> None:
    """Say that a data file is missing before anything slow is imported.

    Raises:
        UserError: with the name of the file, and the nearest one beside it.
    """
    mixture = recipe.data.mixture
    for place, source in enumerate(recipe.data.sources):
        if not source.path.exists() and str(source.path) != WORLD and may_be_a_task(str(source.path)):
            raise UserError(no_such_data(str(source.path), mixture.catalog if mixture else ()))
        for path in [] if on_hub(source) else files(source):
            _check_file(f"data.sources.{place}.path", path)
    if isinstance(recipe.data.validation, Path):
        _check_file("data.validation", recipe.data.validation)
    looks_local = recipe.model.startswith(("/", "./", "../", "~"))
    if looks_local and not Path(recipe.model).expanduser().exists():
        raise UserError(f"model={recipe.model} is not there: {_nearest_file(Path(recipe.model).expanduser())}")


def _check_file(key: str, path: Path) -> None:
    if path.is_dir():
        raise UserError(f"{key}={path} is a folder: name a file in it.")
    if not path.exists():
        raise UserError(f"{key}={path} is not there: {_nearest_file(path)}")


def _nearest_file(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"there is no folder {folder}."
    near = nearest(path.name, (entry.name for entry in folder.iterdir()))
    return f"did you mean {folder / near}?" if near else f"{folder.resolve()} has no such file."


def _validated(root: Group, schema: type[S]) -> S:
    keys = settings_keys(schema)
    expand(root, keys)
    name_tasks(root)
    values = settle(root, keys)
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise explain(error, root, keys) from None


def _tree(value: object) -> Node:
    if isinstance(value, Mapping):
        return Group({str(name): _tree(item) for name, item in value.items()}, "in Python")
    if isinstance(value, Settings):
        return _tree(value.model_dump())
    if isinstance(value, (list, tuple)):
        return Series([_tree(item) for item in value], "in Python")
    plain: Any = value if value is None or isinstance(value, (str, int, float)) else str(value)
    return Scalar(plain, "null" if plain is None else str(plain), "in Python")


def _merge(group: Group, name: str, node: Node) -> None:
    there = group.items.get(name)
    if isinstance(there, Group) and isinstance(node, Group):
        for below, item in node.items.items():
            _merge(there, below, item)
    else:
        group.items[name] = node
