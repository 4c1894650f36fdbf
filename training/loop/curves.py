"""Curves of a run's losses and measures as a picture."""

from __future__ import annotations

import contextlib
import csv
import io
import math
from pathlib import Path

from PIL import Image, ImageDraw

from sdk.files import write_atomically

__all__ = ["draw_curves", "read_rows"]

_WIDTH, _HEIGHT, _MARGIN = 560, 220, 44
_INK, _AXIS, _PAPER = (20, 90, 170), (150, 150, 150), (255, 255, 255)


def read_rows(path: Path) -> dict[str, list[tuple[float, float]]]:
    """Return (step, value) pairs of each column of a CSV file with a ``step`` column."""
    series: dict[str, list[tuple[float, float]]] = {}
    if not path.exists():
        return series
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            # a full disk leaves half a row, and the next row continues on the same line
            with contextlib.suppress(KeyError, TypeError, ValueError):
                numbers = {name: float(value) for name, value in row.items() if value}
                step = numbers.pop("step")
                for name, value in numbers.items():
                    if name not in ("seconds", "lines"):
                        series.setdefault(name, []).append((step, value))
    return series


def _panel(name: str, points: list[tuple[float, float]]) -> Image.Image:
    panel = Image.new("RGB", (_WIDTH, _HEIGHT), _PAPER)
    draw = ImageDraw.Draw(panel)
    good = [(x, y) for x, y in points if math.isfinite(y)]
    draw.text((_MARGIN, 6), f"{name}: {good[-1][1]:.4g}" if good else name, fill=(0, 0, 0))
    left, top, right, bottom = _MARGIN, 24, _WIDTH - 12, _HEIGHT - 24
    draw.rectangle((left, top, right, bottom), outline=_AXIS)
    if not good:
        return panel
    xs, ys = [x for x, _ in good], [y for _, y in good]
    # a spike at the start must not flatten the rest
    ordered = sorted(ys)
    low, high = ordered[0], ordered[min(len(ys) - 1, int(0.98 * len(ys)))]
    span_x, span_y = max(xs[-1] - xs[0], 1e-9), max(high - low, 1e-9)
    line = [
        (
            left + (x - xs[0]) / span_x * (right - left),
            bottom - min(max((y - low) / span_y, 0), 1) * (bottom - top),
        )
        for x, y in good
    ]
    draw.line(line if len(line) > 1 else line * 2, fill=_INK, width=2)
    draw.text((2, top), f"{high:.3g}", fill=_AXIS)
    draw.text((2, bottom - 10), f"{low:.3g}", fill=_AXIS)
    draw.text((left, bottom + 4), f"{xs[0]:.0f}", fill=_AXIS)
    draw.text((right - 50, bottom + 4), f"{xs[-1]:.0f}", fill=_AXIS)
    return panel


def draw_curves(sources: list[Path], path: Path) -> None:
    """Draw each column of some CSV files as a panel of one PNG.

    Args:
        sources: Files for `read_rows`.
        path: The picture; replaced atomically.
    """
    series = {f"{s.stem} {n}": p for s in sources for n, p in read_rows(s).items()}
    if not series:
        return
    columns = 2
    rows = -(-len(series) // columns)
    sheet = Image.new("RGB", (columns * _WIDTH, rows * _HEIGHT), _PAPER)
    for i, (name, points) in enumerate(series.items()):
        sheet.paste(_panel(name, points), (i % columns * _WIDTH, i // columns * _HEIGHT))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    write_atomically(path, buffer.getvalue())
