"""`tutelage.model.trainable`: which weights are trained, in which precision, and LoRA against PEFT used by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.tiny import architecture
from tutelage.errors import UserError
from tutelage.model.settings import AdapterSettings, FreezeSettings
from tutelage.model.trainable import choose_trainable, count_parameters

VOCABULARY, WIDTH = 97, 64
IDS = torch.tensor([[5, 9, 11, 30, 2, 7]])


def model_of(name: str = "llama", layers: int = 2) -> Any:
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(architecture(name, VOCABULARY, WIDTH, layers), dtype=torch.float32)


def with_adapter(name: str = "llama", seed: int = 0, **settings: Any) -> Any:
    return choose_trainable(model_of(name), AdapterSettings.model_validate(settings), None, torch.float32, seed=seed)


def frozen_but(name: str, layers: int = 2, **settings: Any) -> set[str]:
    """What is trained with these `freeze` settings."""
    return trained(
        choose_trainable(model_of(name, layers), None, FreezeSettings.model_validate(settings), torch.float32)
    )


def trained(model: Any) -> set[str]:
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


def refusal(model: Any, adapter: Any = None, freeze: Any = None, adapted: bool = False) -> str:
    with pytest.raises(UserError) as caught:
        choose_trainable(model, adapter, freeze, torch.float32, adapted)
    told = str(caught.value)
    assert "\n" not in told
    return told


# Everything


def test_by_default_every_weight_is_trained_in_float32() -> None:
    model = choose_trainable(model_of().to(torch.bfloat16), None, None, torch.bfloat16)
    assert trained(model) == {name for name, _ in model.named_parameters()}
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_tied_weights_stay_tied_and_count_once() -> None:
    model = choose_trainable(model_of("gemma3").to(torch.bfloat16), None, None, torch.bfloat16)
    assert model.lm_head.weight is model.model.embed_tokens.weight
    every = sum(parameter.numel() for parameter in model.parameters())
    assert count_parameters(model) == (every, every)
    assert every < sum(value.numel() for value in model.state_dict().values())


# LoRA


def by_hand(name: str, **settings: Any) -> Any:
    from peft import LoraConfig, get_peft_model

    model = model_of(name)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **settings))


def stepped(model: Any) -> dict[str, Tensor]:
    """The adapter's weights after a step with plain autograd."""
    model.eval()
    model(input_ids=IDS, labels=IDS).loss.backward()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter -= 0.5 * parameter.grad
                parameter.grad = None
    return {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}


def test_lora_is_that_of_peft_by_hand() -> None:
    ours = with_adapter(rank=4, alpha=12, targets=("q_proj", "down_proj"))
    theirs = by_hand("llama", r=4, lora_alpha=12, target_modules=["q_proj", "down_proj"])
    for _ in range(2):  # after the first step the update is no longer zero
        found, expected = stepped(ours), stepped(theirs)
        assert found.keys() == expected.keys()
        assert len(found) == 2 * 2 * 2
        assert all(torch.equal(found[name], expected[name]) for name in expected)
    logits = ours(input_ids=IDS).logits
    assert torch.equal(logits, theirs(input_ids=IDS).logits)
    with ours.disable_adapter():
        assert not torch.allclose(logits, ours(input_ids=IDS).logits, atol=1e-3)


def test_all_linear_layers_but_the_head() -> None:
    layers = {name.split(".lora_")[0].rsplit(".", 1)[-1] for name in trained(with_adapter())}
    assert layers == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
    # GPT-2's linear layers are transposed and called Conv1D.
    layers = {name.split(".lora_")[0].rsplit(".", 1)[-1] for name in trained(with_adapter("gpt2"))}
    assert layers == {"c_attn", "c_proj", "c_fc"}


def test_gpt2_too_is_that_of_peft_by_hand() -> None:
    ours, theirs = (
        with_adapter("gpt2"),
        by_hand("gpt2", r=16, lora_alpha=32, target_modules="all-linear", fan_in_fan_out=True),
    )
    found, expected = stepped(ours), stepped(theirs)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_alpha_is_twice_the_rank_unless_given() -> None:
    def scale(**settings: Any) -> float:
        layer = with_adapter(targets=("q_proj",), **settings).get_base_model().model.layers[0].self_attn.q_proj
        return float(layer.scaling["default"])

    assert scale(rank=8) == 2.0
    assert scale(rank=8, alpha=4) == 0.5
    assert scale(rank=16, alpha=2.5) == 2.5 / 16


