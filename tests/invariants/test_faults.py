"""What was seen to go silently wrong in other tools must be impossible here. One test a fault."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.runs import command, losses, tune, words
from tests.tiny import make_model, make_tokenizer
from tutelage.errors import UserError
from tutelage.records import Conversation, Message, Part
from tutelage.tokens.chat import ChatFormat


def conversation(*turns: str) -> Conversation:
    roles = ("user", "assistant")
    return Conversation(tuple(Message(roles[place % 2], (Part(text),)) for place, text in enumerate(turns)))


def write(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def test_the_padding_token_is_the_stop_token() -> None:
    """Masking labels by the padding id masks the stop token too, and the model never learns to stop."""
    tokenizer = make_tokenizer()
    assert tokenizer.pad_token_id == tokenizer.eos_token_id
    chat = ChatFormat(tokenizer, tokenizer.chat_template)
    (leaf,) = chat.leaves(conversation("Hello", "Good day."))
    assert leaf.ids[-1] == tokenizer.eos_token_id
    assert leaf.start <= len(leaf.ids) - 2


def test_a_template_without_generation_marks_is_learnt_from() -> None:
    """Libraries that ask the template for the assistant's tokens get an all-zero mask, and a healthy-looking run."""
    tokenizer = make_tokenizer()
    assert "{% generation %}" not in tokenizer.chat_template
    (leaf,) = ChatFormat(tokenizer, tokenizer.chat_template).leaves(conversation("Hello", "Good day."))
    assert tokenizer.decode(leaf.ids[leaf.start :]) == "Good day.<|im_end|>"


def test_masks_do_not_shift_where_prompt_and_answer_would_merge() -> None:
    """The tokenizer would merge the last letters of the prompt with the answer: counting prompt tokens is then off."""
    tokenizer = make_tokenizer(["answerable answer able "] * 50)
    template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    whole = tokenizer("answerable", add_special_tokens=False).input_ids
    apart = tokenizer("answer", add_special_tokens=False).input_ids
    assert whole[: len(apart)] != apart
    (leaf,) = ChatFormat(tokenizer, template).leaves(conversation("answer", "able"))
    assert leaf.ids[: leaf.start].tolist() == apart
    assert tokenizer.decode(leaf.ids[leaf.start :]) == "able<|im_end|>"


def test_one_beginning_token() -> None:
    """A template that writes BOS and a tokenizer that adds it give two; rendered text is never given special tokens."""
    from tokenizers.processors import TemplateProcessing

    tokenizer = make_tokenizer(chat_template="{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}")
    tokenizer.bos_token = "<|endoftext|>"
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", 0)]
    )
    assert tokenizer("x").input_ids[0] == 0
    (leaf,) = ChatFormat(tokenizer, tokenizer.chat_template).leaves(conversation("one", "two"))
    assert leaf.ids[0] == 0
    assert np.count_nonzero(leaf.ids == 0) == 1


def test_the_loss_does_not_scale_with_accumulation(tiny_llama: Path, rows_file: Path, tmp_path: Path) -> None:
    first = {
        budget: losses(
            tune(tiny_llama, rows_file, tmp_path / str(budget), train__max_steps=1, train__tokens_per_forest=budget)
        )[0]
        for budget in (32, 10_000)
    }
    assert first[32] == pytest.approx(first[10_000], rel=1e-5)
    assert first[32] == pytest.approx(np.log(512), rel=0.2)


def test_an_overlong_answer_is_not_cut_without_a_word(tiny_llama: Path, tmp_path: Path) -> None:
    rows = [{"instruction": f"Say it {n}.", "output": "yes " * (400 if n == 3 else 4)} for n in range(12)]
    data = write(tmp_path / "rows.jsonl", rows)
    tune(tiny_llama, data, tmp_path / "run", max_length=64, train__max_steps=1)
    report = json.loads((tmp_path / "run" / "data_report.json").read_text())["total"]
    assert report["kept"] == 11
    assert sum(report["dropped"].values()) == 1
    (entry,) = [json.loads(line) for line in (tmp_path / "run" / "quarantine.jsonl").read_text().splitlines()]
    assert entry["line"] == 4
    assert "longer than max_length" in entry["reason"]
    with pytest.raises(UserError, match="row 4"):
        tune(tiny_llama, data, tmp_path / "error", max_length=64, overlong="error", train__max_steps=1)


