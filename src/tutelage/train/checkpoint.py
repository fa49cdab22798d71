"""Checkpoints: everything a resume needs, written aside, then renamed, so that a folder of that name is always whole.

    checkpoints/step-00000100/weights.safetensors     the trained weights, float32
                              optimizer.safetensors   the optimiser's tensors
                              state.json              the place in the data, the step, what is best so far

Random numbers are not in it: each step's are a function of (seed, step), and the order of the data one of (seed, epoch,
cursor).
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import Tensor, nn

from tutelage.errors import UserError
from tutelage.train.optimizers import Optimizers

_NAME = re.compile(r"step-(\d{8})")
_LEFT_OVER = re.compile(r"\.step-\d{8}\.(partial|removed)")


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    place: the (epoch, cursor) of the next batch. stale: validations since the best one.
    """

    step: int = 0
    place: tuple[int, int] = (0, 0)
    best_loss: float | None = None
    best_step: int | None = None
    stale: int = 0


class Checkpoints:
    """The folder `checkpoints/` of a run."""

    def __init__(self, folder: Path, keep: int = 1) -> None:
        self.folder = folder
        self._keep = keep

    def path(self, step: int) -> Path:
        """Where the checkpoint of a step is or would be."""
        return self.folder / f"step-{step:08d}"

    def steps(self) -> list[int]:
        """The steps of all complete checkpoints, ascending."""
        names = (_NAME.fullmatch(entry.name) for entry in self.folder.iterdir()) if self.folder.is_dir() else ()
        return sorted(int(name[1]) for name in names if name)

    def save(self, progress: Progress, model: nn.Module, optimizers: Optimizers) -> Path:
        """Writes a checkpoint, then removes those no longer kept.

        Raises:
            UserError: the disk is full, for one; the older checkpoints are as they were.
        """
        from safetensors import SafetensorError

        final = self.path(progress.step)
        aside = final.with_name(f".{final.name}.partial")
        try:
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir(parents=True)
            self._write(aside, progress, model, optimizers)
            _remove(final)
            os.replace(aside, final)
            _sync(self.folder)
        except (OSError, SafetensorError) as error:
            shutil.rmtree(aside, ignore_errors=True)
            raise UserError(f"can't write the checkpoint {final}: {error}; the ones before it are whole") from error
        self._prune(progress)
        return final

    def load(self, step: int, model: nn.Module, optimizers: Optimizers | None = None) -> Progress:
        """Puts a checkpoint's weights (and optimiser state) in place and returns where the run was."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        folder = self.path(step)
        try:
            _put_weights(model, load_file(folder / "weights.safetensors"))
            state = json.loads((folder / "state.json").read_text("utf-8"))
            if optimizers:
                optimizers.load(load_file(folder / "optimizer.safetensors"), state["optimizer"])
            return Progress(**{**state["progress"], "place": tuple(state["progress"]["place"])})
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise UserError(
                f"the checkpoint {folder} can't be read ({error}); remove that folder to resume from the one before"
            ) from error

    def _write(self, folder: Path, progress: Progress, model: nn.Module, optimizers: Optimizers) -> None:
        from safetensors.torch import save_file

        tensors, rest = optimizers.state()
        # To files, not through bytes: those would be all of it in memory a second time.
        save_file(_plain(trained_weights(model)), folder / "weights.safetensors")
        save_file(_plain(tensors), folder / "optimizer.safetensors")
        state = {"progress": asdict(progress), "optimizer": rest}
        (folder / "state.json").write_text(json.dumps(state, indent=1), "utf-8")
        for place in (*folder.iterdir(), folder):
            _sync(place)

    def _prune(self, progress: Progress) -> None:
        latest = self.steps()[-self._keep :]
        for step in self.steps():
            if step not in latest and step != progress.best_step:
                _remove(self.path(step))
        for entry in self.folder.iterdir():
            if _LEFT_OVER.fullmatch(entry.name):  # of a process that was killed
                shutil.rmtree(entry, ignore_errors=True)


def trained_weights(model: nn.Module) -> dict[str, Tensor]:
    """The weights that training changes, by name; tied ones once."""
    return {name: parameter.detach() for name, parameter in model.named_parameters() if parameter.requires_grad}


def _put_weights(model: nn.Module, weights: dict[str, Tensor]) -> None:
    import torch

    own = trained_weights(model)
    if {name: own[name].shape for name in own} != {name: weights[name].shape for name in weights}:
        raise ValueError("it holds other weights than this recipe trains")
    with torch.no_grad():
        for name, value in weights.items():
            own[name].copy_(value)


def _plain(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Contiguous, on the CPU, no two in the same memory (bitsandbytes' tables are), as safetensors wants them."""
    plain: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        value = tensor.detach().to("cpu").contiguous()
        plain[name] = value.clone() if value.untyped_storage().data_ptr() in seen else value
        seen.add(value.untyped_storage().data_ptr())
    return plain


def _remove(folder: Path) -> None:
    """Takes the folder's name away first, so that a checkpoint half removed is not taken for one."""
    if folder.exists():
        aside = folder.with_name(f".{folder.name}.removed")
        shutil.rmtree(aside, ignore_errors=True)
        os.replace(folder, aside)
        shutil.rmtree(aside, ignore_errors=True)


def _sync(place: Path) -> None:
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
