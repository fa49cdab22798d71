"""`tutelage.train.checkpoint`: a checkpoint is whole or absent, holds what a resume needs, refuses other weights."""

from __future__ import annotations

import errno
import json
import os
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import SafetensorError
from torch import Tensor, nn

from tests.tiny import architecture
from tutelage.errors import UserError
from tutelage.model.forward import ForestModel
from tutelage.model.settings import AdapterSettings
from tutelage.model.trainable import choose_trainable
from tutelage.train.checkpoint import Checkpoints, Progress, trained_weights
from tutelage.train.optimizers import Optimizers, build_optimizers
from tutelage.train.settings import TrainSettings

FILES = {"weights.safetensors", "optimizer.safetensors", "state.json"}


def small(seed: int = 0, width: int = 6) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, width), nn.LayerNorm(width), nn.Linear(width, 3))


def language_model(name: str, seed: int = 0) -> ForestModel:
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    return ForestModel(AutoModelForCausalLM.from_config(architecture(name, 97), dtype=torch.float32))


def optimizers_of(model: nn.Module, name: str = "adamw") -> Optimizers:
    return build_optimizers(model, TrainSettings.model_validate({"optimizer": name}), 1e-2)


def step(model: nn.Module, optimizers: Optimizers, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.grad = torch.randn(parameter.shape, generator=generator)
    optimizers.step(1.0)


def weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.named_parameters()}


def assert_same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(found[name], value), name


def test_a_run_goes_on_where_it_was(tmp_path: Path) -> None:
    whole, first = small(), small()
    optimizers = optimizers_of(whole)
    for number in range(10):
        step(whole, optimizers, number)

    optimizers = optimizers_of(first)
    for number in range(5):
        step(first, optimizers, number)
    progress = Progress(step=5, place=(2, 7), best_loss=0.1 + 0.2, best_step=4, stale=1)
    folder = Checkpoints(tmp_path / "run" / "checkpoints").save(progress, first, optimizers)
    assert folder == tmp_path / "run" / "checkpoints" / "step-00000005"
    assert {entry.name for entry in folder.iterdir()} == FILES

    second = small(seed=9)
    resumed = optimizers_of(second)
    found = Checkpoints(tmp_path / "run" / "checkpoints").load(5, second, resumed)
    assert found == progress
    assert isinstance(found.place, tuple)
    content = {file.name: file.read_bytes() for file in folder.iterdir()}
    for number in range(5, 10):
        step(second, resumed, number)
    assert_same(weights(second), weights(whole))
    # The loaded state may lie in memory that is mapped from the file; what is done to it must not reach the file.
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == content


@given(
    progress=st.builds(
        Progress,
        step=st.integers(0, 10**8 - 1),
        place=st.tuples(st.integers(0, 10**6), st.integers(0, 10**12)),
        best_loss=st.none() | st.floats(allow_nan=False, allow_infinity=False),
        best_step=st.none() | st.integers(0, 10**9),
        stale=st.integers(0, 100),
    )
)
def test_progress_comes_back_as_it_was(progress: Progress, tmp_path_factory: pytest.TempPathFactory) -> None:
    checkpoints = Checkpoints(tmp_path_factory.mktemp("one"))
    model = nn.Linear(1, 1)
    checkpoints.save(progress, model, optimizers_of(model, "sgd"))
    assert checkpoints.steps() == [progress.step]
    assert checkpoints.load(progress.step, model) == progress


def test_the_weights_alone_can_be_taken(tmp_path: Path) -> None:
    """How the best checkpoint's weights come back at the end of a run."""
    model = small()
    optimizers = optimizers_of(model)
    checkpoints = Checkpoints(tmp_path)
    best = weights(model)
    checkpoints.save(Progress(step=1), model, optimizers)
    step(model, optimizers, 0)
    checkpoints.load(1, model)
    assert_same(weights(model), best)


