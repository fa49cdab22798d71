"""What keys of a recipe must not say together: a table of rules, each a question and the sentence for its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tutelage.run.recipe import Recipe


def broken_rule(recipe: Recipe) -> str | None:
    """The sentence of the first rule that the recipe breaks, or None."""
    return next((sentence for broken, sentence in RULES if broken(recipe)), None)


def _pretrains(recipe: Recipe) -> bool:
    return recipe.stage == "pretrain"


def _validates_nothing(recipe: Recipe) -> bool:
    return recipe.data.validation is None


def _bad_validation(recipe: Recipe) -> bool:
    held = recipe.data.validation
    return (isinstance(held, float) and not 0 < held < 1) or (isinstance(held, int) and held < 1)


RULES: tuple[tuple[Callable[[Recipe], bool], str], ...] = (
    (lambda r: not r.data.sources, "The recipe lacks data (for example: data=rows.jsonl)."),
    (lambda r: not r.model.strip(), "model is empty: name a folder or a hub id, such as Qwen/Qwen3-0.6B."),
    (
        lambda r: r.adapter is not None and r.freeze is not None,
        "adapter and freeze can't both be given, for an adapter already freezes the model: set one of them to null.",
    ),
    (
        lambda r: r.resume and r.overwrite,
        "resume=true continues the run in `output` and overwrite=true deletes it: give only one of them.",
    ),
    (
        lambda r: r.freeze is not None and r.freeze.last_layers is None and not r.freeze.train,
        "freeze leaves nothing to train: give freeze.last_layers or freeze.train, or set freeze to null.",
    ),
    (
        lambda r: _pretrains(r) and r.overlong == "truncate-prompt",
        "overlong=truncate-prompt is for conversations, stage=pretrain has no prompts: take split, drop or error.",
    ),
    (
        lambda r: _pretrains(r) and r.objective.train_on in ("last", "messages"),
        "stage=pretrain learns everything, so objective.train_on can't be last or messages: leave it out.",
    ),
    (
        _bad_validation,
        "data.validation takes a share between 0 and 1, a whole number of examples from 1 on, or a file.",
    ),
    (
        lambda r: r.train.early_stopping is not None and _validates_nothing(r),
        "train.early_stopping needs a validation loss: give data.validation, such as data.validation=0.05.",
    ),
    (
        lambda r: r.train.validate_every is not None and _validates_nothing(r),
        "train.validate_every needs something to validate on: give data.validation, such as data.validation=0.05.",
    ),
    (
        lambda r: r.train.warmup >= 1 and r.train.warmup != int(r.train.warmup),
        "train.warmup is a share of all steps below 1, else a whole number of steps.",
    ),
    (
        lambda r: r.train.max_steps is not None and r.train.warmup >= 1 and r.train.warmup >= r.train.max_steps,
        "train.warmup is as long as train.max_steps, so the learning rate is never reached: make it shorter.",
    ),
    (
        lambda r: r.train.schedule == "warmup-stable-decay" and r.train.warmup < 1 < r.train.warmup + r.train.decay,
        "train.warmup and train.decay together are more than all steps: make one of them smaller.",
    ),
)
