"""`tutelage.run.result`: what a run leaves is what transformers and PEFT load by themselves, whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.tiny import make_model, make_tokenizer
from tutelage.errors import UserError
from tutelage.model.load import Loaded, load_model
from tutelage.model.settings import AdapterSettings
from tutelage.model.trainable import choose_trainable
from tutelage.run.result import write_model
from tutelage.tokens.chat import ChatFormat
from tutelage.tokens.templates import resolve_template

IDS = torch.tensor([[5, 9, 11, 30]])
CARD = "---\nlicense: apache-2.0\n---\n# A card\n"


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("models") / "llama")


def chat_of(loaded: Loaded, template: str | None = None) -> ChatFormat:
    return ChatFormat(loaded.tokenizer, resolve_template(template, loaded.tokenizer))


def tuned(folder: Path, **settings: Any) -> Loaded:
    """A loaded model as a run would have changed it."""
    loaded = load_model(str(folder), trainable_adapter=True)
    adapter = AdapterSettings.model_validate(settings) if settings else None
    loaded.model = choose_trainable(loaded.model, adapter, None, torch.float32, loaded.adapted)
    torch.manual_seed(5)
    for parameter in loaded.model.parameters():
        if parameter.requires_grad:
            parameter.data += 0.05 * torch.randn_like(parameter)
    return loaded


def logits(model: Any) -> torch.Tensor:
    found: torch.Tensor = model.eval()(input_ids=IDS).logits
    return found


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def write(folder: Path, loaded: Loaded, chat: ChatFormat | None = None, dtype: torch.dtype = torch.float32) -> None:
    write_model(folder, loaded.model, loaded.tokenizer, chat, dtype, CARD)


@pytest.mark.parametrize("name", ["llama", "gpt2", "gemma3", "mamba"])
def test_transformers_alone_loads_it(tmp_path: Path, name: str) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    loaded = tuned(make_model(tmp_path / "base", name))
    expected = logits(loaded.model)
    chat = chat_of(loaded)
    write(tmp_path / "run" / "model", loaded, chat)
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "run" / "model")
    assert torch.allclose(logits(plain), expected, atol=1e-5)
    assert plain.generation_config.eos_token_id == list(chat.stop_ids)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "run" / "model")
    assert tokenizer.chat_template == chat.template
    talk = [{"role": "user", "content": "Name three colours"}]
    prompt = chat.vocabulary.ids([tokenizer.apply_chat_template(talk, tokenize=False, add_generation_prompt=True)])
    assert prompt == [tokenizer.apply_chat_template(talk, add_generation_prompt=True)["input_ids"]]
    assert (tmp_path / "run" / "model" / "README.md").read_text() == CARD
    assert load_model(str(tmp_path / "run" / "model")).forest == loaded.forest


def test_nothing_of_ours_is_in_the_configuration(tmp_path: Path, llama: Path) -> None:
    loaded = tuned(llama)
    assert loaded.model.config._attn_implementation == "forest"
    write(tmp_path / "model", loaded)
    assert "forest" not in (tmp_path / "model" / "config.json").read_text()
    ours, theirs = read(tmp_path / "model" / "config.json"), read(llama / "config.json")
    assert {name for name in ours | theirs if ours.get(name) != theirs.get(name)} <= {"dtype", "transformers_version"}
    assert {file.name for file in (tmp_path / "model").iterdir()} == {
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "chat_template.jinja",
        "README.md",
    }


def test_the_template_it_was_tuned_with_is_saved(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    base = make_model(tmp_path / "base", tokenizer=make_tokenizer(chat_template=None))
    loaded = tuned(base)
    assert not loaded.tokenizer.chat_template
    chat = chat_of(loaded, "llama3")
    write(tmp_path / "model", loaded, chat)
    saved = AutoTokenizer.from_pretrained(tmp_path / "model").chat_template
    assert saved == chat.template
    assert "<|start_header_id|>" in saved


def test_a_pretrained_model_has_no_template(tmp_path: Path) -> None:
    loaded = tuned(make_model(tmp_path / "base", tokenizer=make_tokenizer(chat_template=None)))
    write(tmp_path / "model", loaded)
    assert not (tmp_path / "model" / "chat_template.jinja").exists()
    assert load_model(str(tmp_path / "model")).tokenizer.chat_template is None


def test_it_is_as_large_as_its_base(tmp_path: Path, llama: Path) -> None:
    from safetensors.torch import load_file

    loaded = tuned(llama)
    expected = {name: value.to(torch.bfloat16) for name, value in loaded.model.state_dict().items()}
    write(tmp_path / "model", loaded, dtype=torch.bfloat16)
    saved = load_file(tmp_path / "model" / "model.safetensors")
    assert {value.dtype for value in saved.values()} == {torch.bfloat16}
    assert all(torch.equal(saved[name], expected[name]) for name in saved)
    assert read(tmp_path / "model" / "config.json")["dtype"] == "bfloat16"


def test_peft_alone_loads_an_adapter(tmp_path: Path, llama: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, GenerationConfig

    loaded = tuned(llama, rank=2)
    expected, chat = logits(loaded.model), chat_of(loaded)
    write(tmp_path / "model", loaded, chat, torch.bfloat16)
    base = AutoModelForCausalLM.from_pretrained(llama)
    assert not torch.allclose(logits(base), expected, atol=1e-2)
    assert torch.allclose(logits(PeftModel.from_pretrained(base, tmp_path / "model")), expected, atol=1e-5)
    assert GenerationConfig.from_pretrained(tmp_path / "model").eos_token_id == list(chat.stop_ids)
    names = {file.name for file in (tmp_path / "model").iterdir()}
    assert {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json", "chat_template.jinja"} < names
    assert not names & {"config.json", "model.safetensors"}
    assert (tmp_path / "model" / "README.md").read_text() == CARD
    assert read(tmp_path / "model" / "adapter_config.json")["base_model_name_or_path"] == str(llama)


def test_an_adapter_stays_in_float32_and_is_trained_on(tmp_path: Path, llama: Path) -> None:
    from safetensors.torch import load_file

    write(tmp_path / "model", tuned(llama, rank=2), dtype=torch.bfloat16)
    saved = load_file(tmp_path / "model" / "adapter_model.safetensors")
    assert {value.dtype for value in saved.values()} == {torch.float32}
    again = tuned(tmp_path / "model")
    expected = logits(again.model)
    write(tmp_path / "second", again)
    assert torch.allclose(logits(load_model(str(tmp_path / "second")).model), expected, atol=1e-5)


DEFAULTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "good ones stay": (
        {"do_sample": True, "temperature": 0.7, "top_k": 20},
        {"do_sample": True, "temperature": 0.7, "top_k": 20},
    ),
    "greedy": ({"max_length": 99}, {"max_length": 99}),
    "a temperature alone": ({"temperature": 0.6, "top_p": 0.9}, {"do_sample": True, "temperature": 0.6, "top_p": 0.9}),
    "top_k alone": ({"top_k": 20}, {"do_sample": True, "top_k": 20}),
    "min_p alone": ({"min_p": 0.1}, {"do_sample": True, "min_p": 0.1}),
    "half a beam": ({"num_beams": 1, "early_stopping": True}, {}),
    "a cache and none": ({"use_cache": False, "cache_implementation": "static"}, {}),
    "no temperature at all": ({"temperature": 0.0}, {}),
    "a padding token that is none": ({"pad_token_id": -1}, {}),
}


@pytest.mark.parametrize("kind", DEFAULTS)
@pytest.mark.parametrize("chats", [True, False])
@pytest.mark.filterwarnings("ignore::UserWarning")  # transformers' own, while it reads them
def test_generation_defaults_that_can_not_be_saved_do_not_end_a_run(tmp_path: Path, kind: str, chats: bool) -> None:
    """transformers loads them and refuses to save them: after hours of training that must not be how a run ends."""
    from transformers import AutoModelForCausalLM

    given, expected = DEFAULTS[kind]
    base = make_model(tmp_path / "base")
    (base / "generation_config.json").write_text(json.dumps({"eos_token_id": 0, **given}))
    loaded = tuned(base)
    write(tmp_path / "model", loaded, chat_of(loaded) if chats else None)
    saved = read(tmp_path / "model" / "generation_config.json")
    assert saved["eos_token_id"] == ([2] if chats else 0)
    if chats:
        assert saved.pop("pad_token_id") == 2
    assert {
        name: value for name, value in saved.items() if name not in ("eos_token_id", "transformers_version")
    } == expected
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    assert plain.generate(IDS, attention_mask=torch.ones_like(IDS), max_new_tokens=2, pad_token_id=2).shape[1] > 4


class Killed(BaseException):
    """Stands for a power cut."""


def test_a_fault_leaves_no_half_folder(tmp_path: Path, llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = tuned(llama)

    def dies(folder: Path) -> None:
        assert (tmp_path / ".model.partial" / "model.safetensors").exists()
        raise Killed

    monkeypatch.setattr(loaded.tokenizer, "save_pretrained", dies)
    with pytest.raises(Killed):
        write(tmp_path / "model", loaded)
    assert list(tmp_path.iterdir()) == []


def test_the_old_one_stays_until_the_new_one_is_whole(
    tmp_path: Path, llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = tuned(llama)
    write(tmp_path / "model", loaded)
    old = (tmp_path / "model" / "model.safetensors").read_bytes()
    (tmp_path / "model" / "left-over").touch()
    (tmp_path / ".model.partial").mkdir()
    (tmp_path / ".model.partial" / "model-00001-of-00009.safetensors").write_bytes(b"of a run that was killed")
    loaded.model.lm_head.weight.data += 1
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda *paths: 1 / 0)
        patch.setattr(shutil, "rmtree", lambda *arguments, **options: None)
        with pytest.raises(ZeroDivisionError):
            write(tmp_path / "model", loaded)
    assert (tmp_path / "model" / "model.safetensors").read_bytes() == old
    write(tmp_path / "model", loaded)
    assert (tmp_path / "model" / "model.safetensors").read_bytes() != old
    assert {entry.name for entry in tmp_path.iterdir()} == {"model"}
    assert not {"left-over", "model-00001-of-00009.safetensors"} & {
        file.name for file in (tmp_path / "model").iterdir()
    }


def test_a_full_disk_is_told(tmp_path: Path, llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """safetensors has an error of its own for it."""
    from safetensors import SafetensorError

    faults = (
        OSError(errno.ENOSPC, "No space left on device"),
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
    )
    for fault in faults:
        loaded = tuned(llama)

        def full(folder: Path, fault: Exception = fault) -> None:
            folder.mkdir(parents=True)
            raise fault

        monkeypatch.setattr(loaded.model, "save_pretrained", full)
        with pytest.raises(UserError) as caught:
            write(tmp_path / "model", loaded)
        assert (
            str(caught.value)
            == f"The disk that holds {tmp_path} is full: free some space and continue with resume=true."
        )
        assert list(tmp_path.iterdir()) == []


def test_other_faults_of_safetensors_are_ours(tmp_path: Path, llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from safetensors import SafetensorError

    loaded = tuned(llama)

    def faulty(folder: Path) -> None:
        raise SafetensorError("something else")

    monkeypatch.setattr(loaded.model, "save_pretrained", faulty)
    with pytest.raises(SafetensorError):
        write(tmp_path / "model", loaded)
