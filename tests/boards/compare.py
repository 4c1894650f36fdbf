"""Compare readings of a photo made elsewhere with this machine's own.

python tests/boards/compare.py PHOTO READING.json ...
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from sdk import Reader, Reading
from sdk.model.bundle import Bundle

# Kernels round integers differently. That moves edges by a little and confidences near a bound.
QUAD_PX = 3.0
CONFIDENCE = 0.1
# A line whose confidence is near the model's bound may be there or not.
MARGINAL = 0.15


def differences(here: Reading, there: Reading, bound: float) -> list[str]:
    """Return what is not the same within the tolerances, one sentence each."""
    found = []
    rest = list(there.lines)
    for line in here.lines:
        same = [other for other in rest if other.text == line.text]
        if not same:
            if line.confidence > bound + MARGINAL:
                found.append(f"{line.text!r} ({line.confidence:.2f}) is not read there")
            continue
        other = min(same, key=lambda x: _distance(x.quad, line.quad))
        rest.remove(other)
        if _distance(other.quad, line.quad) > QUAD_PX:
            found.append(f"{line.text!r} lies {_distance(other.quad, line.quad):.1f} px away there")
        if abs(other.confidence - line.confidence) > CONFIDENCE:
            found.append(f"{line.text!r} has confidence {other.confidence:.2f} there")
    found += [
        f"{line.text!r} ({line.confidence:.2f}) is read there only"
        for line in rest
        if line.confidence > bound + MARGINAL
    ]
    return found


def _distance(a: object, b: object) -> float:
    return float(np.abs(np.asarray(a) - np.asarray(b)).max())


def main(photo: str, *readings: str) -> int:
    """Print a line for each reading and return 0 if all agree with this machine's."""
    with Reader(device="cpu", threads=1) as reader:
        here = reader.read(photo)
    bound = Bundle.open().manifest.decode.min_confidence
    agreed = bool(here.lines)
    for path in readings:
        there = Reading.from_dict(json.loads(Path(path).read_text(encoding="utf-8"))["reading"])
        different = differences(here, there, bound)
        same = len({line.text for line in here.lines} & {line.text for line in there.lines})
        print(f"{Path(path).stem}: {same} of {len(here.lines)} lines the same as here")
        print("".join(f"  {text}\n" for text in different), end="")
        agreed = agreed and not different
    return 0 if agreed else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
