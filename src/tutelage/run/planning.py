"""The plan of a run, told before its first step: what `set_up` made and what the rows gave, put together to be read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tutelage.model.trainable import count_parameters
from tutelage.run.cautions import Situation, cautions
from tutelage.run.directory import FILES, FOLDERS
from tutelage.run.encoding import length_limit
from tutelage.run.estimate import estimate
from tutelage.run.events import Planned
from tutelage.run.preflight import SHOWN, Preflight, lengths_of, rows_of, shown_example
from tutelage.run.recipe import Recipe
from tutelage.run.report import manner
from tutelage.run.rows import Rows
from tutelage.run.setup import Setup
from tutelage.tokens.chat import ChatFormat


def plan(
    recipe: Recipe, setup: Setup, rows: Rows, report: Mapping[str, Any], chat: ChatFormat | None, tokenizer: Any
) -> Planned:
    """What the run will be, what it will cost, and what may go wrong with it. report: data_report.json.

    Computes two forests of the first step and throws away what comes of them: weights, gradients and random numbers
    are afterwards as they were.
    """
    loop, store = setup.loop, rows.train.store(0)
    epochs = loop.steps / len(loop.batches.order.epoch(0))
    cost = estimate(loop, store, epochs, share=setup.loaded.forest)
    trained, every = count_parameters(loop.model)
    language_model = loop.model.language_model
    adapted = recipe.adapter is not None or setup.loaded.adapted
    situation = Situation(
        recipe=recipe,
        model=language_model,
        tokenizer=tokenizer,
        chat=chat,
        size=every,
        adapted=adapted,
        rate=loop.optimizers.learning_rate,
        limit=length_limit(recipe.max_length, language_model.config.get_text_config(), tokenizer),
        report=report,
        estimate=cost,
    )
    first = loop.batches.order.step(0, 0).examples[:SHOWN].tolist()
    preflight = Preflight(
        rows=rows_of(report),
        lengths=lengths_of(store.tokens().tolist()),
        shown=tuple(shown_example(store, example, tokenizer) for example in first),
        manner="the adapter of the model" if setup.loaded.adapted else manner(recipe),
        epochs=epochs,
        learning_rate=loop.optimizers.learning_rate,
        estimate=cost,
        cautions=cautions(situation),
        duplicates=report.get("duplicates", {}),
    )
    return Planned(
        steps=loop.steps,
        examples=len(store),
        tokens=int(store.tokens().sum()),
        supervised_tokens=int(store.supervised().sum()),
        trainable_parameters=trained,
        total_parameters=every,
        device=str(loop.device),
        dtype=str(loop.model.dtype).removeprefix("torch."),
        model=recipe.model,
        preflight=preflight,
    )


def occupied(output: Path) -> bool:
    """Whether `output` holds something that a new run would not replace: a run that began, or files of another kind."""
    names = {entry.name for entry in output.iterdir()} if output.is_dir() else set()
    metrics = output / "metrics.jsonl"
    began = bool(names & set(FOLDERS)) or (metrics.is_file() and metrics.stat().st_size > 0)
    return began or bool(names - set(FILES) - set(FOLDERS))
