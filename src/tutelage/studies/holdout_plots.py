"""The two plots of a hold-out study: the clusters as dumbbells, and the ladder."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from tutelage.studies.holdout_plan import EXEMPLARS, INSTRUCTIONS, PLAIN
from tutelage.studies.plots import COLOURS, WIDTH
from tutelage.studies.tables import counted

# How each way of asking the untuned model is drawn: sign, filled, words.
BASES = {
    PLAIN: ("o", False, "untuned, plain prompt"),
    INSTRUCTIONS: ("o", True, "untuned, instructions"),
    EXEMPLARS: ("D", False, "untuned, exemplars"),
}
APART = 0.13  # of a line: tuned and untuned stand off it, so that their intervals don't hide one another
LONGEST = 40  # letters of a cluster's name that are shown whole
CHANCE: dict[str, Any] = {"linestyle": (0, (1, 1.5)), "color": COLOURS["second"], "linewidth": 1.6}


def draw_clusters(clusters: Mapping[str, Any], mean: Mapping[str, Any]) -> Any:
    """A line a cluster, the one with the largest difference on top, and their mean below."""
    from matplotlib.figure import Figure

    ordered = sorted(clusters.items(), key=lambda pair: -pair[1]["differences"][pair[1]["best_base"]]["mean"])
    lines = [*ordered, ("mean", {**mean, "best_base": "best"})] if len(ordered) > 1 else ordered
    height = 1.1 + 0.36 * len(lines)
    figure = Figure(figsize=(WIDTH, height))
    shown = {name: _shortened(name) for name, _ in lines}
    left = 0.35 + max(map(_letters, shown.values())) * 0.083
    axes = figure.subplots()
    figure.subplots_adjust(left=left / WIDTH, right=1 - 0.7 / WIDTH, bottom=0.55 / height, top=1 - 0.4 / height)
    for place, (name, one) in enumerate(lines):
        y = -place - (0.4 if name == "mean" and place == len(lines) - 1 and len(ordered) > 1 else 0)
        _draw_line(axes, y, one)
        axes.annotate(shown[name], (0, y), xytext=(-8, 0), xycoords=("axes fraction", "data"), ha="right", va="center",
                      textcoords="offset points", weight="bold" if y != int(y) else "normal")  # fmt: skip
        axes.annotate(f"{one['items']:,}", (1, y), xytext=(8, 0), xycoords=("axes fraction", "data"),
                      textcoords="offset points", va="center", color=COLOURS["quiet"], size=9)  # fmt: skip
    lowest = -len(lines) + 0.35 - (0.4 if len(ordered) > 1 else 0)
    axes.annotate("items", (1, 0.8), xytext=(8, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                  va="center", color=COLOURS["quiet"], size=9)  # fmt: skip
    axes.set_ylim(lowest, 0.75)
    axes.set_yticks([])
    _share_axis(axes, "x")
    axes.set_xlabel("zero-shot score, in hundredths of the best")
    _legend(figure, [name for name in BASES if any(name in one["base"] for one in clusters.values())])
    return figure


def _draw_line(axes: Any, y: float, one: Mapping[str, Any]) -> None:
    tuned = one["tuned"]
    best = one["base"][one["best_base"]]["mean"]
    above, below = y + APART, y - APART
    axes.plot([100 * best, 100 * tuned["mean"]], [below, above], color=COLOURS["faint"], linewidth=2.4, zorder=1)
    if one["chance"] is not None:
        axes.plot([100 * one["chance"]] * 2, [y - 0.3, y + 0.3], zorder=1, **CHANCE)
    for name, (sign, filled, _) in BASES.items():
        if name in one["base"]:
            _draw_estimate(axes, one["base"][name], below, "x", COLOURS["quiet"], sign, filled)
    _draw_estimate(axes, tuned, above, "x", COLOURS["main"], "o", True, size=8)


def draw_ladder(ladder: Mapping[str, Any]) -> Any:
    """The rungs from left to right: tuned and untuned on the same items."""
    from matplotlib.figure import Figure

    height = 3.7
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.subplots()
    figure.subplots_adjust(left=0.75 / WIDTH, right=1 - 0.2 / WIDTH, bottom=0.6 / height, top=1 - 0.45 / height)
    places = list(range(len(ladder)))
    for key, colour, way in (("base", COLOURS["quiet"], -1), ("tuned", COLOURS["main"], 1)):
        means = [100 * one[key]["mean"] for one in ladder.values()]
        beside = [place + way * APART / 4 for place in places]
        axes.plot(beside, means, color=colour, linewidth=1.6, zorder=1)
        for place, one in zip(beside, ladder.values(), strict=True):
            _draw_estimate(axes, one[key], place, "y", colour, "o", True, size=8 if key == "tuned" else 6)
            end = one[key]["high" if way > 0 else "low"]
            axes.annotate(f"{100 * one[key]['mean']:.1f}", (place, 100 * end), xytext=(0, 8 * way), ha="center",
                          textcoords="offset points", va="bottom" if way > 0 else "top", color=colour)  # fmt: skip
    for place, one in zip(places, ladder.values(), strict=True):
        if one["chance"] is not None:
            axes.plot([place - 0.16, place + 0.16], [100 * one["chance"]] * 2, zorder=1, **CHANCE)
    axes.set_xticks(
        places,
        [
            f"{rung}\n{counted(len(one['tasks']), 'task')}, {counted(one['items'], 'item')}"
            for rung, one in ladder.items()
        ],
    )
    axes.tick_params(axis="x", labelcolor=COLOURS["ink"], length=0)
    axes.tick_params(axis="y", labelcolor=COLOURS["quiet"])
    axes.set_xlim(-0.4, len(places) - 0.5)
    _share_axis(axes, "y")
    axes.set_ylabel("score, in hundredths of the best")
    _legend(figure, [INSTRUCTIONS])
    return figure


def _draw_estimate(
    axes: Any, one: Mapping[str, float], place: float, along: str, colour: str, sign: str, filled: bool, size: float = 6
) -> None:
    mean, low, high = (100 * one[name] for name in ("mean", "low", "high"))
    error = [[max(0.0, mean - low)], [max(0.0, high - mean)]]
    x, y, bars = (mean, place, {"xerr": error}) if along == "x" else (place, mean, {"yerr": error})
    axes.errorbar(x, y, **bars, color=colour, elinewidth=1.2, capsize=2.5, alpha=0.75, zorder=2)
    face = colour if filled else COLOURS["card"]
    axes.plot([x], [y], sign, color=colour, markerfacecolor=face, markersize=size, markeredgewidth=1.4, zorder=3)


def _share_axis(axes: Any, name: str) -> None:
    """From 0 to 100, wider than what is drawn."""
    getattr(axes, f"set_{name}lim")(-2, 102)
    getattr(axes, f"set_{name}ticks")(range(0, 101, 20))
    axes.grid(axis=name)
    axes.tick_params(axis=name, length=0)


def _legend(figure: Any, bases: list[str]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=COLOURS["main"], marker="o", linewidth=0, markersize=8, label="tuned, instructions")
    ]
    for name in bases:
        sign, filled, words = BASES[name]
        face = COLOURS["quiet"] if filled else COLOURS["card"]
        handles.append(
            Line2D(
                [],
                [],
                color=COLOURS["quiet"],
                marker=sign,
                markerfacecolor=face,
                linewidth=0,
                markersize=6,
                label=words,
            )
        )
    handles.append(Line2D([], [], label="chance", **CHANCE))
    figure.legend(handles=handles, loc="upper center", ncols=len(handles), handletextpad=0.4, columnspacing=1.6)


def _shortened(name: str) -> str:
    """A name without its middle where it would leave the plot no room."""
    if _letters(name) <= LONGEST:
        return name
    kept = next(count for count in range(len(name), 0, -1) if _letters(name[:count]) <= LONGEST // 2)
    end = next(count for count in range(len(name), 0, -1) if _letters(name[-count:]) <= LONGEST // 2 - 1)
    return f"{name[:kept]}…{name[-end:]}"


def _letters(text: str) -> float:
    """How wide a text is, in letters: Chinese ones are twice as wide as others."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
