"""A run's rows as token ids: sources read, each row's fate told to the ledger, what is held back for validation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tutelage.data.ledger import Ledger
from tutelage.data.settings import SourceSettings
from tutelage.errors import UserError
from tutelage.run.duplicates import drop, duplicates_in
from tutelage.run.events import Note, Warned
from tutelage.run.gathering import Gathering
from tutelage.run.mixture import DEV_SUFFIX, RAW_TASK, TASK, RunMixture
from tutelage.run.reading import Ways, read_source, warn
from tutelage.run.recipe import Recipe
from tutelage.run.shard_workers import usual_workers
from tutelage.run.shards import overlaps_in as overlaps_in
from tutelage.tasks.contamination import EvaluationRows
from tutelage.tokens.cache import TokenCache
from tutelage.tokens.encode import Encoder
from tutelage.tokens.store import Examples, LeafStore, SameEveryEpoch, joined

# The split of a run's rows must not be the permutation of its first epoch.
HELD_BACK = 2**32 - 1
# Nor may which of a source's rows come, where its rate has a fraction.
DRAWN = 2**32 - 2

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """What a run trains on, and what it validates on; `mixture` where tasks are trained on.

    duplicates: rows of the files that say the same as an earlier one, `exact`, or almost the same, `near`.
    """

    train: Examples
    validation: Examples | None
    mixture: RunMixture | None = None
    duplicates: Mapping[str, int] = field(default_factory=dict)


def read_examples(
    recipe: Recipe,
    encoder: Encoder,
    ledger: Ledger,
    gathering: Gathering | None = None,
    check: Callable[[LeafStore], None] = lambda store: None,
    tell: Callable[[str], None] = warn,
) -> Rows:
    """Reads and encodes every file, and the mixture's first epoch. The ledger knows the fate of each row afterwards.

    `check` refuses what can't be trained on: it is asked of everything, of the mixture's later epochs when they come.
    `tell` hears a line where something did not go as it should and the run goes on: a token cache that can't be kept.

    Raises:
        UserError: too many bad rows, no row that can be used, or a validation set that leaves nothing to train on.
    """
    ways = ways_of(recipe, gathering.evaluation if gathering else None, tell)
    reads = [read_source(source, recipe.stage, encoder, ledger, ways) for source in recipe.data.sources]
    ledger.check(recipe.data.max_quarantine)
    duplicates = duplicates_in(reads)
    stores = drop(reads, duplicates, recipe.data.duplicates, ledger)
    numbers = np.repeat(np.arange(len(stores)), [len(store) for store in stores])
    store = joined(stores)
    held = recipe.data.validation
    validation: LeafStore | None = None
    if isinstance(held, Path):
        alone = replace(ways, evaluation=None)
        validation = read_source(SourceSettings(path=held), recipe.stage, encoder, ledger, alone).store
        ledger.check(recipe.data.max_quarantine)
    elif isinstance(held, float | int):
        kept, held_back = _split(len(store), held, recipe.seed)
        store, numbers, validation = store.select(kept), numbers[kept], store.select(held_back)
    store = at_rates(store, numbers, [source.rate for source in recipe.data.sources], recipe.seed)
    for each in (store, validation):
        if each is not None:
            check(each)
    validated = None if validation is None else SameEveryEpoch(validation)
    if gathering is None or recipe.data.mixture is None:
        return Rows(SameEveryEpoch(store), validated, duplicates=duplicates.counts())
    mixture = RunMixture(recipe.data.mixture, gathering, for_tasks(recipe, encoder), recipe.seed, store, check)
    try:
        dev = mixture.settle(ledger)
        ledger.check(recipe.data.max_quarantine)
    except BaseException:
        mixture.examples.close()
        raise
    return Rows(mixture.examples, validated or dev, mixture, duplicates.counts())


def ways_of(recipe: Recipe, evaluation: EvaluationRows | None, tell: Callable[[str], None] = warn) -> Ways:
    """How a recipe's sources are read."""
    workers = usual_workers() if recipe.data.workers is None else recipe.data.workers
    return Ways(TokenCache() if recipe.data.cache else None, workers, evaluation, tell)


