"""`tutelage.model.locate`: everything that `model=` may name, and the sentence for what it may not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tutelage.errors import UserError
from tutelage.model.locate import Located, locate
from tutelage.starter.base import BASE


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def folder(name: str, *files: str) -> Path:
    made = Path(name)
    made.mkdir(parents=True, exist_ok=True)
    for file in files:
        (made / file).write_bytes(b"{}")
    return made


def whole(name: str) -> Path:
    return folder(name, "config.json", "model.safetensors")


def adapter(name: str, base: object, weights: str | None = "adapter_model.safetensors") -> Path:
    made = folder(name, *([weights] if weights else []))
    (made / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": base}))
    return made


def refusal(model: str) -> str:
    with pytest.raises(UserError) as caught:
        locate(model)
    told = str(caught.value)
    assert "\n" not in told
    return told


def test_a_folder() -> None:
    whole("models/tiny")
    assert locate("models/tiny") == Located("models/tiny")
    assert locate("./models/tiny/") == Located("models/tiny")
    assert locate(str(Path("models/tiny").resolve())) == Located(str(Path("models/tiny").resolve()))


def test_a_folder_below_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    whole("tiny")
    assert locate("~/tiny") == Located(str(tmp_path / "tiny"))
    assert refusal("~nobody-of-this-name/tiny") == "model=~nobody-of-this-name/tiny: there is no such home folder"


def test_shards() -> None:
    folder("big", "config.json", "model.safetensors.index.json", "model-00001-of-00002.safetensors")
    assert locate("big") == Located("big")


def test_an_architecture_without_weights() -> None:
    folder("new", "config.json", "tokenizer.json")
    assert locate("new") == Located("new", random=True)


def test_the_starter_is_the_package_s_own() -> None:
    folder("starter", "config.json", "model.safetensors")
    assert locate("starter").path == str(BASE)
    assert locate("./starter") == Located("starter")


def test_hub_ids() -> None:
    for name in ("Qwen/Qwen3-0.6B", "gpt2", "HuggingFaceTB/SmolLM2-135M", "a_b/c.d-e"):
        assert locate(name) == Located(name, on_hub=True)


def test_a_folder_goes_before_a_hub_id() -> None:
    whole("gpt2")
    assert locate("gpt2") == Located("gpt2")


def test_a_folder_that_is_nearly_so_called() -> None:
    whole("models/tiny-llama")
    assert refusal("models/tiny-lama") == "model=models/tiny-lama: no such folder; did you mean models/tiny-llama?"
    whole("tiny-llama")
    assert refusal("tiny-lama") == "model=tiny-lama: no such folder; did you mean tiny-llama?"
    # What is near but no model does not keep a hub id from being one.
    folder("Qwen/Qwen3")
    assert locate("Qwen/Qwen3-0.6B").on_hub


@pytest.mark.parametrize("model", ["./tiny", "../tiny", "/nowhere/tiny", "a/b/c", "models/tiny/", "two words", "é"])
def test_what_can_not_be_a_hub_id_is_no_such_folder(model: str) -> None:
    assert refusal(model) == f"model={model}: no such folder"


def test_a_path_that_is_nearly_right() -> None:
    whole("models/tiny")
    assert refusal("./models/tinny") == "model=./models/tinny: no such folder; did you mean models/tiny?"


def test_a_file() -> None:
    whole("tiny")
    told = "model=tiny/model.safetensors is a file; name the folder that holds config.json and the weights"
    assert refusal("tiny/model.safetensors") == told


def test_a_folder_without_config() -> None:
    folder("models", "notes.txt")
    assert refusal("models") == "model=models has no config.json, so it is not a model folder"
    whole("models/a")
    assert refusal("models").endswith("it is not a model folder; did you mean models/a?")
    whole("models/b")
    assert refusal("models").endswith("; did you mean models/a or models/b?")


@pytest.mark.parametrize(
    "file", ["pytorch_model.bin", "pytorch_model-00001-of-00002.bin", "model.pt", "consolidated.00.pth"]
)
def test_pickled_weights_are_refused(file: str) -> None:
    """Promise 8: a pickle can run code."""
    folder("old", "config.json", file)
    told = "model=old holds pickled weights, which can run code when loaded; convert them to safetensors first"
    assert refusal("old") == told
    whole("old")
    assert locate("old") == Located("old")


@pytest.mark.parametrize("file", ["model.Q4_K_M.gguf", "tf_model.h5", "flax_model.msgpack"])
def test_other_weights_are_not_taken_for_an_architecture_alone(file: str) -> None:
    folder("other", "config.json", file)
    assert refusal("other") == "model=other holds weights that are not in safetensors; convert them first"


def test_a_run_directory() -> None:
    folder("runs/first", "recipe.yaml")
    told = "model=runs/first is a run that has not finished: it has no model/ yet; add resume=true to finish it"
    assert refusal("runs/first") == told
    whole("runs/first/model")
    assert locate("runs/first") == Located("runs/first/model")


def test_a_run_directory_with_an_adapter() -> None:
    whole("base")
    folder("runs/lora", "recipe.yaml")
    adapter("runs/lora/model", "base")
    assert locate("runs/lora") == Located("base", Path("runs/lora/model"))


def test_a_model_folder_that_happens_to_hold_a_recipe() -> None:
    folder("mine", "recipe.yaml", "config.json", "model.safetensors")
    assert locate("mine") == Located("mine")


def test_an_adapter() -> None:
    whole("base")
    assert locate(str(adapter("lora", "base"))) == Located("base", Path("lora"))
    assert locate(str(adapter("hub", "Qwen/Qwen3-0.6B"))) == Located("Qwen/Qwen3-0.6B", Path("hub"), on_hub=True)
    folder("runs/first", "recipe.yaml")
    whole("runs/first/model")
    assert locate(str(adapter("on-run", "runs/first"))) == Located("runs/first/model", Path("on-run"))


def test_an_adapter_is_found_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its base is named as it was when the run was started, from the folder that this was done in."""
    whole("office/models/base")
    folder("office/runs/lora", "recipe.yaml")
    adapter("office/runs/lora/model", "models/base")
    folder("elsewhere")
    base, made = tmp_path / "office" / "models" / "base", tmp_path / "office" / "runs" / "lora" / "model"
    for place, name in (("office", "runs/lora"), ("elsewhere", "../office/runs/lora"), ("office/runs", "lora")):
        monkeypatch.chdir(tmp_path / place)
        found = locate(name)
        assert (Path(found.path).resolve(), found.adapter) == (base, Path(name) / "model"), place
        assert made == Path(name).resolve() / "model"
    # A folder of that name that is no model does not keep a hub id from being one.
    folder("office/owner/base")
    assert locate(str(adapter("on-hub", "owner/base"))) == Located("owner/base", Path("on-hub"), on_hub=True)


