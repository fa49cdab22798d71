"""What a run trains with: the model and what of it is trained, the batches, the optimiser, the loop that joins them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch

from tutelage.model.forward import ForestModel, checkpoint_activations
from tutelage.model.load import Loaded, best_device, load_model
from tutelage.model.trainable import choose_trainable
from tutelage.objectives.sft import example_weights
from tutelage.run.directory import RunDirectory
from tutelage.run.events import Event, Note, Saved, Stepped, Validated, Warned
from tutelage.run.metrics import MetricsLog
from tutelage.run.mixture import RunMixture, told
from tutelage.run.recipe import Recipe
from tutelage.run.rows import Rows
from tutelage.run.trackers import Trackers
from tutelage.tokens.planner import Order
from tutelage.tokens.store import Examples
from tutelage.train.batches import Batches
from tutelage.train.checkpoint import Checkpoints, Progress
from tutelage.train.loop import Loop, Observer
from tutelage.train.memory import keep_freed_memory
from tutelage.train.meter import Meter
from tutelage.train.optimizers import build_optimizers
from tutelage.train.ranks import Ranks

Announce = Callable[[Event], None]

# Enough for matrix products to be fast (docs/log.md), little enough to fit.
TOKENS_PER_FOREST = {"cpu": 1024, "cuda": 8192}


@dataclass
class Setup:
    """What a run trains with."""

    loaded: Loaded
    loop: Loop
    dtype: torch.dtype
    observed: Observed


class Observed:
    """Passes the loop's figures on: to metrics.jsonl, the trackers, and whoever listens."""

    def __init__(self, tell: Announce, directory: RunDirectory, steps: int, mixture: RunMixture | None = None) -> None:
        self.tell = tell
        self.directory = directory
        self.steps = steps
        self._mixture = mixture
        self.log: MetricsLog | None = None
        self.trackers: Trackers | None = None

    def observer(self) -> Observer:
        """The functions that the loop calls."""
        return Observer(self._stepped, self._validated, self._saved)

    def _stepped(self, metrics: dict[str, float | int]) -> None:
        self._tell_of_epochs()
        if self.log:
            self.log.append(metrics)
        if self.trackers:
            self.trackers.log(metrics)
        self.tell(Stepped(metrics, self.steps))

    def _tell_of_epochs(self) -> None:
        """What became of the examples of epochs that were made in the background."""
        for epoch in self._mixture.news() if self._mixture else ():
            line = told(epoch)
            if line:
                self.tell(Warned(line))
            if self.log:
                self.directory.add_epoch(epoch)

    def _validated(self, step: int, loss: float, best: bool) -> None:
        self.tell(Validated(step, loss, best))

    def _saved(self, progress: Progress) -> None:
        self.tell(Saved(progress.step, str(self.directory.checkpoints / f"step-{progress.step:08d}")))


def set_up(recipe: Recipe, rows: Rows, directory: RunDirectory, ranks: Ranks, tell: Announce) -> Setup:
    """Loads the model and puts together what trains it.

    Raises:
        UserError: the model can't be loaded, or what is to be trained can't be found in it.
    """
    settings = recipe.train
    device = torch.device(best_device())
    if device.type == "cpu":
        keep_freed_memory()
    dtype = computing_dtype(settings.dtype, device)
    loaded = load_model(
        recipe.model,
        device="cpu",
        seed=recipe.seed,
        may_be_random=recipe.stage == "pretrain",
        trainable_adapter=True,
        trust_remote_code=recipe.trust_remote_code,
        from_scratch=recipe.from_scratch,
    )
    own_dtype = next(loaded.model.parameters()).dtype
    net = choose_trainable(loaded.model, recipe.adapter, recipe.freeze, dtype, loaded.adapted, recipe.seed)
    loaded.model = net.to(device)
    model = ForestModel(net, forest=loaded.forest, dtype=dtype)
    if loaded.why_alone:
        tell(Note(f"{type(model.language_model).__name__} runs its sequences one by one: {loaded.why_alone}"))
    if settings.gradient_checkpointing:
        checkpoint_activations(model.language_model)
    order = _order(rows.train, recipe, settings.batch_size, settings.batch_tokens, settings.shuffle)
    steps = settings.max_steps or order.steps(settings.epochs)
    observed = Observed(tell, directory, steps, rows.mixture)
    rate = settings.learning_rate or _usual_learning_rate(recipe, loaded)
    loop = Loop(
        model=model,
        batches=_batches(rows.train, order, recipe, loaded, ranks, epochs=-(-steps // len(order.epoch(0)))),
        validation=None if rows.validation is None else _validation(rows.validation, recipe, loaded, ranks),
        optimizers=build_optimizers(model, settings, rate),
        settings=settings,
        steps=steps,
        seed=recipe.seed,
        checkpoints=Checkpoints(directory.checkpoints, settings.keep_checkpoints),
        observer=observed.observer(),
        meter=Meter(model, model.language_model, device, dtype),
        device=device,
        ranks=ranks,
    )
    return Setup(loaded, loop, own_dtype, observed)


def _order(examples: Examples, recipe: Recipe, size: int, tokens: int | None = None, shuffle: bool = True) -> Order:
    return Order(
        lambda epoch: examples.store(epoch).tokens(),
        recipe.seed,
        size,
        tokens,
        constant=examples.constant,
        shuffle=shuffle,
    )


def _batches(
    examples: Examples, order: Order, recipe: Recipe, loaded: Loaded, ranks: Ranks, epochs: int = 1
) -> Batches:
    weigh = partial(example_weights, average=recipe.objective.loss_average)
    budget = recipe.train.tokens_per_forest or TOKENS_PER_FOREST[loaded.device.type]
    share = loaded.forest
    return Batches(examples, order, weigh, budget, epochs=epochs, share=share, rank=ranks.rank, ranks=ranks.count)


def _validation(examples: Examples, recipe: Recipe, loaded: Loaded, ranks: Ranks) -> Batches:
    together = max(recipe.train.batch_size, 16) * ranks.count
    return _batches(examples, _order(examples, recipe, together), recipe, loaded, ranks)


def computing_dtype(wanted: str, device: torch.device) -> torch.dtype:
    """The precision of matrix products: what `train.dtype` says; for "auto" bfloat16 where the hardware has it."""
    if wanted != "auto":
        dtype: torch.dtype = getattr(torch, wanted)
        return dtype
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    has = device.type == "cpu" and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return torch.bfloat16 if has else torch.float32


def _usual_learning_rate(recipe: Recipe, loaded: Loaded) -> float:
    if recipe.stage == "pretrain":
        return 3e-4
    return 2e-4 if recipe.adapter or loaded.adapted else 2e-5
