"""What keys of a recipe must not say together: a table of rules, each a question and the sentence for its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tutelage.data.settings import DEV
from tutelage.tasks.settings import HELD_OUT, MixtureSettings

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


def _mixes(recipe: Recipe, wrongly: Callable[[MixtureSettings], bool]) -> bool:
    return recipe.data.mixture is not None and wrongly(recipe.data.mixture)


RULES: tuple[tuple[Callable[[Recipe], bool], str], ...] = (
    (lambda r: not r.data.sources and r.data.mixture is None, "The recipe lacks data (for example: data=rows.jsonl)."),
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
        lambda r: r.from_scratch and not _pretrains(r),
        "from_scratch=true forgets all that the model knows, which is for stage=pretrain only: leave it out.",
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
        "data.validation takes a share between 0 and 1, a whole number of examples from 1 on, a file, or dev.",
    ),
    (
        lambda r: r.data.validation == DEV and r.data.mixture is None,
        "data.validation=dev is for tasks, which have dev splits: give a share, a number of examples, or a file.",
    ),
    (
        lambda r: isinstance(r.data.validation, float | int) and not r.data.sources,
        "data.validation as a share or a number holds back rows of files; tasks have dev splits: say "
        "data.validation=dev.",
    ),
    (
        lambda r: _pretrains(r) and r.data.mixture is not None,
        "stage=pretrain reads plain text, and data.mixture gives questions with answers: use stage=sft.",
    ),
    (
        lambda r: _mixes(r, lambda m: m.related is not None and not m.hold_out),
        "data.mixture.related says what leaves with the clusters of data.mixture.hold_out: give these too.",
    ),
    (
        lambda r: _mixes(r, lambda m: bool(m.rates) != (m.mixing == "given")),
        "data.mixture.rates and data.mixture.mixing=given go together: give both, or neither.",
    ),
    (
        lambda r: _mixes(r, lambda m: HELD_OUT in (m.decontaminate or ()) and not m.hold_out),
        "data.mixture.decontaminate=held-out is for the tasks of data.mixture.hold_out: name clusters there, or tasks.",
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