def refuse_unknown_ids(store: LeafStore, known: int | None, tokenizer: Any) -> None:
    """Raises `UserError` where a token's id is beyond the `known` ids of the model: its tokenizer is another's."""
    if known is not None and store.highest >= known:
        written = tokenizer.convert_ids_to_tokens(store.highest)
        raise UserError(
            f"the tokenizer writes {written!r} as id {store.highest}, but the model knows only {known} tokens "
            "(vocab_size in its config.json); put its own tokenizer beside it"
        )


def data_report(ledger: Ledger, rows: Rows, before: Mapping[str, Any]) -> dict[str, Any]:
    """data_report.json: every source's fates, the mixture's tasks, and its later epochs, which `before` may know.

    `before` is what the file held, as a run that is resumed finds it.
    """
    report = ledger.report() | {"duplicates": dict(rows.duplicates)}
    if rows.mixture is None:
        return report
    tasks = rows.mixture.report()
    licences = {task["task"]: task["licence"] for task in tasks}
    for source in report["sources"]:
        name = source["path"].removesuffix(DEV_SUFFIX)
        if source["format"] in (TASK, RAW_TASK) and name in licences:
            source["licence"] = licences[name]
    return report | {
        "mixture": tasks,
        "notes": list(rows.mixture.notes),
        "later_epochs": before.get("later_epochs", []),
    }


def tellings(report: dict[str, Any], quarantine: Path) -> Iterator[Note | Warned]:
    """What a person should know of the rows before the run goes on: a line a source, louder where rows are not used."""
    tasks = {task["task"]: task for task in report.get("mixture", [])}
    for source in report["sources"]:
        unused = Counter(source["dropped"]) + Counter(source["quarantined"])
        fates = {"kept": source["kept"], "cut to fit": source["cut"], "not used": unused.total()}
        told = ", ".join(f"{count:,} {fate}" for fate, count in fates.items() if count)
        share = _share(tasks[source["path"]], source["read"]) if source["path"] in tasks else ""
        line = f"{source['path']}: {share}{source['read']:,} rows read as {source['format']}: {told}"
        if unused:
            reason, count = unused.most_common(1)[0]
            yield Warned(f"{line} (most often, {count:,} times: {reason}); they are in {quarantine}")
        else:
            yield Note(line)
        yield from map(Warned, source["warnings"])


def _share(task: Mapping[str, Any], read: int) -> str:
    """What a task gives to the mixture."""
    ways = f"{len(task['templates'])} templates" if len(task["templates"]) > 1 else "one template"
    capped = f"the first of {task['rows']:,} rows, by data.mixture.cap; " if task["rows"] > read else ""
    return f"{task['rate']:,} examples an epoch ({task['share']:.0%}) in {ways}; {capped}"


def for_tasks(recipe: Recipe, encoder: Encoder) -> Encoder:
    """What is too long is dropped, unless the recipe says otherwise: a task's question often ends its prompt."""
    if recipe.overlong is not None:
        return encoder
    return Encoder(encoder.vocabulary.tokenizer, encoder.chat, encoder.train_on, encoder.max_length, "drop")


def at_rates(store: LeafStore, numbers: IntArray, rates: Sequence[float | None], seed: int) -> LeafStore:
    """Each source's examples as often as its rate says; `numbers` tells whose each is: int64 [E].

    A rate of 2.5 gives each example twice, and half of them, drawn by the seed, once more.
    """
    if all(rate is None for rate in rates):
        return store
    chosen = []
    for number, rate in enumerate(rates):
        own = np.flatnonzero(numbers == number)
        whole, part = divmod(1.0 if rate is None else rate, 1)
        drawn = np.random.default_rng([seed, DRAWN, number]).permutation(len(own))[: round(part * len(own))]
        chosen += [np.tile(own, int(whole)), own[np.sort(drawn)]]
    return store.select(np.concatenate(chosen))


def _split(count: int, held: float, seed: int) -> tuple[IntArray, IntArray]:
    """The places of the examples that are trained on, and of those that are held back."""
    size = max(1, round(held * count)) if held < 1 else int(held)
    if size >= count:
        raise UserError(
            f"data.validation={held} would hold back {size} of {count} examples and leave nothing to train on"
        )
    order = np.random.default_rng([seed, HELD_BACK]).permutation(count)
    return np.sort(order[size:]), np.sort(order[:size])
