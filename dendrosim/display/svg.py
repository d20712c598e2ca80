"""Small pictures as SVG: no scripts, no ids, colours that stand out on light and dark pages, of bounded size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..plotting.markup import Content, Markup, tag
from ..plotting.palette import BLUE
from .card import clean, figure

Floats = NDArray[np.float64]
BINS = 24
POINTS = 240
"""Points of a line at most: two for each of 120 stretches, their least and their greatest value."""


@dataclass(frozen=True)
class Line:
    """A line of a chart.

    Attributes
    ----------
    name : str
    x, y : float arrays of shape (n,)
    color : str
    dashed : bool
    """

    name: str
    x: NDArray[Any]
    y: NDArray[Any]
    color: str = BLUE
    dashed: bool = False


def drawing(width: float, height: float, says: str, *content: Content) -> Markup:
    """An SVG element with a text for those who do not see it."""
    return tag(
        "svg",
        content,
        viewBox=f"0 0 {width:g} {height:g}",
        width=f"{width:g}",
        height=f"{height:g}",
        role="img",
        aria_label=clean(says),
    )


def label(x: float, y: float, text: str, anchor: str = "start") -> Markup:
    """Text in a picture."""
    return tag("text", clean(text, 60), x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor)


def chart(
    lines: Sequence[Line],
    *,
    says: str,
    x_label: str,
    y_label: str,
    band: tuple[NDArray[Any], NDArray[Any], NDArray[Any]] | None = None,
    marks: NDArray[Any] | None = None,
    size: tuple[float, float] = (240.0, 120.0),
) -> Markup:
    """Lines over a common axis, labelled with the ends of both axes.

    Parameters
    ----------
    lines : sequence of Line
        What is not finite is left out.
    says : str
        What the picture shows.
    x_label, y_label : str
        With units.
    band : (x, low, high), optional
        A shaded range.
    marks : float array, optional
        Moments that are marked above the lines.
    size : (float, float)
    """
    width, height = size
    right, top, bottom = 6.0, 18.0, 26.0
    kept = [(line, *_thin(line.x, line.y)) for line in lines]
    xs = np.concatenate([np.zeros(0), *(x for _, x, _ in kept)])
    ys = np.concatenate([np.zeros(0), *(y for _, _, y in kept)])
    if band is not None:
        ok = np.isfinite(band[0]) & np.isfinite(band[1]) & np.isfinite(band[2])
        x_band, low, high = (np.asarray(a, np.float64)[ok] for a in band)
        xs, ys = np.concatenate([xs, x_band]), np.concatenate([ys, low, high])
    if not xs.size:
        return drawing(width, height, f"{says}: no finite values", label(8, height / 2, "no finite values"))
    x0, x1, y0, y1 = (float(v) for v in (xs.min(), xs.max(), ys.min(), ys.max()))
    left = 8.0 + 5.8 * max(len(figure(y0)), len(figure(y1)))

    def at_x(x: NDArray[Any]) -> Floats:
        return left + _share(x, x0, x1) * (width - left - right)

    def at_y(y: NDArray[Any]) -> Floats:
        return height - bottom - _share(y, y0, y1) * (height - top - bottom)

    drawn: list[Markup] = [_frame(left, top, width - right, height - bottom)]
    if band is not None and x_band.size:
        across = at_x(x_band)
        outline = np.column_stack([np.append(across, across[::-1]), np.append(at_y(low), at_y(high)[::-1])])
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in outline.tolist())
        drawn.append(tag("polygon", points=points, fill=lines[0].color if lines else BLUE, opacity="0.25"))
    for line, x, y in kept:
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(at_x(x), at_y(y), strict=True))
        if x.size == 1:
            a, b = (float(v[0]) for v in (at_x(x), at_y(y)))
            drawn.append(tag("circle", cx=f"{a:.1f}", cy=f"{b:.1f}", r="2.5", fill=line.color))
        elif x.size:
            dashes = "4 2" if line.dashed else None
            drawn.append(
                tag(
                    "polyline",
                    points=points,
                    fill="none",
                    stroke=line.color,
                    stroke_width="1.5",
                    stroke_dasharray=dashes,
                )
            )
    if marks is not None and marks.size:
        shown = marks[np.linspace(0, marks.size - 1, min(marks.size, POINTS)).round().astype(int)]
        ticks = "".join(f"M{x:.1f} {top - 7:g}v5" for x in at_x(shown) if left <= x <= width - right)
        drawn.append(tag("path", d=ticks, stroke="currentColor", fill="none"))
    named = [line for line, x, _ in kept if line.name and x.size]
    drawn += (
        _legend(named, left, height - 1, width)
        if len(named) > 1
        else [label((left + width) / 2, height - 2, x_label, "middle")]
    )
    return drawing(
        width, height, says, drawn, *_ends((x0, x1), (y0, y1), (left, right, top, bottom), size), label(0, 9, y_label)
    )


def histogram(values: NDArray[Any], *, says: str, x_label: str, color: str = BLUE, whole: bool = False) -> Markup:
    """How often values occur.

    Parameters
    ----------
    values : array
        What is not finite is left out.
    says, x_label : str
    color : str
    whole : bool, default False
        Values are whole numbers.
    """
    width, height, left, right, top, bottom = 240.0, 120.0, 8.0, 8.0, 8.0, 26.0
    array = np.asarray(values, np.float64).ravel()
    array = array[np.isfinite(array)]
    if not array.size:
        return drawing(width, height, f"{says}: no finite values", label(left, height / 2, "no finite values"))
    low, high = float(array.min()), float(array.max())
    edges = _edges(low, high, whole)
    with np.errstate(all="ignore"):
        counts = np.histogram(_share(array, low, high), bins=edges)[0]
    step = (width - left - right) / counts.size
    tall = counts / counts.max() * (height - top - bottom)
    bars = "".join(
        f"M{left + i * step + 0.5:.1f} {height - bottom:g}v{-h:.1f}h{step - 1:.1f}v{h:.1f}z"
        for i, h in enumerate(tall)
        if h > 0
    )
    return drawing(
        width, height, says,
        tag("path", d=bars, fill=color), _frame(left, height - bottom, width - right, height - bottom),
        label(left, height - 14, figure(low)), label(width - right, height - 14, figure(high), "end"),
        label(width / 2, height - 2, x_label, "middle"),
    )  # fmt: skip


def _edges(low: float, high: float, whole: bool) -> Floats:
    """Borders of bins in shares of the range; of few whole numbers each has a bin of its own."""
    n = high - low
    edges: Floats = np.linspace(0.0, 1.0, BINS + 1) if n > 0 else np.linspace(-0.5, 1.5, 4)
    if whole and 0 < n < BINS:
        edges = np.linspace(-0.5 / n, 1 + 0.5 / n, int(n) + 2)
    return edges


def _share(values: NDArray[Any], low: float, high: float) -> Floats:
    """Where in the range from `low` to `high`; the middle where that is no range."""
    array = np.asarray(values, np.float64)
    half = 0.5 * high - 0.5 * low  # halves: the whole range can be beyond all numbers
    if not half > 0:
        return np.full(array.shape, 0.5)
    return np.clip((0.5 * array - 0.5 * low) / half, 0.0, 1.0)


def _thin(x: NDArray[Any], y: NDArray[Any]) -> tuple[Floats, Floats]:
    """Few enough points of a line that keep its least and greatest values."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    ok = np.isfinite(x) & np.isfinite(y)
    x, y = x[ok], y[ok]
    if x.size <= POINTS:
        return x, y
    keep = []
    for part in np.array_split(np.arange(x.size), POINTS // 2):
        keep += sorted((int(part[y[part].argmin()]), int(part[y[part].argmax()])))
    return x[keep], y[keep]


def _frame(x0: float, y0: float, x1: float, y1: float) -> Markup:
    return tag("path", d=f"M{x0:g} {y0:g}V{y1:g}H{x1:g}", stroke="currentColor", fill="none", opacity="0.5")


def _ends(
    x: tuple[float, float], y: tuple[float, float], edges: tuple[float, float, float, float], size: tuple[float, float]
) -> list[Markup]:
    """The ends of both axes."""
    left, right, top, bottom = edges
    width, height = size
    made = [
        label(left, height - bottom + 12, figure(x[0])),
        label(width - right, height - bottom + 12, figure(x[1]), "end"),
        label(left - 3, height - bottom, figure(y[0]), "end"),
    ]
    return made + ([label(left - 3, top + 8, figure(y[1]), "end")] if y[1] > y[0] else [])


def _legend(lines: Sequence[Line], x: float, y: float, width: float) -> list[Markup]:
    """Names of lines below a chart."""
    made, step = [], (width - x) / min(len(lines), 3)
    for i, line in enumerate(lines[:3]):
        at = x + i * step
        dashes = "4 2" if line.dashed else None
        stroke = tag("path", d=f"M{at:.1f} {y - 4:g}h12", stroke=line.color, stroke_width="2", stroke_dasharray=dashes)
        made += [stroke, label(at + 15, y - 1, clean(line.name, 16))]
    return made
