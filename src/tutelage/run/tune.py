"""One run of one stage: `tune(recipe, announce)` does what `tutelage tune` does.

    recipe → run directory → rows → token ids → model → loop → model/ and report

Everything that can be found wrong without the model is found before it is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import torch

from tutelage.data.ledger import Ledger
from tutelage.errors import UserError
from tutelage.model.forward import ForestModel, checkpoint_activations
from tutelage.model.load import Loaded, best_device, load_config, load_model, load_tokenizer, quiet
from tutelage.model.locate import Located, locate, no_weights
from tutelage.model.trainable import choose_trainable, count_parameters, refuse_two_adapters
from tutelage.objectives.sft import example_weights
from tutelage.run.directory import RunDirectory
from tutelage.run.environment import check_same_data, describe, fingerprint
from tutelage.run.events import Event, Finished, Interrupted, Note, Planned, Saved, Stepped, Stopped, Validated
from tutelage.run.metrics import MetricsLog
from tutelage.run.recipe import Recipe, flat_values
from tutelage.run.result import write_model
from tutelage.run.rows import Rows, read_examples, refuse_unknown_ids, tellings
from tutelage.run.trackers import Trackers, check_trackers
from tutelage.tokens.chat import ChatFormat
from tutelage.tokens.encode import Encoder
from tutelage.tokens.planner import Order
from tutelage.tokens.store import LeafStore
from tutelage.tokens.templates import resolve_template
from tutelage.train.batches import Batches
from tutelage.train.checkpoint import Checkpoints, Progress
from tutelage.train.loop import Loop, Observer, deterministic
from tutelage.train.memory import keep_freed_memory
from tutelage.train.meter import Meter
from tutelage.train.optimizers import build_optimizers
from tutelage.train.ranks import Ranks, joined

Announce = Callable[[Event], None]

# Tokens a sequence, where neither the recipe nor the model sets a smaller limit.
LONGEST = 2048
# Enough for matrix products to be fast (docs/log.md), little enough to fit.
TOKENS_PER_FOREST = {"cpu": 1024, "cuda": 8192}


def tune(recipe: Recipe, announce: Announce = lambda event: None) -> dict[str, Any]:
    """Runs the recipe and returns the outcome, which report.json holds too.

    `announce` is told what happens as it happens.

    Raises:
        UserError: what the person has to mend, in one sentence.
        Stopped: Ctrl-C or SIGTERM; everything up to the last step is saved.
    """
    quiet()
    with joined() as ranks:
        return _run(recipe, announce if ranks.first else lambda event: None, ranks)


def _run(recipe: Recipe, tell: Announce, ranks: Ranks) -> dict[str, Any]:
    located = locate(recipe.model)
    if located.random and recipe.stage != "pretrain":
        raise UserError(no_weights(recipe.model))
    refuse_two_adapters(located.adapter is not None, recipe.adapter, recipe.freeze)
    check_trackers(recipe.train.trackers)
    directory = RunDirectory(recipe.output)
    continues = directory.prepare(recipe) if ranks.first else recipe.resume
    ranks.wait()
    tokenizer = load_tokenizer(located, recipe.trust_remote_code)
    started = _started(directory, continues)
    if continues and ranks.first and directory.environment.exists():  # before anything of the run is written again
        then = orjson.loads(directory.environment.read_bytes())
        check_same_data(then, {"data": [fingerprint(path) for path in _data_files(recipe)]})
    chat = _chat_format(recipe, tokenizer, started)
    for notice in chat.notices if chat else ():
        tell(Note(notice))
    rows = _rows(recipe, directory, located, tokenizer, chat, tell, ranks)
    with deterministic(recipe.train.deterministic), ExitStack() as closing:
        setup = _set_up(recipe, rows, directory, ranks, tell, closing)
        progress = _begin(recipe, directory, setup, continues, started, tell, closing, ranks)
        progress, interrupted = setup.loop.run(progress)
        if interrupted:
            path = str(directory.path)
            tell(Interrupted(progress.step, path))
            raise Stopped(progress.step, path)
        return _finish(recipe, directory, setup, progress, chat, tokenizer, tell, ranks)


@dataclass
class Setup:
    """What a run trains with."""

    loaded: Loaded
    loop: Loop
    dtype: torch.dtype
    observed: Observed


class Observed:
    """Passes the loop's figures on: to metrics.jsonl, the trackers, and whoever listens."""

    def __init__(self, tell: Announce, directory: RunDirectory, steps: int) -> None:
        self.tell = tell
        self.directory = directory
        self.steps = steps
        self.log: MetricsLog | None = None
        self.trackers: Trackers | None = None

    def observer(self) -> Observer:
        """The functions that the loop calls."""
        return Observer(self._stepped, self._validated, self._saved)

    def _stepped(self, metrics: dict[str, float | int]) -> None:
        if self.log:
            self.log.append(metrics)
        if self.trackers:
            self.trackers.log(metrics)
        self.tell(Stepped(metrics, self.steps))

    def _validated(self, step: int, loss: float, best: bool) -> None:
        self.tell(Validated(step, loss, best))

    def _saved(self, progress: Progress) -> None:
        self.tell(Saved(progress.step, str(self.directory.checkpoints / f"step-{progress.step:08d}")))


