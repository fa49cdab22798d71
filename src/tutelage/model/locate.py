"""What `model=` may name: a folder, a hub id, a run directory, an adapter folder, or `starter`.

No torch here, so that mistakes answer at once.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

from tutelage.errors import UserError
from tutelage.hub import go_offline_without_network
from tutelage.starter.base import BASE

# The small base model of the package: its shape and tokenizer; recipes/starter-base.yaml makes its weights.
STARTER = "starter"
WEIGHTS = ("*.safetensors", "*.safetensors.index.json")
UNSAFE_WEIGHTS = ("pytorch_model*.bin", "*.pt", "*.pth", "*.ckpt")
OTHER_WEIGHTS = ("*.gguf", "*.h5", "*.msgpack", "*.onnx")


@dataclass(frozen=True)
class Located:
    """Where the parts of a model are.

    path: a folder or hub id that transformers loads. adapter: PEFT's folder, if any.
    """

    path: str
    adapter: Path | None = None
    random: bool = False
    on_hub: bool = False


def locate(model: str, base: str | None = None) -> Located:
    """Finds out what `model` names; a path may begin with `~`. An adapter goes onto `base` where it is given.

    `starter` is the package's own, whatever lies in the folder that the command runs in; `./starter` is a folder.

    A folder with a `config.json` but no weights is an architecture: `random` is true and its weights come from the
    seed.

    Raises:
        UserError: nothing is there, or what is there cannot be loaded (pickled weights, for instance, which can run
        code).
    """
    folder = _model_folder(model)
    if folder is None and base is not None:
        raise UserError(f"adapter={model}: there is no such folder")
    if folder is None:
        go_offline_without_network()
        return Located(model, on_hub=True)
    if (folder / "adapter_config.json").is_file():
        return _adapter(folder, base)
    if base is not None:
        raise UserError(f"adapter={model} has no adapter_config.json, so it is no adapter")
    return _whole_model(model, folder)


def without_weights(located: Located) -> Located:
    """The model's shape and tokenizer, its weights to be drawn anew.

    Raises:
        UserError: it is an adapter, whose base would be new too.
    """
    if located.adapter is not None:
        raise UserError(f"from_scratch=true needs a whole model, and {located.adapter} is an adapter")
    return replace(located, random=True)


def no_weights(model: str) -> str:
    """The sentence for an architecture where a model is needed."""
    return f"model={model} has no weights; stage=pretrain starts from random ones, other stages need a model"


def _model_folder(model: str) -> Path | None:
    """The folder that `model` names, in a run directory its model/; None for a hub id."""
    if model == STARTER:
        return BASE
    try:
        folder = Path(model).expanduser()
    except RuntimeError as error:
        raise UserError(f"model={model}: there is no such home folder") from error
    if not folder.exists():
        _refuse_unless_hub_id(model, folder)
        return None
    if folder.is_file():
        raise UserError(f"model={model} is a file; name the folder that holds config.json and the weights")
    if (folder / "recipe.yaml").is_file() and not (folder / "config.json").is_file():
        if not (folder / "model").is_dir():
            raise UserError(
                f"model={model} is a run that has not finished: it has no model/ yet; add resume=true to finish it"
            )
        return folder / "model"
    return folder


def _whole_model(model: str, folder: Path) -> Located:
    if not (folder / "config.json").is_file():
        raise UserError(f"model={model} has no config.json, so it is not a model folder{_inside(folder)}")
    if _holds(folder, WEIGHTS):
        return Located(str(folder))
    if _holds(folder, UNSAFE_WEIGHTS):
        raise UserError(
            f"model={model} holds pickled weights, which can run code when loaded; convert them to safetensors first"
        )
    if _holds(folder, OTHER_WEIGHTS):  # not to be taken for an architecture alone
        raise UserError(f"model={model} holds weights that are not in safetensors; convert them first")
    return Located(str(folder), random=True)


def _adapter(folder: Path, wanted: str | None) -> Located:
    try:
        base = wanted or json.loads((folder / "adapter_config.json").read_text("utf-8"))["base_model_name_or_path"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{folder}/adapter_config.json does not name its base_model_name_or_path") from error
    if not base or not isinstance(base, str):
        raise UserError(
            f"{folder}/adapter_config.json names no base model; write its path into base_model_name_or_path"
        )
    if not (folder / "adapter_model.safetensors").is_file():
        pickled = (folder / "adapter_model.bin").is_file()
        why = "only pickled ones, which can run code when loaded" if pickled else "none"
        raise UserError(f"{folder} is an adapter and needs weights in adapter_model.safetensors; it holds {why}")
    base = wanted or _from_where_it_was_tuned(base, folder)
    try:
        base_folder = _model_folder(base)
        if base_folder is None:
            go_offline_without_network()
            return Located(base, folder, on_hub=True)
        if (base_folder / "adapter_config.json").is_file():
            raise UserError("that is an adapter itself; merge it into its base first")
        located = _whole_model(base, base_folder)
    except UserError as error:
        raise UserError(f"{folder} is an adapter on {base} (base_model_name_or_path): {error}") from error
    return Located(located.path, folder, located.random)


def _from_where_it_was_tuned(base: str, folder: Path) -> str:
    """A path that is relative holds from the folder that the run was started in, most often one above the run's."""
    places = [Path(), *folder.resolve().parents]
    models = (place / base / part for place in places for part in ("config.json", "recipe.yaml"))
    return next((str(found.parent) for found in models if found.is_file()), base)


def _holds(folder: Path, patterns: tuple[str, ...]) -> bool:
    return any(next(folder.glob(pattern), None) for pattern in patterns)


def _refuse_unless_hub_id(model: str, folder: Path) -> None:
    near = difflib.get_close_matches(folder.name, _names(folder.parent), 1)
    is_model = bool(near) and (folder.parent / near[0] / "config.json").is_file()
    if re.fullmatch(r"[\w-][\w.-]*(/[\w.-]+)?", model, re.ASCII) and not is_model:
        return
    hint = f"; did you mean {folder.parent / near[0]}?" if near else ""
    raise UserError(f"model={model}: no such folder{hint}")


def _names(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()] if folder.is_dir() else []


def _inside(folder: Path) -> str:
    models = sorted(str(config.parent) for config in folder.glob("*/config.json"))[:3]
    return f"; did you mean {' or '.join(models)}?" if models else ""
