"""The reference of all keys: docs/recipe.md, docs/evaluate.md and the option --keys, all read off the settings.

python -m tutelage.run.reference > docs/recipe.md
python -m tutelage.run.reference evaluate > docs/evaluate.md
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import yaml

from tutelage.evaluate.settings import Evaluation
from tutelage.run.keys import Key
from tutelage.run.recipe import Recipe, settings_keys
from tutelage.settings import Settings

HEAD = """# Every key of a recipe

A recipe is a YAML file, `key=value` words on the command line, or both; a word wins over the file.

```
tutelage tune recipe.yaml train.learning_rate=1e-4
tutelage tune model=Qwen/Qwen3-0.6B data=rows.jsonl output=runs/first adapter=lora
```

- **Required** are `model`, `data` and `output`.
- **Short forms:** `data=FILE` or `data=[FILE, FILE]` for `data.sources=[{path: FILE}, …]`; `data=rte,boolq` for
  `data.mixture.tasks=[rte, boolq]` where no files are called so; `adapter=lora` for `adapter.kind=lora`; `a,b` for a
  list of words. Places in a list are numbers from 0: `data.sources.0.limit=10`.
- **A mixture** has other examples in every epoch, so a run's steps are reckoned from its first epoch.
- **Values** are YAML 1.2: `1e-4` is a number; `on` and `no` are text, except where true or false is wanted.
- **Paths** are relative to the folder that the command runs in, wherever the recipe lies; `~` is the home folder.
- **Again:** the `recipe.yaml` of a run directory has every default written out, and is a recipe like any other.
- **Resuming** takes the same recipe; only `train.save_every`, `train.keep_checkpoints`, `train.log_every`,
  `train.trackers`, `report.samples`, `data.cache` and `data.workers` may differ, and the length of the run where the
  learning rate stays constant.

This page is generated from the settings: `python -m tutelage.run.reference > docs/recipe.md`.
"""
EVALUATE_HEAD = """# Every key of an evaluation

```
tutelage evaluate model=runs/first tasks=rte,boolq output=runs/first-scores
tutelage evaluate recipe.yaml shots=5 templates=en
```

- **Required** are `model`, `tasks` and `output`.
- **Tasks** are names of the catalog (`tutelage tasks list`), `cluster:NAME`, `all`, task files or folders of them.
- **Values, paths and lists** are written as for `tutelage tune` (recipe.md).
- **What comes out** are `predictions.jsonl` and `scores.json`, which the end of this page explains, besides
  `recipe.yaml` with every setting and `environment.json` with versions, machine and the data's SHA-256.

This page is generated from the settings: `python -m tutelage.run.reference evaluate > docs/evaluate.md`.
"""
EVALUATE_TAIL = """
## predictions.jsonl

A line a question, in the order asked, there as soon as it is answered.

- `task`, `split`, `template`, `id`: the item, as `task/split/row`, and how it was asked. Lines of the split dev choose
  the best template.
- `shots`: how many solved examples stand in the prompt.
- `prompt`: the very text that the model read, chat template included. `cut`: only where the model does not hold all of
  it: so many characters are missing at the question's start.
- `options`, `log_probabilities`: the very texts that were scored, and the natural logarithm of each one's probability
  after the prompt, that of the end token included unless `score.end=false`. `neutral_log_probabilities`: with
  `score.normalize=pmi`, those after no question.
- `text`, or `texts` and `answers`: what the model wrote, and what was read off each of several. `choices`: what it
  could choose from. `reasoning`: with `reasoning=true`, what it thought before.
- `prediction`, `references`, `correct`: the answer that counts (null: none could be read), the right ones, and whether
  it is one of them (null: not simply right or wrong, as a translation; `scores` has its metrics).
- `label`, `right`: the places of the prediction and of the right ones among the item's own choices, counted from 0,
  whatever order they were shown in.

## scores.json

A score is the mean over templates of each template's score over its items, from 0 to `scale`.

- `tasks.NAME`: how many `items`, `templates` and `answers` there are, the `shots` of each template, and by metric:
  - `mean`, `low`, `high`: the score and its interval at `level`, to which all answers to an item count as one cluster.
    `interval`: how it was had.
  - `deviation`: the standard deviation of the templates' scores. `templates`: each one's own.
  - `chance`: what blind guessing scores; null where nothing can be guessed.
  - `best_on_dev`: the template with the best score on dev, and its score on the split that counts.
  - `signature`: what the metric depends on besides the answers.
- `tasks.NAME.labels`: the share of the questions for which each choice was predicted, and for which it was right.
- `clusters.NAME`: the mean of its tasks' first metrics, in shares of their scales. A task of several clusters counts in
  each.
- `differences.NAME`: with `against`, this evaluation's score less the other's, on the items and templates of both. `p`:
  the share of random exchanges of items between the two that differ as much.
- `bad_rows`: rows that could not be asked, by task and reason. `prompts_cut`: prompts that lost their start, those on
  dev included.
"""
TITLES = {"": "The run"}
HEADS: dict[type[Settings], str] = {Recipe: HEAD, Evaluation: EVALUATE_HEAD}
TAILS: dict[type[Settings], str] = {Evaluation: EVALUATE_TAIL}
SCHEMAS: dict[str, type[Settings]] = {"tune": Recipe, "evaluate": Evaluation}


def reference(schema: type[Settings] = Recipe) -> str:
    """The page of a schema's keys, as Markdown."""
    return page_of(settings_keys(schema), HEADS[schema], TAILS.get(schema, ""))


def page_of(named: Mapping[str, Key], head: str, tail: str = "") -> str:
    """A page of these keys, in a table for each part of the schema."""
    sections: dict[str, list[Key]] = {}
    for name, key in named.items():
        if key.part is None or key.field.default is None:
            sections.setdefault(name.rpartition(".")[0], []).append(key)
    parts = [head]
    for prefix, keys in sections.items():
        title = TITLES.get(prefix, prefix.replace(".0", ".N"))
        parts += [f"## {title}\n", "| key | takes | default | meaning |", "| --- | --- | --- | --- |"]
        parts += [_row(key) for key in keys]
        parts.append("")
    return "\n".join(parts).rstrip() + "\n" + tail


def plain_list(schema: type[Settings] = Recipe) -> str:
    """Every key with its default and meaning, for a terminal."""
    lines = []
    for name, key in settings_keys(schema).items():
        if key.part is None:
            lines.append(f"{name}={default_of(key)}\n    {key.field.description}; takes {key.takes}")
    return "\n".join(lines) + "\n"


def default_of(key: Key) -> str:
    """The default as YAML: `null`, `3.0`, `[]`; nothing where the key is required."""
    if key.field.is_required():
        return ""
    default = key.field.get_default(call_default_factory=True)
    value = list(default) if isinstance(default, tuple) else default
    return yaml.safe_dump(value, default_flow_style=True).removesuffix("...\n").strip()


def _row(key: Key) -> str:
    takes = f"the keys of `{key.name}.*`, or null" if key.part else key.takes
    default = f"`{default_of(key)}`" if default_of(key) else "required"
    cells = (f"`{key.name.replace('.0.', '.N.')}`", takes, default, key.field.description or "")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    sys.stdout.write(reference(SCHEMAS[sys.argv[1] if len(sys.argv) > 1 else "tune"]))
