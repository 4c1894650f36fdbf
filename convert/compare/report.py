"""Results of a comparison as text, as CSV and as a picture."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageDraw

from convert.compare.compare import Entry, Totals, totals_of

__all__ = ["as_csv", "as_picture", "as_text"]

_COLUMNS = (
    ("MB", "MB", "{:.2f}"),
    ("line_ms", "ms a line", "{:.1f}"),
    ("photo_ms", "ms a photo", "{:.0f}"),
    ("peak_mib", "peak MiB", "{:.0f}"),
    ("strings", "strings", "{:.2%}"),
    ("characters", "characters", "{:.2%}"),
    ("lost", "lost", "{:.0f}"),
    ("gained", "gained", "{:.0f}"),
)
_WIDTH, _ROW, _HEAD, _LABEL = 420, 22, 26, 130
_INK, _AXIS, _BAR, _PAPER = (0, 0, 0), (150, 150, 150), (20, 90, 170), (255, 255, 255)


def _values(entry: Entry, totals: Totals) -> dict[str, float]:
    return {
        "MB": entry.megabytes,
        "line_ms": totals.median_ms("line"),
        "photo_ms": totals.median_ms("photo"),
        "peak_mib": totals.peak_mib,
        "strings": totals.string_share,
        "characters": totals.character_share,
        "lost": totals.lost,
        "gained": totals.gained,
    }


def _cell(value: float, form: str) -> str:
    return "-" if math.isnan(value) else form.format(value)


def as_text(entries: Sequence[Entry], rows: Sequence[dict[str, Any]]) -> str:
    """Return tables: all sets together, then each set."""
    whole, sets = totals_of(rows, len(entries))
    width = max(len("variant"), *(len(entry.name) for entry in entries)) + 2
    lines = [f"{'variant':<{width}}" + "".join(f"{title:>12}" for _, title, _ in _COLUMNS)]
    for entry, totals in zip(entries, whole, strict=True):
        values = _values(entry, totals)
        cells = (f"{_cell(values[key], form):>12}" for key, _, form in _COLUMNS)
        lines.append(f"{entry.name:<{width}}" + "".join(cells))
    pictures = sum(len(s.line_ms) + len(s.photo_ms) for s in whole[:1])
    lines += [
        f"{pictures} pictures with {whole[0].strings} labeled strings; ms are medians; lost and "
        f"gained are strings relative to {entries[0].name}.",
        "",
        f"{'strings right':<28}{'count':>7}" + "".join(f"{e.name:>{width + 8}}" for e in entries),
    ]
    for name, group in sorted(sets.items()):
        cells = (f"{_cell(s.string_share, '{:.1%}')} (-{s.lost} +{s.gained})" for s in group)
        lines.append(
            f"{name:<28}{group[0].strings:>7}" + "".join(f"{c:>{width + 8}}" for c in cells)
        )
    return "\n".join(lines)


def as_csv(entries: Sequence[Entry], rows: Sequence[dict[str, Any]]) -> str:
    """Return a row for each variant and set, and for all sets together ("all")."""
    whole, sets = totals_of(rows, len(entries))
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    counts = ["labels", "right", "label_characters", "edits"]
    writer.writerow(["set", "variant", *counts, *(key for key, _, _ in _COLUMNS)])
    for name, group in {"all": whole, **sets}.items():
        for entry, s in zip(entries, group, strict=True):
            values = _values(entry, s)
            numbers = ("" if math.isnan(v) else f"{v:.6g}" for v in values.values())
            writer.writerow([name, entry.name, s.strings, s.right, s.characters, s.edits, *numbers])
    return buffer.getvalue()


def as_picture(entries: Sequence[Entry], rows: Sequence[dict[str, Any]]) -> bytes:
    """Return a bar chart of each measure, a PNG."""
    whole, _ = totals_of(rows, len(entries))
    values = [_values(e, s) for e, s in zip(entries, whole, strict=True)]
    panels = [_panel(key, title, form, entries, values) for key, title, form in _COLUMNS[:6]]
    height = panels[0].height
    sheet = Image.new("RGB", (2 * _WIDTH, 3 * height), _PAPER)
    for i, panel in enumerate(panels):
        sheet.paste(panel, (i % 2 * _WIDTH, i // 2 * height))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def _panel(
    key: str,
    title: str,
    form: str,
    entries: Sequence[Entry],
    values: Sequence[dict[str, float]],
) -> Image.Image:
    panel = Image.new("RGB", (_WIDTH, _HEAD + _ROW * len(entries) + 14), _PAPER)
    draw = ImageDraw.Draw(panel)
    draw.text((8, 8), title, fill=_INK)
    numbers = [row[key] for row in values]
    most = max((n for n in numbers if not math.isnan(n)), default=0.0) or 1.0
    for i, (entry, number) in enumerate(zip(entries, numbers, strict=True)):
        top = _HEAD + _ROW * i
        draw.text((8, top + 3), entry.name[-20:], fill=_INK)
        length = 0 if math.isnan(number) else int(number / most * (_WIDTH - _LABEL - 70))
        draw.rectangle((_LABEL, top + 3, _LABEL + length, top + _ROW - 5), fill=_BAR)
        draw.text((_LABEL + length + 6, top + 3), _cell(number, form), fill=_INK)
    draw.line((_LABEL, _HEAD, _LABEL, _HEAD + _ROW * len(entries)), fill=_AXIS)
    return panel
