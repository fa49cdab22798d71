"""Supervised tuning and pretraining: the weighted mean of negative log-probabilities over the global batch."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray


def example_weights(supervised: NDArray[np.int64], average: Literal["token", "example"]) -> NDArray[np.float32]:
    """The loss weight of each supervised token of an example, float32 [E]; supervised: how many it has, int64 [E].

    The loss of a batch is Σ weight · (−log p) ÷ Σ weight over all its supervised tokens, whatever forests and ranks it
    is cut into. "token": the mean over tokens. "example": the mean over examples of their own means.

        >>> example_weights(np.array([4, 2]), "token")
        array([1., 1.], dtype=float32)
        >>> example_weights(np.array([4, 2]), "example")
        array([0.25, 0.5 ], dtype=float32)
    """
    if average == "token":
        return np.ones(len(supervised), np.float32)
    return (1.0 / np.maximum(supervised, 1)).astype(np.float32)
