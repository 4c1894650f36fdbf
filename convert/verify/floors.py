"""What each variant must reach, and what of it one does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from convert.verify.report import Reading, Report

__all__ = ["FLOORS", "Floor", "shortfalls"]

# Of fewer lines a share says nothing.
_FEWEST_LINES = 50


@dataclass(frozen=True)
class Floor:
    """What a variant must reach.

    Attributes:
        relative: Greatest difference of a tensor as a share of its peak; None asks for none.
        correlation: Least correlation of a tensor.
        same: Least share of lines that read the same. Integer arithmetic turns over characters
            that the float model is unsure of too, as often for the better as for the worse, so
            this alone says little of a half-trained model.
        lost: Greatest share of labelled lines that may be read rightly less often than before.
    """

    relative: float | None
    correlation: float
    same: float
    lost: float


FLOORS = {
    "fp32": Floor(relative=1e-3, correlation=0.9999, same=0.99, lost=0.01),
    "fp16": Floor(relative=2e-2, correlation=0.999, same=0.97, lost=0.02),
    "dynamic": Floor(relative=None, correlation=0.97, same=0.70, lost=0.05),
    "int8": Floor(relative=None, correlation=0.95, same=0.60, lost=0.05),
}
"""What a variant must reach unless the caller says otherwise, by precision."""


def shortfalls(reports: Mapping[str, Report], floors: Mapping[str, Floor]) -> list[str]:
    """Return what is below the floors, one sentence each; nothing if all is well.

    Args:
        reports: By variant.
        floors: By variant.
    """
    found = []
    for variant, report in reports.items():
        floor = floors[variant]
        for graph, tensors in report.tensors.items():
            for name, agreement in tensors.items():
                if not agreement.count:
                    continue
                where = f"{variant} {graph} {name}"
                if floor.relative is not None and not agreement.relative <= floor.relative:
                    found.append(
                        f"{where}: greatest difference {agreement.relative:.2g} of the peak, "
                        f"allowed {floor.relative:g}"
                    )
                if not agreement.correlation >= floor.correlation:
                    found.append(
                        f"{where}: correlation {agreement.correlation:.4f}, "
                        f"least allowed {floor.correlation:g}"
                    )
        for graph, reading in report.readings.items():
            found += _reading_shortfalls(f"{variant} {graph}", reading, floor)
    return found


def _reading_shortfalls(where: str, reading: Reading, floor: Floor) -> list[str]:
    found = []
    if reading.lines >= _FEWEST_LINES and reading.share < floor.same:
        found.append(
            f"{where}: {reading.same} of {reading.lines} lines read as the float model reads them "
            f"({reading.share:.1%}), least allowed {floor.same:.0%}"
        )
    if reading.labelled >= _FEWEST_LINES and reading.lost > floor.lost:
        found.append(
            f"{where}: {reading.variant_right} of {reading.labelled} labelled lines right, "
            f"{reading.reference_right} before; at most {floor.lost:.0%} may be lost"
        )
    return found
