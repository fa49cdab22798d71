"""Charts: round ticks, no lost spikes, an unbiased smooth line, and text that stays text."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.run.chart import Curve, bars, draw, short, smooth, thin, ticks

FLOATS = st.floats(-1e9, 1e9, allow_nan=False)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (0, 1e-4, [0, 2e-5, 4e-5, 6e-5, 8e-5, 1e-4]),
        (0.97, 3.02, [1, 1.5, 2, 2.5, 3]),
        (-1, 1, [-1, -0.5, 0, 0.5, 1]),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


@given(low=FLOATS, share=st.floats(1e-4, 1e3))
def test_ticks_lie_inside_and_are_few(low: float, share: float) -> None:
    span = max(abs(low), 1e-6) * share
    found = ticks(low, low + span)
    assert 2 <= len(found) <= 7
    assert all(low - span / 1000 <= tick <= low + span + span / 1000 for tick in found)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (2e-5, "2e-5"),
        (1e-4, "1e-4"),
        (1.24e-4, "1.2e-4"),
        (0.5, "0.5"),
        (1500, "1500"),
        (12345, "12.3k"),
        (6.16e6, "6.16M"),
        (2e9, "2G"),
    ],
)
def test_short_numbers(value: float, text: str) -> None:
    assert short(value) == text


def test_smooth_starts_without_bias_and_ends_at_a_constant() -> None:
    assert [y for _, y in smooth([(1, 4.0), (2, 4.0), (3, 4.0)], 10)] == pytest.approx([4.0, 4.0, 4.0])
    assert smooth([(1, 4.0), (2, 2.0)], 1) == [(1, 4.0), (2, 2.0)]


@given(st.lists(FLOATS, min_size=1, max_size=3000), st.integers(10, 600))
def test_thinning_keeps_the_ends_and_the_extremes(values: list[float], most: int) -> None:
    points = list(enumerate(values))
    kept = thin(points, most)
    assert len(kept) <= most + 4
    assert {points[0], points[-1]} <= set(kept)
    assert {min(values), max(values)} <= {y for _, y in kept}
    assert [x for x, _ in kept] == sorted(x for x, _ in kept)


@given(st.lists(st.tuples(st.integers(1, 10**6), st.floats()), max_size=30), st.booleans())
def test_any_curve_is_drawn_inside_the_picture(points: list[tuple[float, float]], from_zero: bool) -> None:
    finite = [(x, y) for x, y in points if math.isfinite(y) and abs(y) < 1e300]
    svg = draw(
        "t", [Curve("c", [p for p in points if not math.isfinite(p[1]) or abs(p[1]) < 1e300])], from_zero=from_zero
    )
    assert bool(svg) == bool(finite)
    if svg:
        root = ElementTree.fromstring(svg)
        for line in root.iter("polyline"):
            for pair in line.attrib["points"].split():
                x, y = map(float, pair.split(","))
                assert -1 <= x <= 881
                assert -1 <= y <= 261


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=30))
def test_bars_are_as_tall_as_their_counts(counts: list[int]) -> None:
    edges = list(range(5, 5 + 3 * (len(counts) + 1), 3))
    svg = bars("t", edges, counts)
    assert bool(svg) == any(counts)
    if svg:
        rects = list(ElementTree.fromstring(svg).iter("rect"))
        heights = [float(rect.attrib["height"]) for rect in rects]
        tallest = max(heights)
        for place, (height, count) in enumerate(zip(heights, counts, strict=True)):
            assert (height == 0) == (count == 0)
            assert height == pytest.approx(tallest * count / max(counts), abs=1.6)
            assert rects[place][0].text == f"{edges[place]:,} to {edges[place] + 2:,}: {count:,}"


def test_nothing_to_draw() -> None:
    assert draw("t", []) == ""
    assert draw("t", [Curve("c", [(1, math.nan)])]) == ""


def test_text_in_a_chart_is_escaped() -> None:
    svg = draw('"><script>', [Curve("<b>", [(1, 1.0)])], show=lambda value: "<i>")
    assert "<script>" not in svg
    assert "<b>" not in svg
    assert "<i>" not in svg
    ElementTree.fromstring(svg)


def test_a_validation_curve_has_a_dot_with_words_for_each_point() -> None:
    svg = draw("t", [Curve("validation", [(5, 1.0), (10, 0.5)], "second", marked=True)])
    words = [title.text for title in ElementTree.fromstring(svg).iter("title")]
    assert words == ["step 5, validation: 1", "step 10, validation: 0.5"]
