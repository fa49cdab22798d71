"""`tutelage.model.load`: what is loaded is what is there, and what is broken is told in one sentence."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.tiny import make_model
from tutelage.errors import UserError
from tutelage.model.load import load_config, load_model, load_tokenizer
from tutelage.model.locate import Located, locate
from tutelage.model.settings import AdapterSettings
from tutelage.model.trainable import choose_trainable


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("models") / "llama")


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("models") / "untrained", weights=False)


@pytest.fixture(scope="module")
def lora(llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that changes what the model says."""
    adapted = choose_trainable(load_model(str(llama)).model, AdapterSettings(rank=2), None, torch.float32)
    torch.manual_seed(1)
    for parameter in adapted.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.1)
    folder = tmp_path_factory.mktemp("models") / "lora"
    adapted.save_pretrained(folder)
    return folder


@pytest.fixture
def broken(tmp_path: Path) -> Callable[[Path, Callable[[Path], object]], str]:
    """Copies a folder, breaks the copy, and gives the sentence that loading it ends in."""

    def sentence(of: Path, change: Callable[[Path], object]) -> str:
        folder = tmp_path / "broken"
        shutil.copytree(of, folder)
        change(folder)
        with pytest.raises(UserError) as caught:
            load_model(str(folder))
        told = str(caught.value)
        assert "\n" not in told
        assert str(folder) in told
        assert len(told) < 280 + 3 * len(str(folder))
        return told.replace(str(folder), "IT")

    return sentence


Broken = Callable[[Path, Callable[[Path], object]], str]


def configured(file: str = "config.json", **values: object) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        path = folder / file
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))

    return change


def written(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(content)


def tensors_changed(name: str, change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], object]:
    def rewrite(folder: Path) -> None:
        from safetensors.torch import load, save

        tensors = load((folder / name).read_bytes())
        change(tensors)
        (folder / name).write_bytes(save(tensors, {"format": "pt"}))

    return rewrite


def test_a_model_is_what_transformers_loads(llama: Path) -> None:
    from transformers import AutoModelForCausalLM

    loaded = load_model(str(llama))
    plain = AutoModelForCausalLM.from_pretrained(llama)
    ids = torch.tensor([[5, 9, 11, 30]])
    assert torch.allclose(loaded.model(input_ids=ids).logits, plain(input_ids=ids).logits, atol=1e-5)
    assert not loaded.model.training
    assert (loaded.folder, loaded.forest, loaded.why_alone) == (str(llama), True, None)
    assert (loaded.random, loaded.adapted) == (False, False)
    assert loaded.tokenizer.decode(loaded.tokenizer("The cat").input_ids) == "The cat"


def test_the_precision_that_is_asked_for(llama: Path, tmp_path: Path) -> None:
    def dtypes(folder: Path, **options: Any) -> set[torch.dtype]:
        return {parameter.dtype for parameter in load_model(str(folder), **options).model.parameters()}

    assert dtypes(llama) == {torch.float32}
    assert dtypes(llama, dtype="bfloat16") == {torch.bfloat16}
    half = tmp_path / "half"
    loaded = load_model(str(llama))
    loaded.model.to(torch.bfloat16).save_pretrained(half)
    loaded.tokenizer.save_pretrained(half)
    assert dtypes(half) == {torch.bfloat16}  # its own
    assert dtypes(half, dtype="float32") == {torch.float32}


def test_a_recurrent_model_is_found_out(tmp_path: Path) -> None:
    loaded = load_model(str(make_model(tmp_path / "mamba", "mamba")))
    assert not loaded.forest
    assert loaded.why_alone == "it carries state from one sequence to the next"


def random_weights(folder: Path, seed: int, **options: Any) -> dict[str, torch.Tensor]:
    loaded = load_model(str(folder), seed=seed, may_be_random=True, **options)
    assert loaded.random
    return {name: parameter.detach() for name, parameter in loaded.model.named_parameters()}


def test_new_weights_follow_from_the_seed_alone(untrained: Path) -> None:
    torch.manual_seed(77)
    before = torch.random.get_rng_state()
    first = random_weights(untrained, 3)
    assert torch.equal(torch.random.get_rng_state(), before), "the global generator was used"
    torch.rand(5)
    again, other = random_weights(untrained, 3), random_weights(untrained, 4)
    assert all(torch.equal(first[name], again[name]) for name in first)
    matrices = [name for name in first if first[name].ndim == 2]
    assert matrices
    assert not any(torch.equal(first[name], other[name]) for name in matrices)
    assert all(value.dtype == torch.float32 for value in first.values())
    assert {value.dtype for value in random_weights(untrained, 3, dtype="bfloat16").values()} == {torch.bfloat16}


def test_weights_are_not_made_up_unless_asked(untrained: Path) -> None:
    with pytest.raises(UserError) as caught:
        load_model(str(untrained))
    told = "has no weights; stage=pretrain starts from random ones, other stages need a model"
    assert str(caught.value) == f"model={untrained} {told}"


