"""The report on a specialized reader: a Markdown page with sheets of samples and worst cases."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from training.specialize.judge import Judged, Tally
from training.specialize.prints import Print
from training.specialize.survey import Survey

__all__ = ["PATTERN", "Results", "verdicts", "write_report"]

_CELL = (460, 66)
_COLUMNS = 3
_MOST_CELLS = 60
_SHOWN_PX = 44

PATTERN = "by the pattern"
"""How lines are read whose counts decide."""


@dataclass(frozen=True)
class Results:
    """What a report states.

    Attributes:
        patterns: Patterns as given.
        survey: What the photos show.
        prints: Prints by likeness.
        counts: Numbers of the work, such as minutes and steps, by name.
        choice: Strings read right by the candidates' float networks, by candidate and set.
        chosen: Name of the exported candidate.
        tallies: (set, reader, how) and counts, in order.
        samples: Generated line images with their texts.
        worst: Pairs of readings of a line by the default and by the specialist.
    """

    patterns: Sequence[str]
    survey: Survey
    prints: Sequence[Print]
    counts: Mapping[str, str]
    choice: Mapping[str, Mapping[str, float]]
    chosen: str
    tallies: Sequence[tuple[tuple[str, str, str], Tally]]
    samples: Sequence[tuple[NDArray[np.uint8], str]]
    worst: Sequence[tuple[Judged, Judged]] = field(default_factory=tuple)


def write_report(folder: Path, name: str, results: Results) -> None:
    """Write ``report.md``, ``samples.png`` and, if there are errors, ``worst.png``.

    ``report.json`` has the numbers of the table, for programs.

    Args:
        folder: An existing folder.
        name: Name of the bundle.
        results: What the report states.

    Raises:
        OSError: A file cannot be written.
    """
    real = [(line.band, line.text) for line in results.survey.lines[: _MOST_CELLS // 4]]
    grounds = [(line.ground, "painted over") for line in results.survey.lines[: _MOST_CELLS // 6]]
    _sheet([*real, *grounds, *results.samples], folder / "samples.png")
    if results.worst:
        cells = [
            (
                new.image,
                f"{new.wanted} | default {old.read} {old.confidence:.2f} | "
                f"{name} {new.read} {new.confidence:.2f}",
            )
            for old, new in results.worst
        ]
        _sheet(cells, folder / "worst.png", columns=1)
    (folder / "report.md").write_text(_page(name, results), encoding="utf-8")
    values = {
        "name": name,
        "patterns": list(results.patterns),
        "photos": results.survey.photos,
        "verdicts": verdicts(results.tallies, name),
        "results": [
            {"set": lines, "reader": reader, "read": how, **asdict(tally)}
            for (lines, reader, how), tally in results.tallies
        ],
    }
    (folder / "report.json").write_text(json.dumps(values, indent=1), encoding="utf-8")


def _page(name: str, results: Results) -> str:
    survey = results.survey
    kind = results.prints[0].kind
    lines = [
        f"# Reader {name}",
        "",
        f"Made for lines of the pattern {_patterns(results.patterns)} from {survey.photos} photos. "
        f"{len(survey.lines)} lines of the photos fit the pattern.",
        "",
        *(f"- {key}: {value}" for key, value in results.counts.items()),
        "",
        "## Results",
        "",
        *(f"- {sentence}" for sentence in verdicts(results.tallies, name)),
        "",
        "*Strings* are lines whose whole text is right. The interval is the one of 95 % (Wilson). "
        "A reading is *accepted* if it fits the pattern and its confidence is at least the bound, "
        "which was chosen on other generated lines as the least without a wrong reading there. "
        "Generated lines are like the training data, so that their results are a ceiling: only "
        "labeled photos of the product show what to expect.",
        "",
        "| lines | reader | read | strings | share | 95 % interval | characters | bound "
        "| accepted | wrong of them |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(_row(key, tally) for key, tally in results.tallies),
        "",
        "![the most surely wrong readings](worst.png)" if results.worst else "No line was misread.",
        "",
        "## The product's print",
        "",
        f"Kind of print: {kind}. Most similar: "
        + ", ".join(f"{each.name} {each.likeness:.2f}" for each in results.prints[:5])
        + ".",
        "",
        "| photo | text | confidence | height px | contrast | blur | noise | slant | stroke |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(
            f"| {_cell(x.photo)} | {_cell(x.text)} | {x.confidence:.2f} | {x.height_px:.0f} "
            f"| {x.ink.contrast:+.0f} | {x.ink.blur:.3f} | {x.ink.noise:.1f} | {x.ink.slant:+.2f} "
            f"| {x.ink.stroke:.2f} |"
            for x in survey.lines[:40]
        ),
        "",
        "Contrast and noise in gray levels (negative contrast: dark on light); blur, slant and "
        "stroke as shares of the line's height.",
        "",
        "![lines of the photos, their grounds, and generated lines](samples.png)",
        "",
        "## Choice of the weights",
        "",
        f"Exported: {results.chosen}. Strings read right by the networks before quantization, "
        "one reading a line, without the pattern:",
        "",
        *_choice_table(results.choice),
        "",
    ]
    if survey.unreadable:
        names = ", ".join(map(_cell, survey.unreadable))
        lines += [f"Files that are no pictures, left out: {names}.", ""]
    return "\n".join(lines)


def verdicts(
    tallies: Sequence[tuple[tuple[str, str, str], Tally]], name: str, default: str = "default"
) -> list[str]:
    """Return a sentence for each set of lines: whether the new reader reads more than the default.

    Args:
        tallies: (set, reader, how) and counts.
        name: Name of the new reader.
        default: Name of the reader that it is compared with.
    """
    found = []
    for (lines, who, how), old in tallies:
        new = dict(tallies).get((lines, name, how))
        if who != default or how != PATTERN or new is None:
            continue
        if new.right > old.right:
            outcome = f"{new.right - old.right} more"
        elif new.right < old.right:
            outcome = f"{old.right - new.right} fewer: keep the default, or train longer"
        else:
            outcome = "as many: the training gained nothing here; train longer"
        found.append(
            f"{lines}: of {new.lines} lines, {name} reads {new.right} right, "
            f"{default} {old.right}, {outcome}."
        )
    return found


def _patterns(patterns: Sequence[str]) -> str:
    return ", ".join(f"`{pattern}`" for pattern in patterns)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _row(key: tuple[str, str, str], tally: Tally) -> str:
    share = tally.right / tally.lines if tally.lines else 0.0
    return (
        f"| {' | '.join(map(_cell, key))} | {tally.right} of {tally.lines} | {share:.2%} "
        f"| {tally.low:.1%} to {tally.high:.1%} | {tally.characters:.2%} | {tally.bound:g} "
        f"| {tally.accepted} | {tally.false_accepts} |"
    )


def _choice_table(choice: Mapping[str, Mapping[str, float]]) -> list[str]:
    sets = list(next(iter(choice.values())))
    head = ["| weights | " + " | ".join(sets) + " |", "| --- |" + " ---: |" * len(sets)]
    rows = [
        f"| {name} | " + " | ".join(f"{scores[each]:.2%}" for each in sets) + " |"
        for name, scores in choice.items()
    ]
    return head + rows


def _sheet(
    cells: Sequence[tuple[NDArray[np.uint8], str]], path: Path, columns: int = _COLUMNS
) -> None:
    width, height = (_CELL[0] * (_COLUMNS if columns == 1 else 1), _CELL[1])
    kept = cells[:_MOST_CELLS]
    rows = -(-len(kept) // columns)
    canvas = Image.new("RGB", (width * columns, height * rows), (255, 255, 255))
    painter, font = ImageDraw.Draw(canvas), ImageFont.load_default(13)
    for at, (image, text) in enumerate(kept):
        x, y = width * (at % columns), height * (at // columns)
        scale = min(_SHOWN_PX / image.shape[0], (width - 8) / image.shape[1])
        size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
        shown = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        canvas.paste(Image.fromarray(shown), (x + 2, y + 2))
        painter.text((x + 2, y + _SHOWN_PX + 4), text, (0, 0, 0), font)
    canvas.save(path)
