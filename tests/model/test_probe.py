"""`tutelage.model.probe`: heads that are not what `head_of` says are refused. Forests are tested in the invariants."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tutelage.errors import UserError
from tutelage.model.head import head_of
from tutelage.model.probe import head_is_known, why_not_forest

SIZES = {
    "vocab_size": 128,
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "bos_token_id": None,
    "eos_token_id": None,
    "pad_token_id": None,
}


def model_of(kind: str, **settings: object) -> Any:
    import transformers

    config = getattr(transformers, f"{kind}Config")(**SIZES, **settings)
    return transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("Llama", {}),
        ("Llama", {"tie_word_embeddings": True}),
        ("Gemma2", {}),
        ("Cohere", {"logit_scale": 0.1}),
        ("Granite", {"logits_scaling": 8.0}),
        ("RecurrentGemma", {}),
    ],
)
def test_heads_that_are_known(kind: str, settings: dict[str, object]) -> None:
    model = model_of(kind, **settings)
    before = {name: parameter.clone() for name, parameter in model.named_parameters()}
    assert head_is_known(model)
    assert all(torch.equal(parameter, before[name]) for name, parameter in model.named_parameters())


@pytest.mark.parametrize(
    ("kind", "settings"), [("Bert", {"is_decoder": True}), ("HyperCLOVAX", {"logits_scaling": 0.1})]
)
def test_heads_that_are_not_known_are_refused(kind: str, settings: dict[str, object]) -> None:
    """BERT puts layers before its head; HyperCLOVA X multiplies by what Granite, under the same name, divides by."""
    model = model_of(kind, **settings)
    with pytest.raises(UserError, match=f"{type(model).__name__} changes its logits"):
        why_not_forest(model)


def test_a_soft_cap_left_out_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Although the logits of a random model are far below the cap."""
    model = model_of("Gemma2")
    assert head_of(model).softcap == 30.0
    monkeypatch.setattr("tutelage.model.head.SOFTCAPS", ())
    assert not head_is_known(model)