def test_a_model_with_weights_is_not_random(llama: Path) -> None:
    assert not load_model(str(llama), may_be_random=True).random


def test_from_scratch_keeps_the_shape_and_no_weight(llama: Path, lora: Path) -> None:
    new = load_model(str(llama), seed=3, may_be_random=True, from_scratch=True)
    old = load_model(str(llama))
    assert new.random
    drawn, kept = dict(new.model.named_parameters()), dict(old.model.named_parameters())
    assert {name: value.shape for name, value in drawn.items()} == {name: value.shape for name, value in kept.items()}
    assert not any(torch.equal(drawn[name], kept[name]) for name in kept if kept[name].ndim == 2)
    with pytest.raises(UserError, match=r"^from_scratch=true needs a whole model, and .* is an adapter$"):
        load_model(str(lora), may_be_random=True, from_scratch=True)


def test_nowhere() -> None:
    told = "neither a folder here nor a hub model that can be reached"
    with pytest.raises(UserError, match=f"^can't load the tokenizer of nobody/nothing: it is {told}"):
        load_model("nobody/nothing")
    with pytest.raises(UserError, match=f"^can't load the model of nobody/nothing: it is {told}"):
        load_config(Located("nobody/nothing", on_hub=True))


def test_missing_tensors_are_refused(broken: Broken, llama: Path) -> None:
    told = broken(llama, tensors_changed("model.safetensors", lambda tensors: tensors.pop("model.norm.weight")))
    assert told == "the weights of IT lack 1 of the model's tensors (model.norm.weight, …)"


def test_more_layers_than_weights(broken: Broken, llama: Path) -> None:
    told = broken(llama, configured(num_hidden_layers=3))
    assert told.startswith("the weights of IT lack 9 of the model's tensors (model.layers.2.")


def test_weights_of_another_shape(broken: Broken, llama: Path) -> None:
    told = broken(llama, configured(vocab_size=100))
    assert told.startswith(
        "the weights of IT do not fit its config.json: lm_head.weight is [395, 64], but should be [100, 64]"
    )


@pytest.mark.parametrize("size", [0, 5, 5000])
def test_a_broken_weights_file(broken: Broken, llama: Path, size: int) -> None:
    content = (llama / "model.safetensors").read_bytes()[:size]
    told = broken(llama, written("model.safetensors", content))
    assert told.startswith("can't load the model of IT: Error while deserializing header")


def test_a_shard_that_is_not_there(broken: Broken, llama: Path) -> None:
    def change(folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        index = {"metadata": {}, "weight_map": {"model.norm.weight": "model-00001-of-00002.safetensors"}}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))

    assert "model-00001-of-00002.safetensors" in broken(llama, change)


CONFIGS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no JSON": (written("config.json", b"{"), "not a valid JSON file"),
    "a list": (written("config.json", b"[]"), "must be a mapping"),
    "a wrong type": (configured(hidden_size="big"), "hidden_size"),
    "sizes that do not agree": (
        configured(num_attention_heads=7),
        "not a multiple of the number of attention heads (7)",
    ),
    "no type": (written("config.json", b"{}"), "Should have a `model_type` key in its config.json"),
    "an unknown type": (configured(model_type="unheard-of"), "unheard-of"),
    "no causal language model": (configured(model_type="t5"), "Unrecognized configuration class"),
    "a quantisation that needs more": (configured(quantization_config={"quant_method": "gptq", "bits": 4}), "optimum"),
}


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_broken_configuration(broken: Broken, llama: Path, kind: str) -> None:
    change, words = CONFIGS[kind]
    told = broken(llama, change)
    assert told.startswith("can't load the ")
    assert words in told


def remove_tokenizer(folder: Path) -> None:
    for file in folder.glob("tokenizer*"):
        file.unlink()


TOKENIZERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "none": (remove_tokenizer, "IT has no tokenizer (tokenizer.json); copy the one that belongs to the model into it"),
    "no tokenizer.json": (lambda folder: (folder / "tokenizer.json").unlink(), "can't load the tokenizer of IT: "),
    "no JSON": (written("tokenizer.json", b"{"), "can't load the tokenizer of IT: Expecting property name"),
    "something else": (
        written("tokenizer.json", b'{"a": 1}'),
        "can't load the tokenizer of IT: KeyError 'added_tokens'",
    ),
    "a broken configuration": (
        written("tokenizer_config.json", b"["),
        "can't load the tokenizer of IT: Expecting value",
    ),
}


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_a_broken_tokenizer(broken: Broken, llama: Path, kind: str) -> None:
    change, words = TOKENIZERS[kind]
    assert broken(llama, change).startswith(words)


