"""Plots: files and a drawing for the page, in its colours, with any cluster's name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tutelage.studies.holdout_plots import draw_clusters, draw_ladder
from tutelage.studies.plots import COLOURS, Plot, write_plot


def estimate(mean: float) -> dict[str, float]:
    return {"mean": mean, "low": mean - 0.1, "high": mean + 0.1}


def cluster(tuned: float, **base: float) -> dict[str, Any]:
    best = max(base, key=lambda name: base[name])
    return {
        "items": 1200,
        "chance": 0.5 if tuned > 0.5 else None,
        "tuned": estimate(tuned),
        "base": {name: estimate(mean) for name, mean in base.items()},
        "differences": {name: estimate(tuned - mean) for name, mean in base.items()},
        "best_base": best,
    }


CLUSTERS = {
    "inference": cluster(0.7, instructions=0.5, plain=0.4),
    "情感分析 <b>": cluster(0.4, instructions=0.3, exemplars=0.5),
}
MEAN = {**cluster(0.55, instructions=0.4, best=0.5), "best_base": "best"}
LADDER = {
    rung: {"tuned": estimate(0.6), "base": estimate(0.4), "items": 10, "tasks": ["a"], "chance": 0.5}
    for rung in ("new items", "new cluster")
}


def test_a_plot_is_two_files_and_a_drawing(tmp_path: Path) -> None:
    plot = Plot("clusters", "Held-out clusters", "…", lambda: draw_clusters(CLUSTERS, MEAN))
    drawing = write_plot(plot, tmp_path)
    assert (tmp_path / "clusters.png").read_bytes().startswith(b"\x89PNG")
    file = (tmp_path / "clusters.svg").read_text("utf-8")
    for text in ("情感分析 &lt;b&gt;", "inference", "mean", "1,200", "untuned, exemplars"):
        assert text in file
        assert text in drawing
    assert drawing.startswith('<svg class="plot"')
    assert not any(colour in drawing for colour in COLOURS.values())
    assert "var(--main)" in drawing
    assert "<script" not in drawing
    assert "http" not in re.sub(r'xmlns:xlink="[^"]*"', "", drawing)
    assert set(re.findall(r'href="#([^"]+)"', drawing)) <= set(re.findall(r'id="([^"]+)"', drawing))
    assert write_plot(plot, tmp_path) == drawing


def test_a_long_name_loses_its_middle(tmp_path: Path) -> None:
    names = {"reading_comprehension_with_commonsense": "reading_comprehension_with_commonsense"}  # of FLAN's, whole
    names["a_name_of_a_cluster_" * 4 + "end"] = "a_name_of_a_cluster_…me_of_a_cluster_end"
    names["常识推理" * 12] = "常识推理常识推理常识…理常识推理常识推理"
    clusters = dict.fromkeys(names, CLUSTERS["inference"])
    drawing = write_plot(Plot("clusters", "Clusters", "", lambda: draw_clusters(clusters, MEAN)), tmp_path)
    for shown in names.values():
        assert shown in drawing


def test_one_cluster_has_no_mean_and_the_ladder_has_its_rungs(tmp_path: Path) -> None:
    one = {"inference": CLUSTERS["inference"]}
    drawing = write_plot(Plot("clusters", "Clusters", "", lambda: draw_clusters(one, MEAN)), tmp_path)
    assert ">mean<" not in drawing
    ladder = write_plot(Plot("ladder", "Ladder", "", lambda: draw_ladder(LADDER)), tmp_path)
    for text in ("new items", "new cluster", "1 task, 10 items", "60.0", "40.0"):
        assert text in ladder