def _data_files(recipe: Recipe) -> list[Path]:
    held = recipe.data.validation
    return [*(source.path for source in recipe.data.sources), *([held] if isinstance(held, Path) else [])]


def _started(directory: RunDirectory, continues: bool) -> datetime:
    """When the run first began: templates that write the date write this one, after a resume too."""
    if continues and directory.environment.exists():
        return datetime.fromisoformat(orjson.loads(directory.environment.read_bytes())["started"])
    return datetime.now(UTC)


def _chat_format(recipe: Recipe, tokenizer: Any, started: datetime) -> ChatFormat | None:
    """None for pretraining, and for a base model's tokenizer without a template, which raw completions do without."""
    if recipe.stage == "pretrain" or (recipe.chat_template is None and not tokenizer.chat_template):
        return None
    return ChatFormat(tokenizer, resolve_template(recipe.chat_template, tokenizer), now=lambda: started)


def _rows(
    recipe: Recipe,
    directory: RunDirectory,
    located: Located,
    tokenizer: Any,
    chat: ChatFormat | None,
    tell: Announce,
    ranks: Ranks,
) -> Rows:
    config = load_config(located, recipe.trust_remote_code)
    encoder = Encoder(
        tokenizer,
        chat,
        recipe.objective.train_on,
        length_limit(recipe.max_length, config, tokenizer),
        recipe.overlong or ("split" if recipe.stage == "pretrain" else "truncate-prompt"),
    )
    with Ledger(directory.quarantine if ranks.first else None) as ledger:
        rows = read_examples(recipe, encoder, ledger)
        report = ledger.report()
        if ranks.first:
            directory.write_data_report(report)
    for line in tellings(report, directory.quarantine):
        tell(line)
    if not int(rows.train.supervised().sum()):
        raise UserError("no token of the data is supervised, so there is nothing to learn; look at objective.train_on")
    refuse_unknown_ids(rows, getattr(config, "vocab_size", None), tokenizer)
    return rows


def length_limit(wanted: int | None, config: Any, tokenizer: Any) -> int:
    """Tokens a sequence: `max_length` where it is given, else what model and tokenizer hold, at most `LONGEST`.

    Raises:
        UserError: more is wanted than the model has positions for.
    """
    positions = getattr(config, "max_position_embeddings", None)
    if wanted is None:
        return min(LONGEST, *(int(limit) for limit in (positions, tokenizer.model_max_length) if limit))
    if positions and wanted > positions:
        raise UserError(
            f"max_length={wanted} is more than the {positions} positions of the model (max_position_embeddings in its "
            f"config.json); give at most max_length={positions}"
        )
    return wanted