def test_a_tokenizer_without_a_fast_version(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import transformers

    class Slow:
        is_fast = False

    monkeypatch.setattr(transformers.AutoTokenizer, "from_pretrained", lambda place, **options: Slow())
    with pytest.raises(UserError) as caught:
        load_tokenizer(locate(str(llama)))
    assert str(caught.value) == f"the tokenizer of {llama} has no fast version (tokenizer.json), which Tutelage needs"


def test_code_in_a_model_folder_is_not_run(
    broken: Broken, llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 8. The same folder with `trust_remote_code=true` does run it, so the trap works."""
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr(sys, "path", [*sys.path])  # transformers adds that folder to it
    proof = tmp_path / "ran"

    def trap(folder: Path) -> None:
        code = f"import pathlib\npathlib.Path({str(proof)!r}).touch()\nfrom transformers import LlamaConfig\n"
        (folder / "trap.py").write_text(f"{code}class TrapConfig(LlamaConfig):\n    model_type = 'trap'\n")
        configured(model_type="trap", auto_map={"AutoConfig": "trap.TrapConfig"})(folder)

    told = broken(llama, trap)
    assert "contains custom code" in told
    assert not proof.exists()
    with pytest.raises(UserError):
        load_model(str(tmp_path / "broken"), trust_remote_code=True)
    assert proof.exists()


def test_an_adapter_is_base_plus_adapter(llama: Path, lora: Path) -> None:
    """PEFT alone says the same; and without the adapter it says something else."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    loaded = load_model(str(lora))
    assert loaded.adapted
    assert loaded.forest
    assert loaded.folder == str(llama)
    ids = torch.tensor([[5, 9, 11, 30]])
    base = AutoModelForCausalLM.from_pretrained(llama)
    without = base(input_ids=ids).logits
    expected = PeftModel.from_pretrained(base, lora)(input_ids=ids).logits
    found = loaded.model(input_ids=ids).logits
    assert torch.allclose(found, expected, atol=1e-5)
    assert not torch.allclose(found, without, atol=1e-2)


def test_an_adapter_may_be_trained_on_or_not(lora: Path) -> None:
    frozen = load_model(str(lora)).model
    assert not any(parameter.requires_grad for parameter in frozen.parameters())
    trained = load_model(str(lora), trainable_adapter=True).model
    names = {name for name, parameter in trained.named_parameters() if parameter.requires_grad}
    assert names
    assert names == {name for name, _ in trained.named_parameters() if "lora_" in name}


def test_the_tokenizer_beside_an_adapter_goes_first(llama: Path, lora: Path, tmp_path: Path) -> None:
    folder = tmp_path / "lora"
    shutil.copytree(lora, folder)
    tokenizer = load_tokenizer(locate(str(folder)))
    tokenizer.chat_template = "OURS"
    tokenizer.save_pretrained(folder)
    assert load_tokenizer(locate(str(folder))).chat_template == "OURS"
    assert load_tokenizer(locate(str(llama))).chat_template != "OURS"


FILE = "adapter_model.safetensors"
FIRST = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
ADAPTERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a tensor missing": (
        tensors_changed(FILE, lambda tensors: tensors.pop(FIRST)),
        "Found missing adapter keys while loading the checkpoint",
    ),
    "another shape": (
        tensors_changed(FILE, lambda tensors: tensors.update({FIRST: torch.zeros(2, 3)})),
        "size mismatch for base_model.model.model.layers.0.self_attn.q_proj",
    ),
    "cut": (written(FILE, b"123"), "Error while deserializing header"),
    "an unknown kind": (configured("adapter_config.json", peft_type="UNHEARD_OF"), "UNHEARD_OF"),
    "other targets": (configured("adapter_config.json", target_modules=["zz"]), "Target modules {'zz'} not found"),
}


@pytest.mark.parametrize("kind", ADAPTERS)
def test_a_broken_adapter(broken: Broken, lora: Path, kind: str) -> None:
    change, words = ADAPTERS[kind]
    told = broken(lora, change)
    assert told.startswith("can't load the adapter of IT: ")
    assert words in told


@pytest.mark.filterwarnings("ignore:Setting `save_embedding_layers`")
def test_adapters_that_the_forward_pass_would_leave_out_are_refused(llama: Path, tmp_path: Path) -> None:
    """Their share of the result lies outside the body of the model, which is all that forests go through."""
    from peft import LoraConfig, PromptTuningConfig, get_peft_model

    kinds = {
        "head": (
            LoraConfig(task_type="CAUSAL_LM", target_modules=["q_proj", "lm_head"]),
            r"an adapter on the head \(lm_head\) can't be used",
        ),
        "prompt": (
            PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4),
            "prompt is of the kind PROMPT_TUNING, which puts tokens before every prompt; use LoRA",
        ),
    }
    for name, (config, words) in kinds.items():
        get_peft_model(load_model(str(llama)).model, config).save_pretrained(tmp_path / name)
        with pytest.raises(UserError, match=words):
            load_model(str(tmp_path / name))
