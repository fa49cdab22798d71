"""Learning rates as pure functions of the step: nothing to save, nothing that a resume could get wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from tutelage.train.settings import TrainSettings


def schedule(settings: TrainSettings, steps: int) -> Callable[[int], float]:
    """`factor(step)` for step 1 … steps: the share of the learning rate that this step uses.

    Example, linear over 10 steps with 2 of warm-up: 0.5, 1.0, then 1.0, 0.875, 0.75 … 0.125 as the ten steps end.
    """
    warmup = warmup_steps(settings, steps)
    after = max(1, steps - warmup)
    curve = partial(_CURVES[settings.schedule], decay=min(1.0, _whole(settings.decay, steps) / after))

    def factor(step: int) -> float:
        if step <= warmup:
            return step / warmup
        done = (step - 1 - warmup) / after
        return settings.final_learning_rate + (1 - settings.final_learning_rate) * curve(done)

    return factor


def warmup_steps(settings: TrainSettings, steps: int) -> int:
    """`train.warmup` in steps: a share below 1 is rounded up; never longer than the run."""
    wanted = _whole(settings.warmup, steps) if settings.warmup < 1 else int(settings.warmup)
    return min(wanted, steps)


def _whole(share: float, steps: int) -> int:
    """A share of all steps, rounded up: `_whole(0.07, 100) == 7`, though 0.07 * 100 is a little more as a float."""
    return math.ceil(round(share * steps, 6))


# done: the share of the steps after the warm-up that are done; decay: that over which warmup-stable-decay decays.


def _cosine(done: float, decay: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * done))


def _linear(done: float, decay: float) -> float:
    return 1 - done


def _constant(done: float, decay: float) -> float:
    return 1.0


def _warmup_stable_decay(done: float, decay: float) -> float:
    """Constant, then linear to the end over the last `train.decay` of all steps (Hu et al. 2024, MiniCPM)."""
    return min(1.0, (1 - done) / decay) if decay else 1.0


_CURVES: dict[str, Callable[..., float]] = {
    "cosine": _cosine,
    "linear": _linear,
    "constant": _constant,
    "warmup-stable-decay": _warmup_stable_decay,
}
