"""Attention over a forest, for every model that goes through transformers' attention interface.

`register()` adds an attention function and a mask function named "forest". The mask function receives the model's own
rule for each kind of layer (causal, sliding window, chunked) and evaluates it on *depths*, so that windows hold along
every branch without reading any configuration. What it hands to the attention function is a window code (int64 [1, 1,
1, 1]; 0: full) or, for rules that are no window, the dense mask. Outside a forest both do what transformers' "sdpa"
does, so generation works as ever.

Two traps this avoids (both silent): with `attention_mask=None` transformers takes position jumps for packing and cuts
branches from their prefix, so callers pass an all-ones 2-D mask; and a 4-D mask handed to a model would replace its
sliding windows.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tutelage.model.layout import Layout, current

NAME = "forest"
# Torch's attention on a CPU is slower in bfloat16 than in float32 up to so many queries: 2.3 against 1.7 ms at 128,
# forward and backward (docs/log.md).
FLOAT_ON_CPU = 128

Backend = Callable[[Layout, Tensor, Tensor, Tensor, int, "Score"], Tensor]


class Score:
    """How a layer turns q·k into weights: scale, soft cap (Gemma 2) and attention sinks (GPT-OSS, float [heads])."""

    def __init__(self, scale: float | None, dropout: float, softcap: float | None, sinks: Tensor | None) -> None:
        self.scale = scale
        self.dropout = dropout
        self.softcap = softcap
        self.sinks = sinks

    @property
    def plain(self) -> bool:
        """Whether torch's fused attention computes it."""
        return self.softcap is None and self.sinks is None


def register() -> None:
    """Makes `attn_implementation="forest"` known to transformers; calling it again changes nothing."""
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register(NAME, forest_attention)
    AttentionMaskInterface.register(NAME, forest_mask)


def forest_mask(
    batch_size: int, q_length: int, kv_length: int, mask_function: Callable[..., Tensor], **options: Any
) -> Tensor | None:
    """transformers' mask interface: the layer kind's rule as a window code or a dense bool mask [1, 1, T, T]."""
    from transformers.masking_utils import sdpa_mask

    layout = current()
    if layout is None:
        mask: Tensor | None = sdpa_mask(
            batch_size=batch_size, q_length=q_length, kv_length=kv_length, mask_function=mask_function, **options
        )
        return mask
    window = window_of(mask_function, int(layout.forest.position.max()) + 1, layout.device)
    if window is not None:
        return torch.tensor(window).view(1, 1, 1, 1)
    zero = torch.zeros(1, 1, 1, 1, dtype=torch.long, device=layout.device)
    depth = layout.position.view(1, 1, -1)
    own = mask_function(zero, zero, depth[..., :, None], depth[..., None, :])
    return own & layout.mask(layout.whole(), 0)


def window_of(rule: Callable[..., Tensor], length: int, device: torch.device | str = "cpu") -> int | None:
    """The window of a mask rule over `length` positions: 0 if it is full causal attention, None if it is no window.

    Read off the last row, then checked at both edges of every row, so that a chunked rule is not taken for a window.
    """
    zero = torch.zeros(1, 1, 1, 1, dtype=torch.long, device=device)
    query = torch.arange(length, device=device).view(1, 1, -1, 1)
    last = rule(zero, zero, query[:, :, -1:], query.transpose(2, 3)).flatten()
    window = int(last.sum())
    beyond = query[:, :, window:]
    fits = (
        bool(last[length - window :].all())
        and bool(rule(zero, zero, query, query).all())
        and bool(rule(zero, zero, query, (query - window + 1).clamp(min=0)).all())
        and not bool(rule(zero, zero, beyond, beyond - window).any())
    )
    return (window if window < length else 0) if fits else None


def forest_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    softcap: float | None = None,
    s_aux: Tensor | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """transformers' attention interface. query: [1, H, T, D], key and value: [1, K, T, D]; returns [1, T, H, D]."""
    layout = current()
    score = Score(scaling, dropout, softcap, s_aux)
    if layout is None:
        if not score.plain:  # what torch's fused attention lacks; transformers' "sdpa" refuses it or leaves it out
            return _attend_by_hand(query, key, value, attention_mask, score).transpose(1, 2).contiguous(), None
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        result: tuple[Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, dropout=dropout, **options
        )
        return result
    if options.get("position_bias") is not None:
        raise NotForestError("it adds a learned bias by position")
    if attention_mask is None:
        raise NotForestError("it gives its attention no mask")
    if attention_mask.dtype == torch.bool:
        return _attend(query, key, value, attention_mask[0, 0], score).transpose(1, 2), None
    backend = BACKENDS[layout.backend]
    return backend(layout, query, key, value, int(attention_mask), score), None


class NotForestError(Exception):
    """Raised in a forward pass by a model whose attention is more than the interface tells; it is then run alone."""


def dense(layout: Layout, query: Tensor, key: Tensor, value: Tensor, window: int, score: Score) -> Tensor:
    """The reference: one call with the whole [T, T] mask. Any device; the oracle of the tests."""
    return _attend(query, key, value, layout.mask(layout.whole(), window), score).transpose(1, 2)