def _set_up(
    recipe: Recipe, rows: Rows, directory: RunDirectory, ranks: Ranks, tell: Announce, closing: ExitStack
) -> Setup:
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
    )
    own_dtype = next(loaded.model.parameters()).dtype
    net = choose_trainable(loaded.model, recipe.adapter, recipe.freeze, dtype, loaded.adapted, recipe.seed)
    loaded.model = net.to(device)
    model = ForestModel(net, forest=loaded.forest, dtype=dtype)
    if loaded.why_alone:
        tell(Note(f"{type(model.language_model).__name__} runs its sequences one by one: {loaded.why_alone}"))
    if settings.gradient_checkpointing:
        checkpoint_activations(model.language_model)
    order = Order(rows.train.tokens(), recipe.seed, settings.batch_size, settings.batch_tokens)
    steps = settings.max_steps or order.steps(settings.epochs)
    observed = Observed(tell, directory, steps)
    rate = settings.learning_rate or _usual_learning_rate(recipe, loaded)
    loop = Loop(
        model=model,
        batches=_batches(rows.train, order, recipe, loaded, ranks),
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
    trained, every = count_parameters(net)
    tell(
        Planned(
            steps=steps,
            examples=len(rows.train),
            tokens=int(rows.train.tokens().sum()),
            supervised_tokens=int(rows.train.supervised().sum()),
            trainable_parameters=trained,
            total_parameters=every,
            device=str(device),
            dtype=str(dtype).removeprefix("torch."),
            model=recipe.model,
        )
    )
    return Setup(loaded, loop, own_dtype, observed)


def _batches(store: LeafStore, order: Order, recipe: Recipe, loaded: Loaded, ranks: Ranks) -> Batches:
    weights = example_weights(store.supervised(), recipe.objective.loss_average)
    budget = recipe.train.tokens_per_forest or TOKENS_PER_FOREST[loaded.device.type]
    return Batches(store, order, weights, budget, share=loaded.forest, rank=ranks.rank, ranks=ranks.count)


def _validation(store: LeafStore, recipe: Recipe, loaded: Loaded, ranks: Ranks) -> Batches:
    together = max(recipe.train.batch_size, 16) * ranks.count
    return _batches(store, Order(store.tokens(), recipe.seed, together), recipe, loaded, ranks)


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


def _begin(
    recipe: Recipe,
    directory: RunDirectory,
    setup: Setup,
    continues: bool,
    started: datetime,
    tell: Announce,
    closing: ExitStack,
    ranks: Ranks,
) -> Progress:
    """Where the run starts: at nothing, or at its last checkpoint; with the files that grow opened there."""
    progress = Progress()
    saved = setup.loop.checkpoints.steps()
    if continues and saved:
        progress = setup.loop.checkpoints.load(saved[-1], setup.loop.model, setup.loop.optimizers)
        tell(Note(f"Resumed at step {progress.step} of {setup.loop.steps}."))
    if ranks.first:
        environment = describe(recipe.seed, str(setup.loop.device), _data_files(recipe))
        directory.write_environment(environment | {"started": started.isoformat()})
        setup.observed.log = closing.enter_context(MetricsLog(directory.metrics, after_step=progress.step))
        trackers = Trackers(
            recipe.train.trackers, directory.trackers, directory.path.resolve().name, flat_values(recipe)
        )
        closing.callback(trackers.close)
        setup.observed.trackers = trackers
    return progress


def _finish(
    recipe: Recipe,
    directory: RunDirectory,
    setup: Setup,
    progress: Progress,
    chat: ChatFormat | None,
    tokenizer: Any,
    tell: Announce,
    ranks: Ranks,
) -> dict[str, Any]:
    """Writes model/ (of the best checkpoint, where there is a validation loss) and the report."""
    from tutelage.run.card import model_card
    from tutelage.run.report import write_report

    taken = progress.step
    if progress.best_step is not None and progress.best_step != progress.step:
        taken = progress.best_step
        setup.loop.checkpoints.load(taken, setup.loop.model)
    outcome: dict[str, Any] = {
        "status": "finished" if progress.step == setup.loop.steps else "stopped early",
        "steps": progress.step,
        "model": str(directory.model),
        "model_step": taken,
        "validation_loss": progress.best_loss,
        "why_alone": setup.loaded.why_alone,
    }
    if ranks.first:
        write_report(directory.path, outcome)
        card = model_card(directory)
        write_model(directory.model, setup.loop.model.model, tokenizer, chat, setup.dtype, card)
        tell(Finished(outcome))
    ranks.wait()
    return outcome
