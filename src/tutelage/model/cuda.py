"""Attention over a forest on CUDA: torch's variable-length kernel, or FlexAttention where prefixes are shared."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor

from tutelage.model.attention import Score
from tutelage.model.layout import Layout


def varlen_takes(query: Tensor, value: Tensor) -> bool:
    """Whether the variable-length kernel (FlashAttention 2) computes in this dtype and these widths."""
    width = query.shape[-1]
    return query.dtype in (torch.float16, torch.bfloat16) and width == value.shape[-1] <= 256 and width % 8 == 0


def varlen_attend(
    layout: Layout, query: Tensor, key: Tensor, value: Tensor, window: int, scale: float | None
) -> Tensor:
    """query [1, H, T, D], key and value [1, K, T, D] → [1, T, H, D]; every tree of the layout is a single sequence."""
    from torch.nn.attention.varlen import varlen_attn

    edges, longest = layout.edges
    q, k, v = (x[0].transpose(0, 1).contiguous() for x in (query, key, value))
    # Torch counts the keys to the left of the query; transformers' windows count the query too.
    reach = (window - 1 if window else -1, 0)
    out = varlen_attn(q, k, v, edges, edges, longest, longest, scale=scale, window_size=reach, enable_gqa=True)
    assert isinstance(out, Tensor)
    return out[None]


def flex_attend(layout: Layout, query: Tensor, key: Tensor, value: Tensor, window: int, score: Score) -> Tensor:
    """query [1, H, T, D], key and value [1, K, T, D] → [1, T, H, D].

    The soft cap is a score modification; sinks come in by the log-sum-exp.
    """
    from torch.nn.attention.flex_attention import AuxRequest

    blocks = _block_mask(layout, window)
    options: dict[str, Any] = {"block_mask": blocks, "scale": score.scale, "enable_gqa": True}
    if score.softcap is not None:
        options["score_mod"] = _softcap(score.softcap)
    if score.sinks is None:
        out = _compiled()(query, key, value, **options)
    else:
        out, aux = _compiled()(query, key, value, return_aux=AuxRequest(lse=True), **options)
        # A sink takes its share of the softmax and gives nothing: out · e^lse / (e^lse + e^sink).
        share = torch.sigmoid(aux.lse - score.sinks.float().view(1, -1, 1))
        out = out * share[..., None].to(out.dtype)
    result: Tensor = out.transpose(1, 2)
    return result


@cache
def _compiled() -> Any:
    from torch.nn.attention.flex_attention import flex_attention

    return torch.compile(flex_attention, dynamic=True)


def _softcap(cap: float) -> Any:
    def modify(score: Tensor, batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return cap * torch.tanh(score / cap)

    return modify


def _block_mask(layout: Layout, window: int) -> Any:
    """FlexAttention's sparse mask of a layout; made once for each kind of layer and kept with the layout."""
    from torch.nn.attention.flex_attention import create_block_mask

    made = layout.block_masks.get(window)
    if made is None:
        end, depth = layout.subtree_end[0], layout.position[0]

        def rule(batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
            seen = (key <= query) & (query < end[key])
            return seen & (depth[query] - depth[key] < window) if window else seen

        made = create_block_mask(rule, None, None, layout.size, layout.size, device=layout.device)
        layout.block_masks[window] = made
    return made