def test_the_settings_reach_peft() -> None:
    config = with_adapter(rank=3, dropout=0.25, targets=("o_proj",)).peft_config["default"]
    assert (config.r, config.lora_dropout, config.target_modules) == (3, 0.25, {"o_proj"})


def test_a_new_adapter_changes_nothing_yet() -> None:
    plain = model_of().eval()
    expected = plain(input_ids=IDS).logits
    assert torch.equal(with_adapter().eval()(input_ids=IDS).logits, expected)


def test_new_weights_follow_from_the_seed_alone() -> None:
    def first_halves(seed: int) -> list[Tensor]:
        found = with_adapter(seed=seed).named_parameters()
        return [parameter.detach() for name, parameter in found if "lora_A" in name]

    torch.manual_seed(55)
    one = first_halves(1)
    torch.manual_seed(66)
    again, other = first_halves(1), first_halves(2)
    assert all(torch.equal(left, right) for left, right in zip(one, again, strict=True))
    assert not any(torch.equal(left, right) for left, right in zip(one, other, strict=True))
    model = model_of()
    before = torch.random.get_rng_state()
    choose_trainable(model, AdapterSettings(), None, torch.float32, seed=1)
    assert torch.equal(torch.random.get_rng_state(), before), "the global generator was used"


def test_only_the_adapter_is_trained_in_float32() -> None:
    model = choose_trainable(model_of().to(torch.bfloat16), AdapterSettings(), None, torch.bfloat16)
    assert all("lora_" in name for name in trained(model))
    for name, parameter in model.named_parameters():
        assert parameter.dtype == (torch.float32 if "lora_" in name else torch.bfloat16), name
    frozen = {
        p.dtype
        for p in choose_trainable(model_of().to(torch.bfloat16), AdapterSettings(), None, torch.float32).parameters()
    }
    assert frozen == {torch.float32}


def test_counts() -> None:
    model = with_adapter(rank=2, targets=("q_proj",))
    new = 2 * 2 * (WIDTH + WIDTH)
    plain = sum(parameter.numel() for parameter in model_of().parameters())
    assert count_parameters(model) == (new, plain + new)


LINEAR = "the linear ones are down_proj, gate_proj, k_proj, lm_head, o_proj, q_proj, up_proj, v_proj"


@pytest.mark.parametrize("targets", [("v_prj",), ("q_proj", "v_prj"), ("v_prj", "q_proj")])
def test_targets_that_are_not_there(targets: tuple[str, ...]) -> None:
    """Also where others are: PEFT alone takes one of two for good and says nothing."""
    told = refusal(model_of(), AdapterSettings(targets=targets))
    assert told == f"adapter.targets=v_prj matches no layer; {LINEAR}"


def test_targets_that_are_not_there_in_gpt2() -> None:
    told = refusal(model_of("gpt2"), AdapterSettings(targets=("q_proj",)))
    assert told == "adapter.targets=q_proj matches no layer; the linear ones are c_attn, c_fc, c_proj, lm_head"


def test_targets_are_ends_of_names() -> None:
    assert refusal(model_of(), AdapterSettings(targets=("proj",))).startswith("adapter.targets=proj matches no layer")
    names = trained(with_adapter(targets=("layers.1.self_attn.q_proj",)))
    assert {name.split(".lora_")[0] for name in names} == {"base_model.model.model.layers.1.self_attn.q_proj"}


def test_targets_that_take_no_adapter() -> None:
    told = refusal(model_of(), AdapterSettings(targets=("norm",)))
    assert told.startswith(
        "PEFT refuses adapter.targets=['norm']: Target module LlamaRMSNorm((64,), eps=1e-06) is not supported"
    )
    told = refusal(model_of("mamba"), AdapterSettings())
    assert told.startswith("PEFT refuses adapter.targets=all-linear: ")
    assert "out_proj" in told


def test_an_adapter_on_the_head_is_refused() -> None:
    told = "an adapter on the head (lm_head) can't be used; leave the head out of adapter.targets"
    assert refusal(model_of(), AdapterSettings(targets=("q_proj", "lm_head"))) == told


def test_an_adapter_that_came_with_the_model_is_trained_on() -> None:
    model = with_adapter(rank=2)
    names = trained(model)
    assert choose_trainable(model, None, None, torch.bfloat16, adapted=True) is model
    assert trained(model) == names
    assert {p.dtype for p in model.parameters() if p.requires_grad} == {torch.float32}
    assert {p.dtype for p in model.parameters() if not p.requires_grad} == {torch.bfloat16}


