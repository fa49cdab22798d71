"""report.json and report.html: what a run did, for machines and for people. The page is one file, without network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import orjson
from markupsafe import Markup

import tutelage
from tutelage.run.chart import Curve, Point, bars, draw, short, smooth
from tutelage.run.directory import RunDirectory
from tutelage.run.files import json_bytes, write_atomically
from tutelage.run.metrics import read_metrics
from tutelage.run.preflight import Memory, Preflight
from tutelage.run.recipe import Recipe, read_recipe, recipe_text
from tutelage.run.summary import chosen, column, summarise

if TYPE_CHECKING:
    from tutelage.run.samples import Samples

FATES = ("kept", "cut", "dropped", "quarantined")


def write_report(
    path: Path, outcome: Mapping[str, Any], preflight: Preflight | None = None, samples: Samples | None = None
) -> dict[str, Any]:
    """Write both files into the run directory `path`, from what lies in it; returns what report.json holds.

    `outcome` is what the run says of its end. `status` ("finished", "interrupted", "stopped early") is shown at the
    top, `notes` (a list of lines) below it, everything else in a table. preflight: what was known before the first
    step. samples: answers to the same prompts before and after.
    """
    directory = RunDirectory(path)
    recipe = read_recipe(directory.recipe)
    metrics = read_metrics(directory.metrics)
    report = {
        "tutelage": tutelage.__version__,
        "status": outcome.get("status", "finished"),
        "outcome": dict(outcome),
        "summary": summarise(metrics),
        "data": directory.read_data_report(),
        "preflight": None if preflight is None else asdict(preflight),
        "samples": None if samples is None else asdict(samples),
        "recipe": recipe.model_dump(mode="json"),
    }
    write_atomically(directory.report, json_bytes(report))
    environment = orjson.loads(directory.environment.read_bytes()) if directory.environment.exists() else {}
    page = render(recipe, report, metrics, environment)
    write_atomically(directory.page, page.encode("utf-8", "replace"))
    return report


def render(
    recipe: Recipe, report: Mapping[str, Any], metrics: Sequence[Mapping[str, Any]], environment: Mapping[str, Any]
) -> str:
    """The page; everything that comes from outside is escaped by the template."""
    names = [source.path.name for source in recipe.data.sources]
    names += [Path(word).name for word in recipe.data.mixture.tasks] if recipe.data.mixture else []
    outcome = report["outcome"]
    return page_template("tutelage.run").render(
        version=report["tutelage"],
        title=f"{Path(recipe.model).name} · {', '.join(names[:2])}{' …' if len(names) > 2 else ''}",
        stage={"sft": "instruction tuning", "pretrain": "pretraining"}[recipe.stage],
        manner=manner(recipe),
        status=report["status"],
        notes=outcome.get("notes", []),
        outcome=_outcome_rows(outcome),
        cards=_cards(report["summary"]),
        estimates=_estimates(report),
        cautions=(report["preflight"] or {}).get("cautions", ()),
        samples=report["samples"] if report["samples"] and report["samples"]["rows"] else None,
        loss=_loss_chart(metrics),
        has_validation=bool(column(metrics, "validation_loss")),
        panels=_panels(metrics),
        sources=[_source_row(source) for source in report["data"].get("sources", [])],
        total=_source_row(report["data"].get("total", {})),
        mixture=report["data"].get("mixture", []),
        fates=FATES,
        lengths=_lengths(report["preflight"]),
        chosen=chosen(recipe),
        recipe=recipe_text(recipe),
        environment=_environment_rows(environment),
        output=recipe.output,
    )


def manner(recipe: Recipe) -> str:
    """How the weights were trained, in a few words: `LoRA of rank 16`, `the last 2 layers`, `all weights`."""
    if recipe.adapter is not None:
        return f"LoRA of rank {recipe.adapter.rank}"
    if recipe.freeze is not None:
        layers = f"the last {recipe.freeze.last_layers} layers" if recipe.freeze.last_layers else ""
        return " and ".join([part for part in (layers, ", ".join(recipe.freeze.train)) if part])
    return "all weights"


def duration(seconds: float) -> str:
    """`duration(8) == "8 s"`, `duration(75) == "1 min 15 s"`, `duration(7300) == "2 h 1 min"`."""
    if seconds < 60:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def size(count: float) -> str:
    """Bytes in decimal units: `size(1_500_000_000) == "1.5 GB"`."""
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count:.0f} B"


def _cards(summary: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(label, figure, what to know of it) of what is known."""
    get = summary.get
    cards = []
    if "loss_last" in summary:
        cards.append(("training loss", f"{summary['loss_last']:.3f}", f"from {summary['loss_first']:.3f}"))
    if "validation_loss_best" in summary:
        best = f"{summary['validation_loss_best']:.3f}"
        cards.append(("validation loss", best, f"best at step {summary['validation_step_best']:,}"))
    if "steps" in summary:
        epochs = f"{get('epochs'):.3g} epoch{'' if get('epochs') == 1 else 's'}" if get("epochs") is not None else ""
        cards.append(("steps", f"{summary['steps']:,}", epochs))
    if "tokens" in summary:
        share = summary.get("supervised_tokens", 0) / max(summary["tokens"], 1)
        cards.append(("tokens", short(summary["tokens"]), f"{share:.0%} supervised"))
    if "tokens_per_second" in summary:
        cards.append(("tokens a second", short(summary["tokens_per_second"]), duration(summary["seconds"]) + " in all"))
    if "memory_bytes" in summary:
        cards.append(("peak memory", size(summary["memory_bytes"]), ""))
    return cards


