"""From observations to the table: examples/s, ratios step by step, shares of the matrix rate, memory, losses."""

from __future__ import annotations

import datetime
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from watch import Observation

GIB = 2**30
PARAMETERS = 134_515_008
# Full tuning with AdamW in float32 holds the weights, their gradients and two moments, whatever the software.
WEIGHT_BYTES = 4 * PARAMETERS
STATE_BYTES = 4 * WEIGHT_BYTES
BUSY = 0.1
DOCUMENT_MARKS = ("<!-- measured -->", "<!-- /measured -->")
HEADINGS = (
    "system",
    "examples/s",
    "times Tutelage's seconds",
    "share of the matrix rate",
    "peak memory up to the last step",
    "of TRL's",
    "without weights, gradients, moments",
    "peak of the whole process",
    "last loss",
    "largest loss difference to Tutelage",
)


@dataclass(frozen=True)
class Run:
    """One system in one round. `seconds` and `losses` are by step, after the warm-up.

    `training_peak_bytes` is the peak up to the last step, `peak_bytes` that of the whole process, saving included: TRL
    saves nothing here, LLaMA-Factory the model, Tutelage the model and a checkpoint.
    """

    system: str
    seconds: list[float]
    losses: list[float]
    warmup_losses: list[float]
    training_peak_bytes: int
    peak_bytes: int
    failure: str | None


@dataclass(frozen=True)
class Conditions:
    """What all runs had in common. `needed`: operations by measured step; `rates`, `busy`: before and after."""

    job: dict[str, Any]
    machine: dict[str, Any]
    rounds: int
    warmup: int
    lengths: list[list[int]]
    needed: list[float]
    rates: list[float]
    threads: int
    busy: list[float]


def run_of(system: str, seen: Observation, warmup: int, steps: int, difference: str | None) -> Run:
    """A step lasts from the line before to its own line. `difference`: what was wrong with the rows it trained on."""
    failure = seen.failure
    if failure is None and len(seen.lines) != warmup + steps:
        failure = f"wrote {len(seen.lines)} steps, not {warmup + steps}"
    if failure is None and difference is not None:
        failure = f"trained on other tokens ({difference})"
    losses = [float(line["loss"]) for line in seen.lines]
    pairs = zip(seen.ended[warmup - 1 :], seen.ended[warmup:], strict=False)
    seconds = [after - before for before, after in pairs]
    peak = seen.peak_at_step[-1] if seen.peak_at_step else 0
    return Run(system, seconds, losses[warmup:], losses[:warmup], peak or seen.peak_bytes, seen.peak_bytes, failure)


def span(values: Iterable[float]) -> str:
    """The median and the range: `span([1, 3, 2])` is `2.00 (1.00–3.00)`."""
    known = list(values)
    return f"{statistics.median(known):.2f} ({min(known):.2f}–{max(known):.2f})"


def ratios(runs: list[Run], others: list[Run]) -> list[float]:
    """How many times longer the same steps took, by round and step."""
    rounds = zip(runs, others, strict=False)
    return [a / b for run, other in rounds for a, b in zip(run.seconds, other.seconds, strict=True)]


def loss_difference(runs: list[Run], others: list[Run]) -> float:
    """The largest difference between losses of the same step, warm-up included."""
    return max(
        abs(a - b)
        for run, other in zip(runs, others, strict=False)
        for a, b in zip(run.warmup_losses + run.losses, other.warmup_losses + other.losses, strict=True)
    )


def rows_of(runs: list[Run], labels: dict[str, str], conditions: Conditions) -> list[list[str]]:
    """The table's rows, one a system; a system that never came through has its reason in the second cell."""
    good = {name: [run for run in runs if run.system == name and run.failure is None] for name in labels}
    rows = []
    for name, label in labels.items():
        if good[name]:
            rows.append([label, *_cells(name, good, conditions)])
        else:
            reason = next(run.failure for run in runs if run.system == name)
            rows.append([label, f"failed: {reason}", *[""] * (len(HEADINGS) - 2)])
    return rows


