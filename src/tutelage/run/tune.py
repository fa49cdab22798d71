"""One run of one stage: `tune(recipe, announce)` does what `tutelage tune` does.

    recipe → run directory → rows → token ids → model → plan → loop → model/ and report

`rehearse` goes as far as the plan, and leaves nothing behind.

Everything that can be found wrong without the model is found before it is loaded.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from tutelage.data.ledger import Ledger
from tutelage.data.locating import pieces
from tutelage.data.settings import DEV, SourceSettings
from tutelage.errors import UserError
from tutelage.model.load import load_config, load_tokenizer, quiet
from tutelage.model.locate import Located, locate, no_weights
from tutelage.model.trainable import refuse_two_adapters
from tutelage.run.directory import RunDirectory
from tutelage.run.encoding import chat_format, encoder_for
from tutelage.run.environment import check_same_data, describe
from tutelage.run.events import Finished, Interrupted, Note, Planned, Stopped, Warned
from tutelage.run.gathering import Gathering, gather
from tutelage.run.metrics import MetricsLog
from tutelage.run.planning import occupied, plan
from tutelage.run.recipe import Recipe, flat_values
from tutelage.run.result import write_model
from tutelage.run.rows import Rows, data_report, read_examples, refuse_unknown_ids, tellings
from tutelage.run.samples import Sampler, sampler_for
from tutelage.run.setup import Announce, Setup, set_up
from tutelage.run.trackers import Trackers, check_trackers
from tutelage.tokens.chat import ChatFormat
from tutelage.train.checkpoint import Progress
from tutelage.train.loop import deterministic
from tutelage.train.ranks import Ranks, joined


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


def rehearse(recipe: Recipe, announce: Announce = lambda event: None) -> Planned:
    """All that `tune` does before its first step: rows are read, the model is loaded, the plan is told and returned.

    Nothing is written to the run directory, which need not be there; what is in it stays.

    Raises:
        UserError: as `tune` does before its first step.
    """
    quiet()
    with joined() as ranks, tempfile.TemporaryDirectory(prefix="tutelage-") as aside, ExitStack() as closing:
        tell = announce if ranks.first else lambda event: None
        located = _checked(recipe)
        if occupied(recipe.output) and not (recipe.resume or recipe.overwrite):
            tell(Warned(f"output={recipe.output} is not empty: the run will want resume=true or overwrite=true"))
        gathering = _gathering(recipe, tell)
        directory = RunDirectory(Path(aside))
        kept = Path(f"{recipe.output / 'quarantine.jsonl'} once it runs")
        ready = _ready(recipe, directory, kept, located, datetime.now(UTC), gathering, tell, ranks, closing)
        return ready.planned


@dataclass(frozen=True)
class _Ready:
    """All that is there before the first step."""

    tokenizer: Any
    chat: ChatFormat | None
    rows: Rows
    setup: Setup
    planned: Planned


def _checked(recipe: Recipe) -> Located:
    located = locate(recipe.model)
    if located.random and recipe.stage != "pretrain":
        raise UserError(no_weights(recipe.model))
    refuse_two_adapters(located.adapter is not None, recipe.adapter, recipe.freeze)
    check_trackers(recipe.train.trackers)
    return located


def _run(recipe: Recipe, tell: Announce, ranks: Ranks) -> dict[str, Any]:
    located = _checked(recipe)
    directory = RunDirectory(recipe.output)
    continues = directory.prepare(recipe) if ranks.first else recipe.resume
    ranks.wait()
    started = _started(directory, continues)
    gathering = _gathering(recipe, tell)
    data = _fingerprints(recipe, gathering)
    if continues and ranks.first and directory.environment.exists():  # before anything of the run is written again
        check_same_data(orjson.loads(directory.environment.read_bytes()), {"data": data})
    with ExitStack() as closing:
        quarantine = directory.quarantine
        ready = _ready(recipe, directory, quarantine, located, started, gathering, tell, ranks, closing)
        setup = ready.setup
        sampler = sampler_for(recipe, ready.rows, setup, ready.chat, ready.tokenizer) if ranks.first else None
        before = _answers(sampler, ready)  # before a checkpoint is loaded: of the model that the run began with
        described = describe(recipe.seed, str(setup.loop.device), data) | {"started": started.isoformat()}
        progress = _begin(recipe, directory, setup, continues, described, tell, closing, ranks)
        progress, interrupted = setup.loop.run(progress)
        if interrupted:
            path = str(directory.path)
            tell(Interrupted(progress.step, path))
            raise Stopped(progress.step, path)
        return _finish(recipe, directory, ready, progress, sampler, before, tell, ranks)


def _ready(
    recipe: Recipe,
    directory: RunDirectory,
    quarantine: Path,
    located: Located,
    started: datetime,
    gathering: Gathering | None,
    tell: Announce,
    ranks: Ranks,
    closing: ExitStack,
) -> _Ready:
    """Reads the rows, loads the model, tells the plan. quarantine: where a person will find the rows not used."""
    tokenizer = load_tokenizer(located, recipe.trust_remote_code)
    chat = chat_format(recipe, tokenizer, started)
    for notice in chat.notices if chat else ():
        tell(Note(notice))
    rows, report = _rows(recipe, directory, quarantine, located, tokenizer, chat, gathering, tell, ranks)
    closing.enter_context(deterministic(recipe.train.deterministic))
    closing.callback(rows.train.close)
    setup = set_up(recipe, rows, directory, ranks, tell)
    planned = plan(recipe, setup, rows, report, chat, tokenizer)
    tell(planned)
    return _Ready(tokenizer, chat, rows, setup, planned)


def _answers(sampler: Sampler | None, ready: _Ready) -> list[str]:
    loop = ready.setup.loop
    return [] if sampler is None else sampler.answers(loop.model.model, ready.tokenizer, loop.model.dtype)


def _gathering(recipe: Recipe, tell: Announce) -> Gathering | None:
    """The mixture's tasks and their rows."""
    if recipe.data.mixture is None:
        return None
    gathering = gather(recipe.data.mixture, recipe.seed, dev=recipe.data.validation == DEV)
    for note in gathering.notes:
        tell(Note(note))
    return gathering


