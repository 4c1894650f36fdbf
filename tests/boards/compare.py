"""Compare readings of a photo made elsewhere with this machine's own.

python tests/boards/compare.py PHOTO READING.json ...
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from sdk import Reader, Reading, TextLine
from sdk.metrics import edit_distance
from sdk.model.bundle import Bundle

# Kernels round integers differently. That moves edges by a little, and turns a character of small
# print into another.
QUAD_PX = 3.0
WRONG_CHARACTERS = 0.1
# A line whose confidence is near the model's bound may be there or not.
MARGINAL = 0.15


def differences(here: Reading, there: Reading, bound: float) -> list[str]:
    """Return what is not the same within the tolerances, one sentence each."""
    found, edits, characters = [], 0, 0
    rest = list(there.lines)
    for line in here.lines:
        same = [other for other in rest if _distance(other, line) <= QUAD_PX]
        if not same:
            if line.confidence > bound + MARGINAL:
                found.append(f"{line.text!r} ({line.confidence:.2f}) is not read there")
            continue
        rest.remove(same[0])
        edits += edit_distance(line.text, same[0].text)
        characters += len(line.text)
    if edits > WRONG_CHARACTERS * characters:
        found.append(f"{edits} of {characters} characters are others there")
    found += [
        f"{line.text!r} ({line.confidence:.2f}) is read there only"
        for line in rest
        if line.confidence > bound + MARGINAL
    ]
    return found


def _distance(a: TextLine, b: TextLine) -> float:
    return float(np.abs(np.asarray(a.quad) - np.asarray(b.quad)).max())


def main(photo: str, *readings: str) -> int:
    """Print a line for each reading and return 0 if all agree with this machine's."""
    with Reader(device="cpu", threads=1) as reader:
        here = reader.read(photo)
    bound = Bundle.open().manifest.decode.min_confidence
    agreed = bool(here.lines)
    print(f"here: {here.texts}")
    for path in readings:
        there = Reading.from_dict(json.loads(Path(path).read_text(encoding="utf-8"))["reading"])
        different = differences(here, there, bound)
        print(f"{Path(path).stem}: {there.texts}")
        print("".join(f"  {text}\n" for text in different), end="")
        agreed = agreed and not different
    return 0 if agreed else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
