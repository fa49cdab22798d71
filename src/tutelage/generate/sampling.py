"""The choice of the next token from the model's logits: greedy, or a draw from a cut and tempered distribution.

A row's draws depend on the seed and the row's own number only, one uniform number a token, so an answer does not change
with the batch it is in, and a job that is resumed draws what it would have drawn.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Sequence

import torch
from torch import Tensor

from tutelage.generate.settings import SamplingSettings


class Sampler:
    """Chooses for the rows of one batch. `numbers` are the rows' own; `prompts` count for the repetition penalty."""

    def __init__(self, settings: SamplingSettings, prompts: Sequence[Sequence[int]], numbers: Sequence[int]) -> None:
        """A batch about to begin; every row starts its own sequence of draws."""
        seed = secrets.randbits(64) if settings.seed is None else settings.seed
        self._settings = settings
        self._prompts = prompts
        self._draws = [random.Random(f"{seed}/{number}") for number in numbers]
        self._seen: Tensor | None = None

    def __call__(self, logits: Tensor, rows: Sequence[int]) -> Tensor:
        """Logits float32 [B, V] of these rows -> token ids int64 [B]."""
        settings = self._settings
        if settings.repetition_penalty != 1:
            logits = penalise(logits, self._seen_by(logits)[list(rows)], settings.repetition_penalty)
        if settings.temperature == 0:
            chosen = logits.argmax(dim=-1)
        else:
            kept = keep_top_p(keep_top_k(logits / settings.temperature, settings.top_k), settings.top_p)
            # 24 bits: every such number is a float32 below 1.
            uniform = [self._draws[row].getrandbits(24) / 2**24 for row in rows]
            chosen = draw(kept, torch.tensor(uniform, device=logits.device))
        if self._seen is not None:
            self._seen[list(rows), chosen] = True
        return chosen

    def _seen_by(self, logits: Tensor) -> Tensor:
        if self._seen is None:
            self._seen = torch.zeros((len(self._prompts), logits.shape[1]), dtype=torch.bool, device=logits.device)
            for row, prompt in enumerate(self._prompts):
                self._seen[row, torch.tensor(prompt, device=logits.device)] = True
        return self._seen


def penalise(logits: Tensor, seen: Tensor, penalty: float) -> Tensor:
    """Divides the positive logits of tokens seen, multiplies the negative ones (CTRL, Keskar et al. 2019, section 4.1).

    Logits 2, -1, 3 of which the first two were seen, penalty 2: 1, -2, 3.
    """
    return torch.where(seen, torch.where(logits > 0, logits / penalty, logits * penalty), logits)


def keep_top_k(logits: Tensor, k: int) -> Tensor:
    """Only the k likeliest tokens (and ties with the last of them) stay possible; 0 keeps all.

    Probabilities .5 .3 .15 .05 and k = 2: the first two stay.
    """
    if k == 0 or k >= logits.shape[1]:
        return logits
    return logits.masked_fill(logits < logits.topk(k).values[:, -1:], -torch.inf)


def keep_top_p(logits: Tensor, p: float) -> Tensor:
    """Only the smallest set of likeliest tokens that holds probability p stays (Holtzman et al. 2020, section 3.1).

    Probabilities .5 .3 .15 .05 and p = .7: the first two, which hold .8, stay; p = .4 leaves the first alone.
    """
    if p == 1:
        return logits
    ordered, order = logits.sort(dim=-1, descending=True)
    probability = ordered.softmax(dim=-1)
    before = probability.cumsum(dim=-1) - probability
    return logits.masked_fill(torch.zeros_like(before, dtype=torch.bool).scatter(1, order, before >= p), -torch.inf)


def draw(logits: Tensor, uniform: Tensor) -> Tensor:
    """Inverse-distribution draw: the first token whose cumulated probability is beyond `uniform` [B], in [0, 1).

    Probabilities .5 .25 .25: 0.49 draws token 0, 0.5 token 1, 0.74 token 1, 0.75 token 2. A token of probability 0 is
    never drawn.
    """
    cumulated = logits.softmax(dim=-1).cumsum(dim=-1)
    return torch.searchsorted(cumulated, uniform[:, None] * cumulated[:, -1:], right=True).squeeze(1)