def _fingerprints(recipe: Recipe, gathering: Gathering | None) -> list[dict[str, Any]]:
    """Of all that is learnt from or validated on, in the recipe's order."""
    held = recipe.data.validation
    sources = [*recipe.data.sources, *([SourceSettings(path=held)] if isinstance(held, Path) else [])]
    tasks = gathering.tasks if gathering else ()
    read = (piece.fingerprint() for source in sources for piece in pieces(source))
    return [*read, *(one.fingerprint for one in tasks)]


def _started(directory: RunDirectory, continues: bool) -> datetime:
    """When the run first began: templates that write the date write this one, after a resume too."""
    if continues and directory.environment.exists():
        return datetime.fromisoformat(orjson.loads(directory.environment.read_bytes())["started"])
    return datetime.now(UTC)


def _rows(
    recipe: Recipe,
    directory: RunDirectory,
    quarantine: Path,
    located: Located,
    tokenizer: Any,
    chat: ChatFormat | None,
    gathering: Gathering | None,
    tell: Announce,
    ranks: Ranks,
) -> tuple[Rows, dict[str, Any]]:
    config = load_config(located, recipe.trust_remote_code)
    encoder = encoder_for(recipe, config, tokenizer, chat)
    check = partial(refuse_unknown_ids, known=getattr(config, "vocab_size", None), tokenizer=tokenizer)
    with Ledger(directory.quarantine if ranks.first else None) as ledger:
        rows = read_examples(recipe, encoder, ledger, gathering, check, lambda line: tell(Warned(line)))
        report = data_report(ledger, rows, directory.read_data_report())
        if ranks.first:
            directory.write_data_report(report)
    for line in tellings(report, quarantine):
        tell(line)
    if not int(rows.train.store(0).supervised().sum()):
        raise UserError("no token of the data is supervised, so there is nothing to learn; look at objective.train_on")
    return rows, report


def _begin(
    recipe: Recipe,
    directory: RunDirectory,
    setup: Setup,
    continues: bool,
    described: dict[str, Any],
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
        directory.write_environment(described)
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
    ready: _Ready,
    progress: Progress,
    sampler: Sampler | None,
    before: list[str],
    tell: Announce,
    ranks: Ranks,
) -> dict[str, Any]:
    """Writes model/ (of the best checkpoint, where there is a validation loss) and the report."""
    from tutelage.run.card import model_card
    from tutelage.run.report import write_report

    setup, taken = ready.setup, progress.step
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
        samples = None if sampler is None else sampler.compare(before, _answers(sampler, ready))
        write_report(directory.path, outcome, ready.planned.preflight, samples)
        card = model_card(directory)
        write_model(directory.model, setup.loop.model.model, ready.tokenizer, ready.chat, setup.dtype, card)
        tell(Finished(outcome))
    ranks.wait()
    return outcome