def _estimates(report: Mapping[str, Any]) -> str:
    """What was expected before the first step, in a line."""
    if report["preflight"] is None:
        return ""
    cost = report["preflight"]["estimate"]
    memory = cost["memory"]
    total = Memory(**memory).total
    told = [f"{size(total)} of memory"]
    if cost["seconds"] is not None:
        told.insert(0, duration(cost["seconds"]))
    return " and ".join(told)


def _lengths(preflight: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The histogram of the examples' lengths: its drawing, and the numbers below it."""
    if preflight is None:
        return None
    lengths = preflight["lengths"]
    return {**lengths, "chart": Markup(bars("examples by length", lengths["edges"], lengths["counts"]))}


def _loss_chart(metrics: Sequence[Mapping[str, Any]]) -> Markup:
    curves = _curves("training loss", column(metrics, "loss"))
    curves.append(Curve("validation loss", column(metrics, "validation_loss"), "second", marked=True))
    return Markup(draw("loss by step", curves))


def _panels(metrics: Sequence[Mapping[str, Any]]) -> list[tuple[str, Markup]]:
    """The smaller charts, (title, drawing) of each that has something to draw."""
    curves = {
        "learning rate": [Curve("learning rate", column(metrics, "learning_rate"))],
        "tokens a second": _curves("tokens a second", column(metrics, "tokens_per_second")),
        "gradient norm": _curves("gradient norm", column(metrics, "grad_norm")),
        "memory": [Curve("memory", column(metrics, "memory_bytes"))],
    }
    show = {"memory": size}
    drawn = {
        title: draw(title, lines, width=430, height=170, from_zero=True, show=show.get(title, short))
        for title, lines in curves.items()
    }
    return [(title, Markup(chart)) for title, chart in drawn.items() if chart]


def _curves(label: str, points: Sequence[Point]) -> list[Curve]:
    """The points, and a smooth line over them where they are many."""
    window = len(points) // 30
    if window < 2:
        return [Curve(label, points)]
    return [Curve(label, points, "faint"), Curve(f"{label}, smoothed", smooth(points, window))]


def _source_row(source: Mapping[str, Any]) -> dict[str, Any]:
    """A source's counts as the table wants them: fates as numbers and shares, reasons as lines."""
    row = dict(source)
    row["name"] = Path(str(source.get("path", ""))).name
    reasons = []
    for fate in ("dropped", "quarantined"):
        by_reason = source.get(fate, 0)
        if isinstance(by_reason, Mapping):
            reasons += [(fate, str(reason), count) for reason, count in by_reason.items()]
            row[fate] = sum(by_reason.values())
    row["reasons"] = sorted(reasons, key=lambda reason: -reason[2])
    read = max(row.get("read", 0), 1)
    row["shares"] = {fate: f"{100 * row.get(fate, 0) / read:.4f}" for fate in FATES}
    return row


def _outcome_rows(outcome: Mapping[str, Any]) -> dict[str, str]:
    told = {name: value for name, value in outcome.items() if name not in ("status", "notes") and value is not None}
    return {name: f"{value:.6g}" if isinstance(value, float) else str(value) for name, value in told.items()}


def _environment_rows(environment: Mapping[str, Any]) -> dict[str, str]:
    rows = {}
    for name, value in environment.items():
        if isinstance(value, Mapping):
            rows[name] = ", ".join(f"{key} {item}" for key, item in value.items() if item not in (None, {}))
        elif isinstance(value, list):
            rows[name] = ", ".join(
                " ".join(str(part)[:16] for part in item.values()) if isinstance(item, Mapping) else str(item)
                for item in value
            )
        else:
            rows[name] = str(value)
    return {name: text for name, text in rows.items() if text}


def page_template(package: str) -> jinja2.Template:
    """The report.html.jinja of a package."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package, "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["duration"] = duration
    return environment.get_template("report.html.jinja")
