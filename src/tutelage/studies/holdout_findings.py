"""What a hold-out study found: its table, its plots, and its answers in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from tutelage.studies.findings import Findings
from tutelage.studies.holdout_figures import NEW_CLUSTER, NEW_ITEMS, NEW_TASKS, NEW_WORDINGS, RUNGS
from tutelage.studies.holdout_plan import EXEMPLARS, INSTRUCTIONS, PLAIN
from tutelage.studies.holdout_plots import draw_clusters, draw_ladder
from tutelage.studies.plots import Plot
from tutelage.studies.tables import Column, Table, counted, hundredths

BASES = {
    PLAIN: "untuned, plain prompt",
    INSTRUCTIONS: "untuned, instructions",
    EXEMPLARS: "untuned, exemplars",
}
WHAT = {
    NEW_ITEMS: "test rows of tasks it was trained on, in wordings it was trained on",
    NEW_WORDINGS: "the same tasks, in wordings kept from training",
    NEW_TASKS: "tasks kept from training, of clusters it was trained on",
    NEW_CLUSTER: "the held-out cluster: no task of it, nor of one related to it, was trained on",
}
OF_CLUSTERS = (
    "In hundredths of the best score, with 95 % intervals. Better untuned: the untuned model under that of its prompts "
    "which scores highest in the cluster, chosen on the very items it is scored on, which favours the untuned model."
)
OF_LADDER = (
    "Each rung is the mean over clusters of the means over their tasks; both models answered the same items, which are "
    "others from rung to rung: it is the differences that can be compared."
)
AS_ASKED = {NEW_ITEMS: "new items", NEW_WORDINGS: "new wordings", NEW_TASKS: "new tasks", NEW_CLUSTER: "a new cluster"}


def find(figures: Mapping[str, Any], model: str, notes: Sequence[str]) -> Findings:
    """The findings of `HoldOutFigures.figures()`."""
    clusters, mean, ladder = figures["clusters"], figures["mean"], figures["ladder"]
    plots = []
    if clusters:
        plots.append(
            Plot(
                "clusters",
                "Held-out clusters",
                "Each cluster scored zero-shot by models that were tuned on the others. Bars are 95 % intervals, the "
                "dotted marks what blind guessing scores.",
                partial(draw_clusters, clusters, mean),
            )
        )
    if ladder:
        plots.append(
            Plot(
                "ladder",
                "The ladder of generalisation",
                "How far the tuned models' following reaches beyond what they were trained on, beside the untuned "
                "model on the same items.",
                partial(draw_ladder, ladder),
            )
        )
    tables = [_clusters(clusters, mean)] if clusters else []
    tables += [_ladder(ladder)] if ladder else []
    tables += [_tasks(clusters)] if clusters else []
    tables += [_seeds(clusters, mean, figures["seeds"])] if clusters and len(figures["seeds"]) > 1 else []
    tables += [_kept(figures["kept_back"])] if ladder else []
    return Findings(
        title=f"{model} · hold-out study",
        subtitle=f"{counted(len(clusters), 'held-out cluster')}, {counted(len(figures['seeds']), 'seed')}",
        answers=_answers(figures),
        cards=_cards(figures),
        tables=tables,
        plots=plots,
        figures=figures,
        notes=notes,
    )


def _clusters(clusters: Mapping[str, Any], mean: Mapping[str, Any]) -> Table:
    named = [name for name in BASES if any(name in one["base"] for one in clusters.values())]
    columns = [
        Column("cluster", "held-out cluster"),
        Column("items", "items"),
        Column("chance", "chance"),
        *(Column(name, BASES[name]) for name in named),
        Column("tuned", "tuned, instructions"),
        Column("over_instructions", "tuned − untuned, instructions", signed=True),
        Column("over_best", "tuned − better untuned", signed=True),
    ]
    rows = [_row(name, one, one["differences"][one["best_base"]]) for name, one in clusters.items()]
    if len(rows) == 1:
        return Table("Zero-shot scores", columns, rows, caption=OF_CLUSTERS)
    closing = _row("mean", mean, mean["differences"]["best"])
    return Table("Zero-shot scores", columns, [*rows, closing], 1, OF_CLUSTERS)


def _row(name: str, one: Mapping[str, Any], over_best: Mapping[str, float]) -> dict[str, Any]:
    return {
        "cluster": name,
        "items": one["items"],
        "chance": one["chance"],
        **{base: one["base"].get(base) for base in BASES},
        "tuned": one["tuned"],
        "over_instructions": one["differences"][INSTRUCTIONS],
        "over_best": over_best,
    }


def _ladder(ladder: Mapping[str, Any]) -> Table:
    columns = [
        Column("rung", "rung"),
        Column("what", "what is asked"),
        Column("tasks", "tasks"),
        Column("items", "items"),
        Column("chance", "chance"),
        Column("base", BASES[INSTRUCTIONS]),
        Column("tuned", "tuned"),
        Column("difference", "difference", signed=True),
    ]
    rows = [
        {
            "rung": rung,
            "what": WHAT[rung],
            **{key: one[key] for key in ("items", "chance", "base", "tuned", "difference")},
            "tasks": len(one["tasks"]),
        }
        for rung, one in ladder.items()
    ]
    return Table("Rung by rung", columns, rows, caption=OF_LADDER)


def _tasks(clusters: Mapping[str, Any]) -> Table:
    columns = [
        Column("cluster", "held-out cluster"),
        Column("task", "task"),
        Column("metric", "metric"),
        Column("items", "items"),
        Column("chance", "chance"),
        Column("base", BASES[INSTRUCTIONS]),
        Column("tuned", "tuned"),
        Column("difference", "difference", signed=True),
    ]
    rows = [
        {
            "cluster": cluster if place == 0 else "",
            "task": name,
            **{key: one[key] for key in ("metric", "items", "chance", "base", "tuned", "difference")},
        }
        for cluster, of in clusters.items()
        for place, (name, one) in enumerate(of["tasks"].items())
    ]
    return Table("Task by task", columns, rows)


def _seeds(clusters: Mapping[str, Any], mean: Mapping[str, Any], seeds: Sequence[int]) -> Table:
    """What the tuned models of each seed score."""
    columns = [Column("cluster", "held-out cluster"), *(Column(f"seed {seed}", f"seed {seed}") for seed in seeds)]
    rows = [
        {"cluster": name, **{f"seed {seed}": score for seed, score in one["seeds"].items()}}
        for name, one in clusters.items()
    ]
    means = {"cluster": "mean", **{f"seed {seed}": one["tuned"] for seed, one in mean["seeds"].items()}}
    several = len(rows) > 1
    return Table("Seed by seed", columns, [*rows, means] if several else rows, closing=int(several))


def _kept(kept_back: Mapping[str, Any]) -> Table:
    """What each seed kept from training."""
    columns = [Column("seed", "seed"), Column("tasks", "tasks"), Column("templates", "wordings")]
    rows = [
        {
            "seed": f"{seed}",
            "tasks": ", ".join(kept["tasks"]),
            "templates": ", ".join(f"{name}/{one}" for name, own in kept["templates"].items() for one in own),
        }
        for seed, kept in kept_back.items()
    ]
    return Table("What was kept from training", columns, rows)


def _answers(figures: Mapping[str, Any]) -> list[str]:
    clusters, mean, up, ladder = (figures[name] for name in ("clusters", "mean", "up", "ladder"))
    if not clusters:
        return ["No held-out cluster has been scored, so nothing can be said yet."]
    found = [_verdict(mean, up, len(figures["seeds"]))]
    if up["clusters"] > 1:
        found.append(
            f"Of {up['clusters']} held-out clusters {up['up']} are up, {up['surely_up']} of them so far that their "
            f"95 % interval lies above 0; of {up['surely_down']} it lies below."
        )
    known = [rung for rung in RUNGS if rung in ladder]
    if known:
        told = ", ".join(
            f"{hundredths(ladder[rung]['difference']['mean'], signed=True)} on {AS_ASKED[rung]}" for rung in known
        )
        found.append(f"Above the untuned model under the same instructions: {told}.")
    found.append(
        "No task of a held-out cluster, nor of one related to it, nor anything that was kept back was trained on: this "
        "was looked up in what each run says it trained on."
    )
    return found


def _verdict(mean: Mapping[str, Any], up: Mapping[str, int], seeds: int) -> str:
    best = mean["differences"]["best"]
    by, none = hundredths(abs(best["mean"])), hundredths(0.0)
    apart = "as much as" if by == none else f"{by} {'above' if best['mean'] > 0 else 'below'}"
    sure = (
        "The interval lies above 0: the following of instructions carries over to what was never trained on"
        if best["low"] > 0
        else "The interval lies below 0: tuning made it worse on what was never trained on"
        if best["high"] < 0
        else "The interval holds 0: no carrying over to what was never trained on is proven"
    )
    alone = "there is one seed" if seeds == 1 else "no two seeds were scored in all of them"
    over = "items and seeds" if len(mean["seeds"]) > 1 else f"items alone, for {alone}"
    where = f"on {up['clusters']} held-out clusters" if up["clusters"] > 1 else "on the held-out cluster"
    return (
        f"Zero-shot {where} the tuned model scores {hundredths(mean['tuned']['mean'])} of 100, {apart} the untuned "
        f"one under the better of its prompts ({hundredths(best['low'], signed=True)} to "
        f"{hundredths(best['high'], signed=True)} with 95 % confidence, over {over}). {sure}."
    )


def _cards(figures: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    mean, up = figures["mean"], figures["up"]
    if not mean:
        return []
    best = mean["differences"]["best"]
    cards = [
        ("tuned, zero-shot", hundredths(mean["tuned"]["mean"]), _interval(mean["tuned"])),
        ("better untuned prompt", hundredths(mean["base"]["best"]["mean"]), _interval(mean["base"]["best"])),
        ("difference", hundredths(best["mean"], signed=True), _interval(best, signed=True)),
        ("items", f"{mean['items']:,}", "of held-out clusters" if up["clusters"] > 1 else "of the held-out cluster"),
    ]
    if up["clusters"] > 1:
        cards.insert(3, ("clusters up", f"{up['up']} / {up['clusters']}", f"{up['surely_up']} with 95 % confidence"))
    if mean["chance"] is not None:
        cards.insert(2, ("chance", hundredths(mean["chance"]), "blind guessing"))
    return cards


def _interval(estimate: Mapping[str, float], signed: bool = False) -> str:
    return f"{hundredths(estimate['low'], signed)} to {hundredths(estimate['high'], signed)}"
