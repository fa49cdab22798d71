"""The command of the README on real data: 5 million random parameters, the loss falls, and the result loads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.runs import command, losses, words
from tests.tiny import make_model, make_tokenizer
from tutelage.run.metrics import read_metrics


@pytest.fixture(scope="module")
def five_million(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = []
    for name in ("alpaca_en_demo.json", "alpaca_zh_demo.json"):
        texts += [row["output"] for row in json.loads((shared_data / "sft" / name).read_text("utf-8"))]
    tokenizer = make_tokenizer(texts, 4096)
    folder = tmp_path_factory.mktemp("models") / "five-million"
    return make_model(folder, "qwen3", tokenizer, width=256, layers=4, length=2048)


RUNS: dict[str, tuple[str, dict[str, object], int]] = {
    "alpaca_en_demo": ("sft/alpaca_en_demo.json", {"train__max_steps": 12}, 999),
    "alpaca_zh_demo": ("sft/alpaca_zh_demo.json", {"train__max_steps": 12}, 1000),
    "identity": ("sft/identity.json", {"train__max_steps": 12}, 91),
    "wiki_demo": ("pretrain/wiki_demo.txt", {"stage": "pretrain", "train__max_steps": 12, "max_length": 256}, 30),
    "c4_demo": ("pretrain/c4_demo.jsonl", {"stage": "pretrain", "train__max_steps": 12, "max_length": 256}, 300),
}


@pytest.mark.parametrize("name", RUNS)
def test_the_loss_falls_on_real_data(name: str, five_million: Path, shared_data: Path, tmp_path: Path) -> None:
    file, keys, rows = RUNS[name]
    output = tmp_path / "run"
    arguments = words(five_million, shared_data / file, output, **keys, train__batch_size=8)
    done = command("tune", *arguments, env={"OMP_NUM_THREADS": "2"})
    assert done.returncode == 0, done.stderr
    report = json.loads((output / "data_report.json").read_text())["total"]
    assert report["read"] == rows
    assert report["kept"] + report["cut"] == rows
    found = losses(read_metrics(output / "metrics.jsonl"))
    assert len(found) == 12
    assert sum(found[-3:]) / 3 < found[0] - 0.5
    for made in ("recipe.yaml", "environment.json", "quarantine.jsonl", "report.html", "model/README.md"):
        assert (output / made).is_file()


def test_the_result_answers_in_transformers_and_here(five_million: Path, shared_data: Path, tmp_path: Path) -> None:
    """Overfit on identity's rows, then asked through plain transformers and through `tutelage generate`."""
    output = tmp_path / "run"
    rows = json.loads((shared_data / "sft" / "identity.json").read_text("utf-8"))[:4]
    data = tmp_path / "rows.json"
    data.write_text(json.dumps(rows), "utf-8")
    keys = {"train__max_steps": 60, "train__batch_size": 4, "train__learning_rate": 2e-3}
    done = command("tune", *words(five_million, data, output, **keys), env={"OMP_NUM_THREADS": "2"})
    assert done.returncode == 0, done.stderr
    assert losses(read_metrics(output / "metrics.jsonl"))[-1] < 0.1

    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(output / "model")
    tokenizer = AutoTokenizer.from_pretrained(output / "model")
    asked = [{"role": "user", "content": rows[0]["instruction"]}]
    prompt = tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    # Nothing but the saved defaults tells it to stop.
    out = model.generate(**prompt, max_new_tokens=200, do_sample=False)[0, prompt["input_ids"].shape[1] :]
    assert tokenizer.decode(out) == rows[0]["output"] + "<|im_end|>"

    answered = command("generate", output, data)
    assert answered.returncode == 0, answered.stderr
    assert [json.loads(line)["answer"] for line in answered.stdout.splitlines()] == [row["output"] for row in rows]
