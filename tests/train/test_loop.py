"""The loop through whole runs: what is validated, kept, stopped early, and written as the result."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from tests.runs import losses, tune, weights
from tests.tiny import make_model
from tutelage.errors import UserError
from tutelage.run.metrics import read_metrics


def validations(metrics: list[dict[str, float]]) -> dict[int, float]:
    return {int(step["step"]): step["validation_loss"] for step in metrics if "validation_loss" in step}


def outcome(run: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((run / "report.json").read_text())["outcome"]
    return found


def test_the_best_checkpoint_is_the_result_and_stays(tiny_llama: Path, rows_file: Path, tmp_path: Path) -> None:
    """A rate so high that validation gets worse: the model is then that of the best step, not of the last."""
    run = tmp_path / "run"
    metrics = tune(
        tiny_llama,
        rows_file,
        run,
        train__max_steps=16,
        train__learning_rate=0.5,
        train__schedule="constant",
        train__validate_every=2,
        train__save_every=2,
        data__validation=10,
    )
    found = validations(metrics)
    best = min(found, key=lambda step: found[step])
    assert best < 16
    assert outcome(run)["model_step"] == best
    assert outcome(run)["validation_loss"] == found[best]
    kept = sorted(folder.name for folder in (run / "checkpoints").iterdir())
    assert kept == [f"step-{best:08d}", "step-00000016"]
    from safetensors.torch import load_file

    saved = load_file(run / "checkpoints" / f"step-{best:08d}" / "weights.safetensors")
    assert torch.equal(saved["model.lm_head.weight"], weights(run)["lm_head.weight"])


def test_early_stopping(tiny_llama: Path, rows_file: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    metrics = tune(
        tiny_llama,
        rows_file,
        run,
        train__max_steps=60,
        train__learning_rate=0.05,
        train__schedule="constant",
        train__validate_every=1,
        train__early_stopping=3,
        data__validation=10,
    )
    found = validations(metrics)
    best = min(found, key=lambda step: found[step])
    assert metrics[-1]["step"] == best + 3 < 60
    assert outcome(run)["status"] == "stopped early"


@pytest.mark.parametrize("average", ["token", "example"])
def test_the_validation_loss_is_that_of_transformers(tiny_llama: Path, tmp_path: Path, average: str) -> None:
    """Computed again from the saved model, row by row, by transformers and torch alone."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    held = [{"instruction": f"Say {n}.", "output": "so it is " * n} for n in range(1, 8)]
    for name, rows in {"train": held * 3, "held": held}.items():
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    keys = {"data__validation": tmp_path / "held.jsonl", "objective__loss_average": average}
    metrics = tune(tiny_llama, tmp_path / "train.jsonl", tmp_path / "run", train__max_steps=3, **keys)

    model = AutoModelForCausalLM.from_pretrained(tmp_path / "run" / "model")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "run" / "model")
    sums, counts = [], []
    for row in held:
        asked = [{"role": "user", "content": row["instruction"]}]
        prompt = tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_dict=False)
        answer = [*tokenizer(row["output"], add_special_tokens=False).input_ids, tokenizer.eos_token_id]
        ids = torch.tensor([prompt + answer])
        with torch.no_grad():
            logits = model(ids).logits[0, len(prompt) - 1 : -1]
        sums.append(float(F.cross_entropy(logits, ids[0, len(prompt) :], reduction="sum")))
        counts.append(len(answer))
    means = [total / count for total, count in zip(sums, counts, strict=True)]
    expected = sum(sums) / sum(counts) if average == "token" else sum(means) / len(means)
    assert validations(metrics)[3] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("keys", [{"train__gradient_checkpointing": True}, {"train__tokens_per_forest": 50}])
def test_memory_settings_change_nothing(
    tiny_llama: Path, rows_file: Path, tmp_path: Path, keys: dict[str, object]
) -> None:
    plain = tune(tiny_llama, rows_file, tmp_path / "plain", train__max_steps=4)
    other = tune(tiny_llama, rows_file, tmp_path / "other", train__max_steps=4, **keys)
    assert losses(other) == pytest.approx(losses(plain), rel=1e-5)


