"""report.html of a study: one file, without network; every run is linked by its path beside it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

import tutelage
from tutelage.run.chart import short
from tutelage.run.overrides import schema_name
from tutelage.run.recipe import flat_values, recipe_text, settings_keys
from tutelage.run.report import duration, page_template
from tutelage.studies.costs import Cost, total
from tutelage.studies.directory import FINISHED, RECIPE
from tutelage.studies.plots import Plot
from tutelage.studies.settings import StudySettings
from tutelage.studies.tables import Table

if TYPE_CHECKING:
    from tutelage.studies.study import Result


def render(result: Result, recipe: StudySettings, drawings: Sequence[tuple[Plot, str]]) -> str:
    """The page; everything that comes from outside is escaped by the template."""
    done = sum(cost.outcome.status == FINISHED for cost in result.costs)
    whole = done == len(result.costs)
    return page_template("tutelage.studies").render(
        version=tutelage.__version__,
        title=result.findings.title,
        subtitle=result.findings.subtitle,
        status="finished" if whole else f"{done} of {len(result.costs)} runs finished",
        whole=whole,
        answers=result.findings.answers,
        cards=result.findings.cards,
        plots=[(plot, Markup(drawing)) for plot, drawing in drawings],
        tables=[_table(table) for table in result.findings.tables],
        notes=result.findings.notes,
        failed=[(cost.step, cost.outcome) for cost in result.failed],
        runs=[_run(cost, result) for cost in result.costs],
        total=_total(result.costs),
        chosen=chosen(recipe),
        recipe=recipe_text(recipe.model_copy(update={"resume": False, "overwrite": False})),
        again=shlex.quote(str(recipe.output / RECIPE)),
    )


def chosen(recipe: StudySettings) -> dict[str, Any]:
    """The keys that differ from their defaults."""
    keys = settings_keys(type(recipe))
    found = {}
    for name, value in flat_values(recipe).items():
        field = keys[schema_name(name.split("."))].field
        default = field.get_default(call_default_factory=True)
        plain = list(default) if isinstance(default, tuple) else default
        if name not in ("resume", "overwrite") and (field.is_required() or value != plain):
            found[name] = value
    return found


def _table(table: Table) -> dict[str, Any]:
    """Cells as (figure, interval) or text, for the template."""
    marked = table.texts(lambda mean, low, high: f"{mean}\n{low} to {high}")
    rows = [[cell.partition("\n")[::2] for cell in row] for row in marked]
    return {
        "title": table.title,
        "caption": table.caption,
        "columns": list(zip((column.title for column in table.columns), table.figures, strict=True)),
        "rows": rows,
        "closing": table.closing,
        "figures": table.figures,
    }


def _run(cost: Cost, result: Result) -> dict[str, Any]:
    page = cost.page
    return {
        "title": cost.step.title,
        "verb": cost.step.verb,
        "link": page.relative_to(result.folder).as_posix() if page.exists() else None,
        "status": cost.outcome.status,
        "cost": _told(cost.spent),
        "time": duration(cost.outcome.seconds) if cost.outcome.seconds else "",
    }


def _total(costs: Sequence[Cost]) -> str:
    seconds = sum(cost.outcome.seconds for cost in costs)
    told = _told(total(costs))
    return f"{len(costs)} runs, {duration(seconds)}" + (f"; {told}" if told else "")


def _told(spent: Any) -> str:
    words = {"steps": "steps", "tokens": "tokens", "supervised_tokens": "supervised", "answers": "answers"}
    return ", ".join(f"{short(spent[name])} {word}" for name, word in words.items() if spent.get(name))