def segments(layout: Layout, query: Tensor, key: Tensor, value: Tensor, window: int, score: Score) -> Tensor:
    """A call for each block, on views: no [T, T] mask, no padding. The fast one on a CPU.

    Tensors are split once at every place where any block's keys begin or end, because the backward of a split is one
    concatenation, while that of many slices writes a zero-filled copy of the whole for each.
    """
    cuts = sorted({0, layout.size, *(edge for block in layout.blocks for piece in block.keys for edge in piece)})
    sizes = [end - start for start, end in pairwise(cuts)]
    place = {cut: number for number, cut in enumerate(cuts)}
    keys, values = torch.split(key, sizes, dim=2), torch.split(value, sizes, dim=2)
    queries = torch.split(query, [block.end - block.start for block in layout.blocks], dim=2)
    out = []
    for block, q in zip(layout.blocks, queries, strict=True):
        pieces = [number for start, end in block.keys for number in range(place[start], place[end])]
        k, v = _gather(keys, pieces), _gather(values, pieces)
        masked = block.masked or bool(window and block.end - block.start > window)
        out.append(_attend(q, k, v, layout.mask(block, window) if masked else None, score).transpose(1, 2))
    return torch.cat(out, dim=1)


def _gather(pieces: tuple[Tensor, ...], numbers: list[int]) -> Tensor:
    return pieces[numbers[0]] if len(numbers) == 1 else torch.cat([pieces[number] for number in numbers], dim=2)


def _attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, score: Score) -> Tensor:
    """Attention of [1, H, Q, D] over [1, K, S, D], returns [1, H, Q, Dv].

    mask: bool [Q, S]; None: causal, with Q == S.
    """
    if not score.plain:
        return _attend_by_hand(query, key, value, mask, score)
    # Under autocast rotary positions have made query and key float32 already: the value tells what is computed in.
    if query.device.type == "cpu" and value.dtype == torch.bfloat16 and query.shape[2] <= FLOAT_ON_CPU:
        with torch.autocast("cpu", enabled=False):
            return _attend_fused(query.float(), key.float(), value.float(), mask, score).to(value.dtype)
    return _attend_fused(query, key, value, mask, score)


def _attend_fused(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, score: Score) -> Tensor:
    heads, groups = query.shape[1], key.shape[1]
    # Grouped-query attention as a batch of groups: broadcasting instead of copying the keys for each query head.
    q = query.reshape(groups, heads // groups, *query.shape[2:])
    k, v = (x.transpose(0, 1).expand(-1, heads // groups, -1, -1) for x in (key, value))
    out = F.scaled_dot_product_attention(
        q, k, v, attn_mask=mask, dropout_p=score.dropout, is_causal=mask is None, scale=score.scale
    )
    return out.reshape(1, heads, query.shape[2], value.shape[3])


def _attend_by_hand(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, score: Score) -> Tensor:
    repeats = query.shape[1] // key.shape[1]
    k, v = key.repeat_interleave(repeats, 1), value.repeat_interleave(repeats, 1)
    scale = query.shape[-1] ** -0.5 if score.scale is None else score.scale
    logits = query @ k.transpose(2, 3) * scale
    if score.softcap is not None:
        logits = score.softcap * torch.tanh(logits / score.softcap)
    if mask is None:
        queries, keys = logits.shape[2:]  # the last query sees all keys, with a cache too
        mask = torch.ones(queries, keys, dtype=torch.bool, device=logits.device).tril(keys - queries)
    logits = logits.masked_fill(~mask, torch.finfo(logits.dtype).min)
    if score.sinks is not None:
        sink = score.sinks.to(logits.dtype).view(1, -1, 1, 1).expand(logits.shape[0], -1, logits.shape[2], 1)
        weights = torch.softmax(torch.cat([logits, sink], -1), -1, dtype=torch.float32)[..., :-1]
    else:
        weights = torch.softmax(logits, -1, dtype=torch.float32)
    return F.dropout(weights.to(v.dtype), score.dropout) @ v


def varlen(layout: Layout, query: Tensor, key: Tensor, value: Tensor, window: int, score: Score) -> Tensor:
    """CUDA, nothing shared: torch's variable-length attention over the sequences. What it lacks goes to `flex`."""
    from tutelage.model.cuda import varlen_attend, varlen_takes

    query, key, value = _of_one_dtype(query, key, value)
    if not score.plain or score.dropout or not varlen_takes(query, value):
        return flex(layout, query, key, value, window, score)
    return varlen_attend(layout, query, key, value, window, score.scale)


def flex(layout: Layout, query: Tensor, key: Tensor, value: Tensor, window: int, score: Score) -> Tensor:
    """CUDA, shared prefixes: FlexAttention with the forest's visibility as its block mask; `dense` for dropout."""
    from tutelage.model.cuda import flex_attend

    if score.dropout:
        return dense(layout, query, key, value, window, score)
    return flex_attend(layout, *_of_one_dtype(query, key, value), window, score)


def _of_one_dtype(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What autocast does for torch's own attention, and not for these kernels.

    Rotary embeddings, computed in float32, leave query and key wider than the value.
    """
    kind = query.device.type
    if torch.is_autocast_enabled(kind):
        dtype = torch.get_autocast_dtype(kind)
        return query.to(dtype), key.to(dtype), value.to(dtype)
    return query, key.to(query.dtype), value.to(query.dtype)


BACKENDS: dict[str, Backend] = {"dense": dense, "segments": segments, "varlen": varlen, "flex": flex}