def test_tied_weights_are_there_once_and_stay_tied(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    model = language_model("gemma3")
    folder = Checkpoints(tmp_path).save(Progress(step=1), model, optimizers_of(model))
    names = set(load_file(folder / "weights.safetensors"))
    assert {name for name in names if "lm_head" in name or "embed_tokens" in name} == {
        "model.model.embed_tokens.weight"
    }
    other = language_model("gemma3", seed=1)
    Checkpoints(tmp_path).load(1, other)
    assert other.language_model.lm_head.weight is other.language_model.model.embed_tokens.weight
    assert_same(weights(other), weights(model))


def test_an_adapter_is_saved_without_its_base(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    adapted = choose_trainable(language_model("llama").model, AdapterSettings(rank=2), None, torch.bfloat16)
    model = ForestModel(adapted)
    folder = Checkpoints(tmp_path).save(Progress(step=3), model, optimizers_of(model))
    saved = load_file(folder / "weights.safetensors")
    assert saved.keys() == trained_weights(model).keys()
    assert saved
    assert all("lora_" in name and value.dtype == torch.float32 for name, value in saved.items())
    other = ForestModel(
        choose_trainable(language_model("llama").model, AdapterSettings(rank=2), None, torch.bfloat16, seed=5)
    )
    Checkpoints(tmp_path).load(3, other)
    assert_same(weights(other), weights(model))


def saved_steps(tmp_path: Path, keep: int, runs: list[tuple[int, int | None]]) -> list[int]:
    checkpoints, model = Checkpoints(tmp_path, keep), small()
    for number, best in runs:
        checkpoints.save(Progress(step=number, best_step=best), model, optimizers_of(model))
    return checkpoints.steps()


def test_the_latest_and_the_best_are_kept(tmp_path: Path) -> None:
    assert saved_steps(tmp_path / "a", 1, [(1, None), (2, None), (3, None)]) == [3]
    assert saved_steps(tmp_path / "b", 2, [(1, None), (2, None), (3, None)]) == [2, 3]
    assert saved_steps(tmp_path / "c", 1, [(1, 1), (2, 1), (3, 1)]) == [1, 3]
    assert saved_steps(tmp_path / "d", 1, [(1, 1), (2, 2), (3, 2), (4, 4)]) == [4]
    assert saved_steps(tmp_path / "e", 1, [(9, None), (10, None), (100, None)]) == [100]


class Killed(BaseException):
    """What stands here for a power cut: nothing may run after it, not even an `except`."""


class Death:
    """Comes when Python asks the system for the nth change or opening of a file."""

    EVENTS = frozenset({"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "shutil.move"})

    def __init__(self) -> None:
        self.left = 0
        sys.addaudithook(self)  # for the rest of the process; without `left` it does nothing

    def __call__(self, event: str, arguments: object) -> None:
        if self.left and event in self.EVENTS:
            self.left -= 1
            if not self.left:
                raise Killed


DEATH = Death()


def test_killed_at_any_moment_the_older_one_is_whole(tmp_path: Path) -> None:
    """The process dies at the first thing that it asks of the disk, at the second, …; what has the name is complete."""
    model = small()
    moments = 0
    died = True
    while died:
        moments += 1
        checkpoints = Checkpoints(tmp_path / str(moments))
        checkpoints.save(Progress(step=1), model, optimizers_of(model))
        checkpoints.save(Progress(step=2, best_step=1), model, optimizers_of(model))
        try:
            DEATH.left = moments
            checkpoints.save(Progress(step=2, best_step=2), model, optimizers_of(model))  # replaces one, removes one
            died = False
        except Killed:
            pass
        DEATH.left = 0
        assert checkpoints.steps()
        for number in checkpoints.steps():
            assert checkpoints.load(number, small(), optimizers_of(small())).step == number
        checkpoints.save(Progress(step=3), model, optimizers_of(model))
        assert [entry.name for entry in checkpoints.folder.iterdir()] == ["step-00000003"]
    assert moments > 15


@pytest.mark.parametrize("file", [1, 2])
@pytest.mark.parametrize(
    "fault",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        SafetensorError("I/O error: No space left on device (os error 28)"),  # safetensors has an error of its own
    ],
)
def test_a_full_disk_is_told_and_leaves_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception, file: int
) -> None:
    import safetensors.torch

    model = small()
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(Progress(step=1), model, optimizers_of(model))
    real, written = safetensors.torch.save_file, [0]

    def full(tensors: dict[str, Tensor], path: Path) -> None:
        written[0] += 1
        if written[0] == file:
            path.write_bytes(b"half")
            raise fault
        real(tensors, path)

    monkeypatch.setattr(safetensors.torch, "save_file", full)
    told = r"can't write the checkpoint .*step-00000002: .*No space left on device.*; the ones before it are whole"
    with pytest.raises(UserError, match=told):
        checkpoints.save(Progress(step=2), model, optimizers_of(model))
    assert [entry.name for entry in tmp_path.iterdir()] == ["step-00000001"]
    assert checkpoints.load(1, small(), optimizers_of(small())).step == 1


def test_what_a_killed_process_left_is_no_checkpoint_and_goes(tmp_path: Path) -> None:
    model = small()
    for name in (".step-00000001.partial", ".step-00000007.partial", ".step-00000003.removed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "weights.safetensors").write_bytes(b"half")
    (tmp_path / "notes").mkdir()
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.steps() == []
    checkpoints.save(Progress(step=1), model, optimizers_of(model))
    assert {entry.name for entry in tmp_path.iterdir()} == {"notes", "step-00000001"}


def test_saved_again_it_is_the_new_one(tmp_path: Path) -> None:
    model = small()
    optimizers = optimizers_of(model)
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(Progress(step=1), model, optimizers)
    step(model, optimizers, 0)
    checkpoints.save(Progress(step=1), model, optimizers)
    other = small(seed=3)
    checkpoints.load(1, other)
    assert_same(weights(other), weights(model))


def test_no_folder_means_no_checkpoints(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path / "none").steps() == []


def refusal(tmp_path: Path, model: nn.Module) -> str:
    with pytest.raises(UserError) as caught:
        Checkpoints(tmp_path).load(1, model, optimizers_of(model))
    return str(caught.value)


def test_other_weights_are_refused(tmp_path: Path) -> None:
    model = small()
    Checkpoints(tmp_path).save(Progress(step=1), model, optimizers_of(model))
    told = (
        f"the checkpoint {tmp_path / 'step-00000001'} can't be read (it holds other weights than this recipe trains); "
        "remove that folder to resume from the one before"
    )
    assert refusal(tmp_path, nn.Linear(4, 6)) == told
    assert refusal(tmp_path, small(width=7)) == told
    frozen = small()
    frozen[0].weight.requires_grad_(False)  # type: ignore[index]
    assert refusal(tmp_path, frozen) == told


def test_a_weight_of_one_number_is_not_spread_over_a_larger_one(tmp_path: Path) -> None:
    model = nn.Linear(1, 1)
    Checkpoints(tmp_path).save(Progress(step=1), model, optimizers_of(model))
    assert "other weights" in refusal(tmp_path, nn.Linear(4, 1))


@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.parametrize("damage", ["gone", "cut", "empty"])
def test_a_damaged_one_is_told(tmp_path: Path, name: str, damage: str) -> None:
    model = small()
    file = Checkpoints(tmp_path).save(Progress(step=1), model, optimizers_of(model)) / name
    content = file.read_bytes()
    file.unlink()
    if damage != "gone":
        file.write_bytes(content[: len(content) // 2] if damage == "cut" else b"")
    assert refusal(tmp_path, small()).startswith(f"the checkpoint {file.parent} can't be read (")


@pytest.mark.parametrize("state", [{}, [], {"progress": {"step": 1}}, {"progress": {"place": [0, 0], "speed": 1}}])
def test_a_state_of_another_version_is_told(tmp_path: Path, state: object) -> None:
    model = small()
    folder = Checkpoints(tmp_path).save(Progress(step=1), model, optimizers_of(model))
    (folder / "state.json").write_text(json.dumps(state))
    assert "can't be read (" in refusal(tmp_path, small())


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").write_text("a file stands where the folder should")
    model = small()
    with pytest.raises(UserError, match="can't write the checkpoint"):
        Checkpoints(tmp_path / "checkpoints").save(Progress(step=1), model, optimizers_of(model))


def test_nothing_is_pickled(tmp_path: Path) -> None:
    model = small()
    for name in ("adamw", "adamw-8bit", "adafactor", "sgd"):
        folder = Checkpoints(tmp_path / name).save(Progress(step=1), model, optimizers_of(model, name))
        for file in folder.iterdir():
            assert b"\x80\x02" != file.read_bytes()[:2] != b"PK"
        json.loads((folder / "state.json").read_bytes())
