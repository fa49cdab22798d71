"""Can this model take a forest, and is its head known? Asked at load, so that no model is silently run wrong.

Two questions about forests, because each alone can be passed wrongly. *Leak*: changing the tokens of one branch must
leave every other row bit-identical (a recurrent model carries state across branches). *Equality*: log-probabilities in
the forest equal those of each sequence alone (a model that counts positions by place in the row passes the first). The
second needs float32 and windows shorter than the sequences, so all run on a small random model of the same
configuration. Its *head* must give, from the hidden states, the logits that the model itself gives.
"""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any

import numpy as np
import torch

from tutelage.errors import UserError
from tutelage.model.attention import register
from tutelage.model.forward import ForestModel, body_of, use_forest_attention
from tutelage.model.head import head_of
from tutelage.model.layout import Layout
from tutelage.records import Leaf
from tutelage.tokens.forest import build_forest

# Right models differ by at most 1e-6 here, wrong ones by 3e-2 and more (notes: detection at load).
TOLERANCE = 1e-3
# Shorter than the probe's sequences, so that windows and chunks cut.
WINDOW = 8
VOCABULARY = 128
# Logits so large that every soft cap bends them.
LOGIT_SPREAD = 20.0
NO_INTERFACE = "its attention does not go through transformers' attention interface"


def why_not_forest(model: Any) -> str | None:
    """None if the model takes forests (and is now set to), else the reason in a few words, for one line to the user.

    Raises:
        UserError: its head does more than `model/head.py` knows, so its loss would be wrong either way.
    """
    register()
    takes = use_forest_attention(model)
    reason = None if takes else NO_INTERFACE
    try:
        small = _small_copy(model.config)
        if not head_is_known(small):
            raise UserError(
                f"{type(model).__name__} changes its logits in a way that Tutelage does not know, so its loss would be "
                "wrong; choose another model, or open an issue that names this one"
            )
        if takes:
            reason = _trial(small)
    except UserError:
        raise
    except Exception as error:  # whatever a model's code raises, running its sequences alone is right
        reason = (
            f"the trial failed with {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}".rstrip(
                ": "
            )
        )
    if takes and reason:
        model.set_attn_implementation("sdpa" if model._supports_sdpa else "eager")
    return reason


def _trial(small: Any) -> str | None:
    if not use_forest_attention(small):
        return NO_INTERFACE
    if leaks(small):
        return "it carries state from one sequence to the next"
    return None if equals_alone(small) else "its positions or windows do not follow the branches"


def head_is_known(model: Any) -> bool:
    """Whether `head_of` the model gives its own logits, also where they are large. The model is left as it was."""
    weight = model.get_output_embeddings().weight
    ids = torch.from_numpy(_leaves()[0].ids.astype(np.int64))[None]
    with torch.no_grad():
        before = weight.clone()
        weight.mul_(LOGIT_SPREAD / model(input_ids=ids, use_cache=False).logits.std())
        logits = model(input_ids=ids, use_cache=False).logits.float()
        found = head_of(model).logits(body_of(model)(input_ids=ids, use_cache=False)[0])
        weight.copy_(before)
    return found.shape == logits.shape and bool((found - logits).abs().max() < TOLERANCE * logits.abs().max())


def leaks(model: Any) -> bool:
    """Whether changing one branch changes the hidden states of any other, by as little as one bit."""
    before, after = _leaves(), _leaves()
    after[0].ids[21:-1] = (after[0].ids[21:-1] + 1) % VOCABULARY
    changed = build_forest(before).token != build_forest(after).token
    states = [_states(model, leaves) for leaves in (before, after)]
    return not torch.equal(states[0][:, ~changed], states[1][:, ~changed])


def equals_alone(model: Any) -> bool:
    """Whether log-probabilities in a forest are those of each sequence by itself, with the model's own attention."""
    leaves = _leaves()
    with torch.no_grad():
        together = ForestModel(model)(Layout(build_forest(leaves)), each=True)
        model.set_attn_implementation("eager")
        alone = [
            ForestModel(model, forest=False)(Layout(build_forest([leaf]), backend="dense"), each=True)
            for leaf in leaves
        ]
    use_forest_attention(model)
    return bool((together - torch.cat(alone)).abs().max() < TOLERANCE)


def _leaves() -> list[Leaf]:
    """Five sequences of 9 to 32 tokens: three branch off a prefix of 20, one continues another, one is alone."""
    random = np.random.default_rng(0)
    first = random.integers(1, VOCABULARY - 1, 32)
    first[20] = 10  # the branches' order in the row must not depend on what the leak probe changes after this
    second = np.concatenate([first[:20], first[20:29] + 1])
    third = np.concatenate([first[:20], first[20:31] + 2])
    fourth = np.concatenate([second, first[:3]])
    fifth = random.integers(1, VOCABULARY, 9)
    return [Leaf((ids % VOCABULARY).astype(np.int32), 1) for ids in (first, second, third, fourth, fifth)]


def _states(model: Any, leaves: list[Leaf]) -> torch.Tensor:
    with torch.no_grad():
        return ForestModel(model)._states(Layout(build_forest(leaves)))


def _small_copy(config: Any) -> Any:
    """A random float32 model of the same kind: few layers but each kind of them, a small vocabulary, short windows."""
    from transformers import AutoModelForCausalLM

    small = copy.deepcopy(config)
    text = small.get_text_config() if hasattr(small, "get_text_config") else small
    kinds = list(dict.fromkeys(getattr(text, "layer_types", None) or [])) * 2
    shrunken = {
        "num_hidden_layers": len(kinds) or 2,
        "layer_types": kinds,
        "vocab_size": VOCABULARY,
        "sliding_window": WINDOW,
        "attention_chunk_size": WINDOW,
        "intermediate_size": 64,
        "moe_intermediate_size": 64,
        "shared_expert_intermediate_size": 64,
        "pad_token_id": None,
        "bos_token_id": None,
        "eos_token_id": None,
    }
    for name, value in shrunken.items():
        if getattr(text, name, None) is not None:
            with suppress(AttributeError):  # a property made of the other values
                setattr(text, name, value)
    generator_state = torch.random.get_rng_state()
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(small, dtype=torch.float32, attn_implementation="eager").eval()
    torch.random.set_rng_state(generator_state)
    return model
