"""The tables of `benchmarks.scaling` as a picture."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from sdk.files import write_atomically

__all__ = ["Chart", "Series", "draw_charts"]

_SCALE = 2
"""Pixels are drawn this many times too large, then averaged: smooth lines."""
_WIDTH, _HEIGHT = 620, 440
_LEFT, _TOP, _RIGHT, _BOTTOM = 64, 48, 186, 56
_PAPER, _INK, _GRID = (255, 255, 255), (30, 30, 30), (225, 225, 225)
# Okabe and Ito's colors, which color-blind people can tell apart
_COLORS = ((0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0))


@dataclass(frozen=True)
class Series:
    """A line of a chart.

    Attributes:
        name: Text beside the end of the line.
        points: (x, y) pairs, x increasing.
    """

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Chart:
    """A chart with a logarithmic x axis.

    Attributes:
        title: Text above.
        x_name: Name of the x axis.
        x_ticks: Labeled values of x.
        y_ticks: Labeled values of y, from the lowest to the highest of the chart.
        series: The lines.
    """

    title: str
    x_name: str
    x_ticks: Sequence[float]
    y_ticks: Sequence[float]
    series: Sequence[Series]


def draw_charts(charts: Sequence[Chart], path: Path) -> None:
    """Write charts side by side as a PNG, replaced atomically.

    Raises:
        SdkError: The file cannot be written.
    """
    sheet = Image.new("RGB", (len(charts) * _WIDTH * _SCALE, _HEIGHT * _SCALE), _PAPER)
    for number, chart in enumerate(charts):
        sheet.paste(_drawn(chart), (number * _WIDTH * _SCALE, 0))
    smooth = sheet.resize((sheet.width // _SCALE, sheet.height // _SCALE), Image.Resampling.BOX)
    buffer = io.BytesIO()
    smooth.quantize(64).save(buffer, "PNG", optimize=True)
    write_atomically(path, buffer.getvalue())


def _drawn(chart: Chart) -> Image.Image:
    panel = Image.new("RGB", (_WIDTH * _SCALE, _HEIGHT * _SCALE), _PAPER)
    draw = ImageDraw.Draw(panel)
    small, large = (ImageFont.load_default(size * _SCALE) for size in (12, 15))
    left, right = _LEFT * _SCALE, (_WIDTH - _RIGHT) * _SCALE
    top, bottom = _TOP * _SCALE, (_HEIGHT - _BOTTOM) * _SCALE
    x_of = _axis(chart.x_ticks, left, right, log=True)
    y_of = _axis(chart.y_ticks, bottom, top, log=False)
    draw.text((left, 12 * _SCALE), chart.title, _INK, large)
    for x in chart.x_ticks:
        draw.line((x_of(x), top, x_of(x), bottom), _GRID, _SCALE)
        draw.text((x_of(x), bottom + 6 * _SCALE), f"{x:,.0f}", _INK, small, anchor="ma")
    for y in chart.y_ticks:
        draw.line((left, y_of(y), right, y_of(y)), _GRID, _SCALE)
        draw.text((left - 6 * _SCALE, y_of(y)), f"{y:,g}", _INK, small, anchor="rm")
    middle = (left + right) / 2
    draw.text((middle, bottom + 28 * _SCALE), chart.x_name, _INK, small, anchor="ma")
    free = [top - 9 * _SCALE]  # heights of the names so far; names must not overlap
    order = sorted(range(len(chart.series)), key=lambda i: -chart.series[i].points[-1][1])
    for i in order:
        series, color = chart.series[i], _COLORS[i % len(_COLORS)]
        line = [(x_of(x), y_of(y)) for x, y in series.points]
        draw.line(line, color, 2 * _SCALE, joint="curve")
        height = max(line[-1][1], free[-1] + 16 * _SCALE)
        free.append(height)
        draw.text((right + 8 * _SCALE, height), series.name, color, small, anchor="lm")
    return panel


def _axis(
    ticks: Sequence[float], start: float, stop: float, *, log: bool
) -> Callable[[float], float]:
    """Return the map from a value to pixels, the first tick at ``start``, the last at ``stop``."""
    form = math.log if log else float
    low, high = form(ticks[0]), form(ticks[-1])
    return lambda value: start + (form(value) - low) / (high - low) * (stop - start)