@pytest.mark.parametrize("more", [{"adapter": AdapterSettings()}, {"freeze": FreezeSettings(last_layers=1)}])
def test_an_adapter_that_came_with_the_model_is_not_mixed(more: dict[str, Any]) -> None:
    told = "model= names an adapter, which is trained on; leave adapter and freeze out, or merge it first"
    assert refusal(with_adapter(), adapted=True, **more) == told


# Freezing


@pytest.mark.parametrize(
    ("name", "prefix"), [("llama", "model.layers."), ("gpt2", "transformer.h."), ("mamba", "backbone.layers.")]
)
def test_the_last_layers(name: str, prefix: str) -> None:
    every = {one for one, _ in model_of(name, layers=3).named_parameters()}
    last = {one for one in every if one.startswith(f"{prefix}2.")}
    middle = {one for one in every if one.startswith(f"{prefix}1.")}
    assert last
    assert frozen_but(name, 3, last_layers=1) == last
    assert frozen_but(name, 3, last_layers=2) == last | middle
    assert frozen_but(name, 3, last_layers=3) == {one for one in every if one.startswith(prefix)}


def test_an_image_encoder_has_layers_of_its_own() -> None:
    """Its third layer is not the last of a language model of two."""
    import transformers

    text = architecture("gemma3", VOCABULARY, WIDTH).to_dict()
    image = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2}
    config = transformers.Gemma3Config(text_config=text, vision_config={**image, "image_size": 28, "patch_size": 14})
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    found = trained(choose_trainable(model, None, FreezeSettings(last_layers=1), torch.float32))
    assert found
    assert all(name.startswith("model.language_model.layers.1.") for name in found)


def test_the_last_of_more_than_ten_layers() -> None:
    found = frozen_but("llama", 12, last_layers=2)
    assert {name.split(".")[2] for name in found} == {"10", "11"}


def test_names_besides_or_without_layers() -> None:
    assert frozen_but("llama", train=("lm_head",)) == {"lm_head.weight"}
    norms = {"model.layers.0.input_layernorm.weight", "model.layers.1.input_layernorm.weight"}
    assert frozen_but("llama", train=("input_layernorm",)) == norms
    both = frozen_but("llama", last_layers=1, train=("embed", "input_layernorm"))
    assert {"model.embed_tokens.weight", *norms} < both
    assert all(".1." in name for name in both - {"model.embed_tokens.weight", *norms})


def test_freezing_is_not_left_from_before() -> None:
    model = model_of()
    choose_trainable(model, None, FreezeSettings(last_layers=1), torch.float32)
    choose_trainable(model, None, FreezeSettings(train=("lm_head",)), torch.float32)
    assert trained(model) == {"lm_head.weight"}
    choose_trainable(model, None, None, torch.float32)
    assert len(trained(model)) == len(list(model.parameters()))


@pytest.mark.parametrize("own", [torch.float32, torch.float16, torch.bfloat16])
def test_what_freeze_leaves_out_is_never_rounded(own: torch.dtype) -> None:
    """It is written into the result, where it must be what it was."""
    before = {name: parameter.clone() for name, parameter in model_of().to(own).named_parameters()}
    model = choose_trainable(model_of().to(own), None, FreezeSettings(last_layers=1), torch.bfloat16)
    for name, parameter in model.named_parameters():
        exact = torch.bfloat16 if own == torch.bfloat16 else torch.float32
        assert parameter.dtype == (torch.float32 if ".layers.1." in name else exact), name
        assert torch.equal(parameter.to(own), before[name])
    assert count_parameters(model) == (
        sum(p.numel() for n, p in model.named_parameters() if ".layers.1." in n),
        sum(p.numel() for p in model.parameters()),
    )


def test_what_freeze_refuses() -> None:
    assert (
        refusal(model_of(), freeze=FreezeSettings(last_layers=3)) == "freeze.last_layers=3, but the model has 2 layers"
    )
    told = refusal(model_of(), freeze=FreezeSettings(train=("lm_head", "norms")))
    assert told.startswith(
        "freeze.train names 'norms', which is in no parameter's name; they look like model.embed_tokens.weight, "
    )
    told = refusal(model_of(), freeze=FreezeSettings())
    assert told == "freeze leaves nothing to train; give freeze.last_layers or freeze.train"
