"""The reference of all keys: docs/recipe.md and `tutelage tune --keys`, both read off the settings.

python -m tutelage.run.reference > docs/recipe.md
"""

from __future__ import annotations

import sys

import yaml

from tutelage.run.keys import Key
from tutelage.run.recipe import recipe_keys

HEAD = """# Every key of a recipe

A recipe is a YAML file, `key=value` words on the command line, or both; a word wins over the file.

```
tutelage tune recipe.yaml train.learning_rate=1e-4
tutelage tune model=Qwen/Qwen3-0.6B data=rows.jsonl output=runs/first adapter=lora
```

- **Required** are `model`, `data` and `output`.
- **Short forms:** `data=FILE` or `data=[FILE, FILE]` for `data.sources=[{path: FILE}, …]`; `adapter=lora` for
  `adapter.kind=lora`; `a,b` for a list of words. Places in a list are numbers from 0: `data.sources.0.limit=10`.
- **Values** are YAML 1.2: `1e-4` is a number; `on` and `no` are text, except where true or false is wanted.
- **Paths** are relative to the folder that the command runs in, wherever the recipe lies; `~` is the home folder.
- **Again:** the `recipe.yaml` of a run directory has every default written out, and is a recipe like any other.
- **Resuming** takes the same recipe; only `train.save_every`, `train.keep_checkpoints`, `train.log_every` and
  `train.trackers` may differ, and the length of the run where the learning rate stays constant.

This page is generated from the settings: `python -m tutelage.run.reference > docs/recipe.md`.
"""
TITLES = {
    "": "The run",
    "adapter": "adapter",
    "freeze": "freeze",
    "data": "data",
    "data.sources.0": "data.sources.N",
    "objective": "objective",
    "train": "train",
}


def reference() -> str:
    """The page, as Markdown."""
    sections: dict[str, list[Key]] = {}
    for name, key in recipe_keys().items():
        if key.part is None or key.field.default is None:
            sections.setdefault(name.rpartition(".")[0], []).append(key)
    parts = [HEAD]
    for prefix, title in TITLES.items():
        parts += [f"## {title}\n", "| key | takes | default | meaning |", "| --- | --- | --- | --- |"]
        parts += [_row(key) for key in sections[prefix]]
        parts.append("")
    return "\n".join(parts).rstrip() + "\n"


def plain_list() -> str:
    """Every key with its default and meaning, for a terminal."""
    lines = []
    for name, key in recipe_keys().items():
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
    sys.stdout.write(reference())
