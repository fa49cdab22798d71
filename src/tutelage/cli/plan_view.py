"""How a run's plan looks before its first step: a compact page, the first examples with what is learnt in colour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from tutelage.cli.chat import printable
from tutelage.cli.progress import clock, count

if TYPE_CHECKING:
    from tutelage.run.events import Planned
    from tutelage.run.preflight import Estimate, Lengths, Preflight, Shown

# (words, style) of a line's pieces; the styles are rich's.
Line = list[tuple[str, str]]

LEARNT, QUIET, STRONG, LOUD = "bold green", "bright_black", "bold", "yellow"
BLOCKS = "▁▂▃▄▅▆▇█"
# Where there is no colour, what is learnt stands between these.
OPEN, CLOSE = "⟦", "⟧"
LABEL = 10


def plan_lines(plan: Planned) -> list[Line]:
    """The page, a line each; one that has `LEARNT` pieces reads without colour through `plain`."""
    lines = [[(line, STRONG if not number else "")] for number, line in enumerate(plan_in_words(plan).split("\n"))]
    return [*lines, *_page(plan.preflight)] if plan.preflight is not None else lines


def plain(line: Line) -> str:
    """A line without colour: `plain([("Answer: ", ""), ("42", LEARNT)]) == "Answer: ⟦42⟧"`."""
    return "".join(f"{OPEN}{words}{CLOSE}" if style == LEARNT else words for words, style in line)


def plan_in_words(plan: Planned) -> str:
    """What is trained, on how much, in two lines."""
    trained = plan.trainable_parameters
    share = "all trained" if trained == plan.total_parameters else f"{count(trained)} of them trained"
    supervised = plan.supervised_tokens / max(plan.tokens, 1)
    return (
        f"{plan.model}: {count(plan.total_parameters)} parameters, {share}, on {plan.device} in {plan.dtype}\n"
        f"{plan.examples:,} examples, {count(plan.tokens)} tokens, {supervised:.0%} supervised; {plan.steps:,} steps"
    )


def _page(preflight: Preflight) -> Iterator[Line]:
    rows = preflight.rows
    fates = [f"{rows[fate]:,} {fate}" for fate in ("kept", "cut", "dropped", "quarantined") if rows.get(fate)]
    yield _labelled("rows", f"{rows.get('read', 0):,} read: {', '.join(fates)}{_again(preflight.duplicates)}")
    yield _labelled("lengths", _lengths(preflight.lengths))
    epochs = f"{preflight.epochs:.3g} epoch{'' if preflight.epochs == 1 else 's'}"
    yield _labelled("training", f"{preflight.manner}, {epochs}, learning rate {preflight.learning_rate:.3g}")
    yield from _cost(preflight.estimate)
    yield [("first examples, ", QUIET), ("what is learnt", LEARNT)]
    for one in preflight.shown:
        yield _example(one)
    for caution in preflight.cautions:
        yield [(f"warning: {printable(caution)}", LOUD)]


def _labelled(label: str, words: str) -> Line:
    return [(f"{label:<{LABEL}}", QUIET), (words, "")]


def _again(duplicates: Mapping[str, int]) -> str:
    ways = {"exact": "the text of an earlier one", "near": "almost the text of one"}
    told = [f"{duplicates[kind]:,} with {words}" for kind, words in ways.items() if duplicates.get(kind)]
    return f"; {', '.join(told)}" if told else ""


def _lengths(lengths: Lengths) -> str:
    most = max(lengths.counts)
    drawn = "".join(BLOCKS[-(-number * (len(BLOCKS) - 1) // most)] if number else " " for number in lengths.counts)
    return f"{lengths.shortest:,} {drawn} {lengths.longest:,} tokens, half of the examples at most {lengths.median:,}"


def _cost(cost: Estimate) -> Iterator[Line]:
    if cost.seconds is not None and cost.step_seconds is not None:
        yield _labelled("time", f"about {clock(cost.seconds)}, {_seconds(cost.step_seconds)} a step")
    memory = cost.memory
    parts = {
        "held now": memory.held,
        "gradients": memory.gradients,
        "optimiser": memory.optimizer,
        "activations and scratch": memory.activations + memory.head + memory.overhead,
    }
    of = f" of {size(memory.limit)}" if memory.limit else ""
    told = ", ".join(f"{size(part)} {name}" for name, part in parts.items())
    yield _labelled("memory", f"about {size(memory.total)}{of} at the peak ({told})")


def _example(shown: Shown) -> Line:
    before, after = shown.left_out
    line: Line = [(f"  {before:,} tokens … ", QUIET)] if before else [("  ", "")]
    for words, learnt in shown.stretches:
        line.append((_on_a_line(words), LEARNT if learnt else ""))
    if after:
        line.append((f" … {after:,} tokens", QUIET))
    return line


def _on_a_line(words: str) -> str:
    return printable(words.replace("\r\n", "\n").replace("\n", "⏎"))


def _seconds(seconds: float) -> str:
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"


def size(bytes_: float) -> str:
    """Bytes in decimal units: `size(2_100_000_000) == "2.1 GB"`, `size(30_000_000) == "30 MB"`."""
    return f"{bytes_ / 1e9:.1f} GB" if bytes_ >= 1e8 else f"{bytes_ / 1e6:.0f} MB"