def test_nothing_to_learn_from_is_refused(tiny_llama: Path, tmp_path: Path) -> None:
    """Promise 5."""
    rows = [{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?", "train": False}]}]
    with pytest.raises(UserError, match=r"no row of .* can be used"):
        tune(tiny_llama, write(tmp_path / "rows.jsonl", rows * 5), tmp_path / "run", train__max_steps=1)


def test_every_row_has_a_fate(tiny_llama: Path, tmp_path: Path) -> None:
    """Promise 5: read = kept + cut + dropped + quarantined, and what is not used is written down."""
    good = [{"instruction": f"Count to {n}.", "output": "one two"} for n in range(1200)]
    bad = [{"instruction": "x"}, {"instruction": "x", "output": " "}]
    rows = [*good, *bad, {"instruction": "w " * 600, "output": "y"}]
    data = write(tmp_path / "rows.jsonl", rows)
    data.write_text(data.read_text() + '{"instruction": "broken\n')
    tune(tiny_llama, data, tmp_path / "run", max_length=128, train__max_steps=1)
    total = json.loads((tmp_path / "run" / "data_report.json").read_text())["total"]
    assert total["read"] == 1204
    assert (total["kept"], total["cut"], sum(total["quarantined"].values())) == (1200, 1, 3)
    lines = [json.loads(line)["line"] for line in (tmp_path / "run" / "quarantine.jsonl").read_text().splitlines()]
    assert lines == [1201, 1202, 1204]


def test_too_many_bad_rows_stop_the_run(tiny_llama: Path, tmp_path: Path) -> None:
    rows = [{"instruction": "x", "output": "" if n % 2 else "y"} for n in range(40)]
    done = command("tune", *words(tiny_llama, write(tmp_path / "rows.jsonl", rows), tmp_path / "run"))
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert "20 of 40 rows" in line
    assert "empty" in line
    assert len((tmp_path / "run" / "quarantine.jsonl").read_text().splitlines()) == 20


def test_idle_threads_do_not_spin() -> None:
    """Beside other work, OpenMP's spinning makes training ten times slower; the cure is set before torch comes."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OMP", "GOMP", "KMP"))}
    program = (
        "import sys, os, tutelage.cli.main; assert 'torch' not in sys.modules; "
        "print(os.environ['OMP_WAIT_POLICY'], os.environ['GOMP_SPINCOUNT'], os.environ['KMP_BLOCKTIME'])"
    )
    done = subprocess.run([sys.executable, "-c", program], env=clean, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["passive", "0", "0"]
    chosen = {**clean, "OMP_WAIT_POLICY": "active"}
    kept = subprocess.run([sys.executable, "-c", program], env=chosen, capture_output=True, text=True, check=True)
    assert kept.stdout.split()[0] == "active"


@pytest.mark.parametrize("name", ["mamba"])
def test_a_model_that_takes_no_forest_says_so_and_learns(name: str, rows_file: Path, tmp_path: Path) -> None:
    from tutelage.run.events import Event, Note
    from tutelage.run.recipe import load_recipe
    from tutelage.run.tune import tune as run

    model = make_model(tmp_path / name, name)
    told: list[Event] = []
    recipe = load_recipe(None, words(model, rows_file, tmp_path / "run", train__max_steps=6))
    outcome = run(recipe, told.append)
    notes = [event.text for event in told if isinstance(event, Note)]
    assert any("runs its sequences one by one: it carries state" in note for note in notes)
    assert outcome["why_alone"] == "it carries state from one sequence to the next"


def test_a_loss_that_is_no_number_stops_the_run(tiny_llama: Path, rows_file: Path, tmp_path: Path) -> None:
    keys: dict[str, object] = {"train__optimizer": "sgd", "train__learning_rate": 1e30, "train__clip": None}
    with pytest.raises(UserError, match=r"lower train\.learning_rate"):
        tune(tiny_llama, rows_file, tmp_path / "run", **keys)