@pytest.mark.parametrize("optimizer", ["adamw", "adafactor", "muon", "sgd"])
def test_every_optimizer_learns(tiny_llama: Path, rows_file: Path, tmp_path: Path, optimizer: str) -> None:
    rate = 0.3 if optimizer == "sgd" else 2e-3
    found = losses(
        tune(
            tiny_llama,
            rows_file,
            tmp_path / "run",
            train__max_steps=15,
            train__optimizer=optimizer,
            train__learning_rate=rate,
        )
    )
    assert found[-1] < found[0] - 0.3


def test_bfloat16_follows_float32(tiny_llama: Path, rows_file: Path, tmp_path: Path) -> None:
    """Matrix products in bfloat16 on float32 weights: close, and not the same."""
    exact = losses(tune(tiny_llama, rows_file, tmp_path / "exact", train__max_steps=8))
    rough = losses(tune(tiny_llama, rows_file, tmp_path / "rough", train__max_steps=8, train__dtype="bfloat16"))
    assert rough == pytest.approx(exact, rel=5e-3)
    assert rough != exact
    assert all(tensor.dtype == torch.float32 for tensor in weights(tmp_path / "rough").values())


def test_a_bfloat16_checkpoint_stays_one(rows_file: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    model = make_model(tmp_path / "model")
    AutoModelForCausalLM.from_pretrained(model, dtype=torch.bfloat16).save_pretrained(model)
    tune(model, rows_file, tmp_path / "run", train__max_steps=2)
    assert {tensor.dtype for tensor in weights(tmp_path / "run").values()} == {torch.bfloat16}
    trained = read_metrics(tmp_path / "run" / "metrics.jsonl")
    assert losses(trained)[1] != losses(trained)[0]
    assert json.loads((tmp_path / "run" / "model" / "config.json").read_text())["dtype"] == "bfloat16"


def test_an_adapter_is_trained_on(tiny_llama: Path, rows_file: Path, tmp_path: Path) -> None:
    first = tune(tiny_llama, rows_file, tmp_path / "first", train__max_steps=6, adapter__kind="lora")
    second = tune(tmp_path / "first", rows_file, tmp_path / "second", train__max_steps=6)
    assert losses(second)[0] < losses(first)[0] - 0.01
    assert (tmp_path / "second" / "model" / "adapter_config.json").is_file()


def test_trackers_write_what_metrics_has(tiny_llama: Path, rows_file: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    tune(tiny_llama, rows_file, run, train__max_steps=2, train__trackers="tensorboard")
    assert list((run / "trackers").rglob("events.out.tfevents.*"))


def test_the_seed_decides_an_adapters_first_weights(tiny_llama: Path, rows_file: Path, tmp_path: Path) -> None:
    keys = {"train__max_steps": 1, "train__learning_rate": 1e-9, "adapter__kind": "lora"}
    for name, seed in {"one": 0, "same": 0, "other": 5}.items():
        tune(tiny_llama, rows_file, tmp_path / name, **keys, seed=seed)
    one, same, other = (weights(tmp_path / name) for name in ("one", "same", "other"))
    name = next(name for name in one if "lora_A" in name)
    assert torch.equal(one[name], same[name])
    assert not torch.allclose(one[name], other[name])


def test_a_gradient_that_is_no_number_never_reaches_the_weights(
    tiny_llama: Path, rows_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loss is finite, so only the gradient's norm can tell."""
    from tutelage.train.loop import Loop

    stepped = []
    monkeypatch.setattr(Loop, "_clip", lambda self: float("nan"))
    monkeypatch.setattr("tutelage.train.optimizers.Optimizers.step", lambda self, factor: stepped.append(factor))
    with pytest.raises(UserError, match="its gradient's norm nan"):
        tune(tiny_llama, rows_file, tmp_path / "run", train__max_steps=2)
    assert not stepped