def _cells(name: str, good: dict[str, list[Run]], conditions: Conditions) -> list[str]:
    mine, ours, trl = good[name], good.get("tutelage", []), good.get("trl", [])
    peak = statistics.median(run.training_peak_bytes for run in mine)
    spent = sum(sum(run.seconds) for run in mine)
    share = sum(conditions.needed) * len(mine) / (spent * max(conditions.rates))
    return [
        span(conditions.job["batch_size"] / seconds for run in mine for seconds in run.seconds),
        span(ratios(mine, ours)) if ours else "–",
        f"{100 * share:.0f} %",
        f"{peak / GIB:.2f} GiB",
        f"{100 * peak / statistics.median(run.training_peak_bytes for run in trl):.0f} %" if trl else "–",
        f"{(peak - STATE_BYTES) / GIB:.2f} GiB",
        f"{statistics.median(run.peak_bytes for run in mine) / GIB:.2f} GiB",
        f"{mine[-1].losses[-1]:.5f}",
        f"{loss_difference(mine, ours):.1e}" if ours and name != "tutelage" else "–",
    ]


def facts_of(conditions: Conditions, data: str) -> list[str]:
    """What the reader of the table must know."""
    here, job, lengths = conditions.machine, conditions.job, conditions.lengths
    tokens, answers = sum(map(sum, lengths)), sum(answer for _, answer in lengths)
    needed = sum(conditions.needed) / len(conditions.needed)
    floor = needed / max(conditions.rates)
    rates = " and ".join(f"{rate / 1e9:.0f}" for rate in conditions.rates)
    facts = [
        f"{datetime.date.today()}; {here['processor']}, {here['cores']} cores, {here['memory_bytes'] / GIB:.0f} GiB; "
        f"{conditions.threads} threads, torch 2.13.0, {job['dtype']}.",
        f"{data}: {job['batch_size']} examples a step ({job['micro_batch']} at a time in the peers), "
        f"{conditions.warmup} step(s) of warm-up and {job['steps'] - conditions.warmup} measured, "
        f"{conditions.rounds} round(s); {tokens / len(lengths):.0f} tokens a row on average, "
        f"{100 * answers / tokens:.0f} % of them supervised.",
        f"The machine multiplied the shape's matrices at {rates} GFLOP/s (before, after). "
        f"A step needs {needed / 1e12:.2f} TFLOP on real tokens: at least {floor:.1f} s, "
        f"at most {job['batch_size'] / floor:.2f} examples/s.",
    ]
    if max(conditions.busy) > BUSY:
        told = " and ".join(f"{100 * share:.0f} %" for share in conditions.busy)
        facts.append(f"**Other work took {told} of the cores (before, after): do not quote these figures.**")
    return facts


def markdown(rows: list[list[str]], facts: list[str]) -> str:
    """The table, and the facts under it."""
    lines = [HEADINGS, tuple("---" for _ in HEADINGS), *rows]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return table + "\n\n" + "\n".join(f"- {fact}" for fact in facts) + "\n"


def screen(rows: list[list[str]]) -> str:
    """The same for a terminal: a block a system."""
    blocks = []
    for row in rows:
        told = [f"  {heading}: {cell}" for heading, cell in zip(HEADINGS[1:], row[1:], strict=True) if cell]
        blocks.append("\n".join([row[0], *told]))
    return "\n".join(blocks)


def write_document(path: Path, table: str) -> None:
    """Puts the table between the marks."""
    text = path.read_text()
    before, after = text.index(DOCUMENT_MARKS[0]) + len(DOCUMENT_MARKS[0]), text.index(DOCUMENT_MARKS[1])
    path.write_text(f"{text[:before]}\n\n{table}\n{text[after:]}")


def as_json(run: Run) -> dict[str, Any]:
    """One run for the results file."""
    return asdict(run) | {"peak_above_weights_bytes": run.training_peak_bytes - WEIGHT_BYTES}
