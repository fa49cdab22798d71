"""Promise 8: nothing from a data file, a model folder or the network runs as code."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from tests.runs import tune
from tests.tiny import make_model, make_tokenizer
from tutelage.errors import UserError
from tutelage.tokens.chat import ChatFormat


class Trap:
    """Unpickled, it would write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (Path.touch, (self.path,))


def test_pickled_weights_are_refused(rows_file: Path, tmp_path: Path) -> None:
    model = make_model(tmp_path / "model", weights=False)
    (model / "pytorch_model.bin").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    with pytest.raises(UserError, match="convert them to safetensors"):
        tune(model, rows_file, tmp_path / "run")
    assert not (tmp_path / "sprung").exists()


def test_code_in_a_model_folder_does_not_run(rows_file: Path, tmp_path: Path) -> None:
    model = make_model(tmp_path / "model")
    config = json.loads((model / "config.json").read_text())
    config |= {"model_type": "trap", "auto_map": {"AutoConfig": "trap.C", "AutoModelForCausalLM": "trap.M"}}
    (model / "config.json").write_text(json.dumps(config))
    (model / "trap.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')")
    with pytest.raises(UserError):
        tune(model, rows_file, tmp_path / "run")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ messages.__init__.__globals__ }}",
        "{% set x = messages.append(1) %}",
        "{{ cycler.__init__.__globals__.os.system('true') }}",
    ],
)
def test_templates_are_sandboxed(template: str) -> None:
    with pytest.raises(UserError):
        ChatFormat(make_tokenizer(), template + "{% for m in messages %}{{ m.content }}{% endfor %}")


def test_data_is_only_data(tiny_llama: Path, tmp_path: Path) -> None:
    """Text that looks like a template or a special token stays text, or its row is set aside."""
    rows = [{"instruction": "{{ 7 * 7 }} {% raise %} {{ messages }}", "output": "${x} {{ 1 + 1 }}"}] * 4
    data = tmp_path / "rows.json"
    data.write_text(json.dumps(rows))
    tune(tiny_llama, data, tmp_path / "run", train__max_steps=1)
    assert json.loads((tmp_path / "run" / "data_report.json").read_text())["total"]["kept"] == 4
