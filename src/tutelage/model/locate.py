"""What `model=` may name: a folder, a hub id, a run directory, or an adapter folder. No torch here, so mistakes answer at once."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from tutelage.errors import UserError

WEIGHTS = ("*.safetensors", "*.safetensors.index.json")
UNSAFE_WEIGHTS = ("pytorch_model*.bin", "*.pt", "*.pth", "*.ckpt")


@dataclass(frozen=True)
class Located:
    """Where the parts of a model are. `path`: a folder or hub id that transformers loads; `adapter`: PEFT's folder, if any."""

    path: str
    adapter: Path | None = None
    random: bool = False
    on_hub: bool = False


def locate(model: str) -> Located:
    """Finds out what `model` names.

    A folder with a `config.json` but no weights is an architecture: `random` is true and its weights come from the seed.

    Raises:
        UserError: nothing is there, or what is there cannot be loaded (pickled weights, for instance, which can run code).
    """
    folder = Path(model).expanduser()
    if not folder.exists():
        return _on_hub(model, folder)
    if folder.is_file():
        raise UserError(f"model={model} is a file; name the folder that holds config.json and the weights")
    if (folder / "recipe.yaml").is_file() and not (folder / "config.json").is_file():
        if not (folder / "model").is_dir():
            raise UserError(
                f"model={model} is a run that has not finished: it has no model/ yet; add resume=true to finish it"
            )
        folder = folder / "model"
    if (folder / "adapter_config.json").is_file():
        return _adapter(folder)
    if not (folder / "config.json").is_file():
        raise UserError(f"model={model} has no config.json, so it is not a model folder{_inside(folder)}")
    if any(next(folder.glob(pattern), None) for pattern in WEIGHTS):
        return Located(str(folder))
    if any(next(folder.glob(pattern), None) for pattern in UNSAFE_WEIGHTS):
        raise UserError(
            f"model={model} holds pickled weights, which can run code when loaded; convert them to safetensors first"
        )
    return Located(str(folder), random=True)


def _adapter(folder: Path) -> Located:
    try:
        base = json.loads((folder / "adapter_config.json").read_text("utf-8"))["base_model_name_or_path"]
    except (ValueError, KeyError) as error:
        raise UserError(f"{folder}/adapter_config.json does not name its base_model_name_or_path") from error
    if not base:
        raise UserError(
            f"{folder}/adapter_config.json names no base model; write its path into base_model_name_or_path"
        )
    located = locate(base)
    if located.adapter:
        raise UserError(f"{folder} is an adapter on another adapter ({base}); merge that one first")
    return Located(located.path, folder, located.random, located.on_hub)


def _on_hub(model: str, folder: Path) -> Located:
    if re.fullmatch(r"[\w.-]+/[\w.-]+|[\w-][\w.-]*", model) and not folder.parent.joinpath("").is_absolute():
        near = difflib.get_close_matches(folder.name, _names(folder.parent), 1)
        if not near or not (folder.parent / near[0] / "config.json").is_file():
            return Located(model, on_hub=True)
    near = difflib.get_close_matches(folder.name, _names(folder.parent), 1)
    hint = f"; did you mean {folder.parent / near[0]}?" if near else ""
    raise UserError(f"model={model}: no such folder{hint}")


def _names(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()] if folder.is_dir() else []


def _inside(folder: Path) -> str:
    models = sorted(str(config.parent) for config in folder.glob("*/config.json"))[:3]
    return f"; did you mean {' or '.join(models)}?" if models else ""