@pytest.mark.parametrize("content", [b"{}", b"[]", b"3", b"{", b"\xff"])
def test_an_adapter_that_does_not_name_its_base(content: bytes) -> None:
    (adapter("lora", "base") / "adapter_config.json").write_bytes(content)
    assert refusal("lora") == "lora/adapter_config.json does not name its base_model_name_or_path"


@pytest.mark.parametrize("base", [None, "", 3])
def test_an_adapter_without_a_base(base: object) -> None:
    adapter("lora", base)
    assert (
        refusal("lora") == "lora/adapter_config.json names no base model; write its path into base_model_name_or_path"
    )


def test_an_adapter_whose_base_is_not_there() -> None:
    adapter("lora", "./moved")
    assert refusal("lora") == "lora is an adapter on ./moved (base_model_name_or_path): model=./moved: no such folder"


def test_an_adapter_on_an_adapter() -> None:
    whole("base")
    adapter("first", "base")
    adapter("second", "first")
    told = "second is an adapter on first (base_model_name_or_path): that is an adapter itself; merge it into its base"
    assert refusal("second") == f"{told} first"


def test_an_adapter_on_itself() -> None:
    assert "that is an adapter itself" in refusal(str(adapter("lora", "lora")))
    folder("runs/loop", "recipe.yaml")
    adapter("runs/loop/model", "runs/loop")
    assert "that is an adapter itself" in refusal("runs/loop")


def test_an_adapter_without_safe_weights() -> None:
    whole("base")
    adapter("bare", "base", weights=None)
    assert refusal("bare") == "bare is an adapter and needs weights in adapter_model.safetensors; it holds none"
    adapter("old", "base", weights="adapter_model.bin")
    assert refusal("old").endswith("; it holds only pickled ones, which can run code when loaded")


def test_mistakes_answer_without_torch() -> None:
    code = "import sys; from tutelage.model.locate import locate; locate('gpt2'); print('torch' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "False\n"
