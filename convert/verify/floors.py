"""Least fidelity of each variant, and the shortfalls of a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from convert.verify.report import Report, TextMatches

__all__ = ["FLOORS", "Floor", "losses", "shortfalls"]

# Least number of lines for a share.
_FEWEST_LINES = 50

# Net share of lines that is worth a tuning.
_TOLD_LOSS = 0.01


@dataclass(frozen=True)
class Floor:
    """Least fidelity of a variant.

    Attributes:
        relative: Greatest difference of a tensor as a share of its peak; None for no limit.
        correlation: Least correlation of a tensor.
        same: Least share of lines with the same text. Integer arithmetic changes characters of
            which the float model is unsure, as often for better as for worse, so this share alone
            says little about a model after short training.
        lost: Greatest net share of labeled lines that the variant no longer reads right.
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
"""Default floors by precision."""


def shortfalls(reports: Mapping[str, Report], floors: Mapping[str, Floor]) -> list[str]:
    """Return a sentence for each value below its floor.

    Args:
        reports: Reports by variant.
        floors: Floors by variant.
    """
    found = []
    for variant, report in reports.items():
        floor = floors[variant]
        for graph, tensors in report.tensors.items():
            for name, fidelity in tensors.items():
                if not fidelity.count:
                    continue
                where = f"{variant} {graph} {name}"
                if floor.relative is not None and not fidelity.relative <= floor.relative:
                    found.append(
                        f"{where}: greatest difference {fidelity.relative:.2g} of the peak, "
                        f"allowed {floor.relative:g}"
                    )
                if not fidelity.correlation >= floor.correlation:
                    found.append(
                        f"{where}: correlation {fidelity.correlation:.4f}, "
                        f"least allowed {floor.correlation:g}"
                    )
        for graph, reading in report.readings.items():
            found += _reading_shortfalls(f"{variant} {graph}", reading, floor)
    return found


def losses(reports: Mapping[str, Report], least: float = _TOLD_LOSS) -> list[str]:
    """Return a sentence for each graph whose integer form reads fewer lines than the float network.

    Args:
        reports: Reports by variant.
        least: Net share of labeled lines from which a loss is told.
    """
    report = reports.get("int8")
    return [
        f"the int8 {graph} reads {reading.variant_right} of {reading.labeled} labeled lines right, "
        f"the float network {reading.reference_right}"
        for graph, reading in (report.readings.items() if report else ())
        if reading.labeled >= _FEWEST_LINES and reading.lost > least
    ]


def _reading_shortfalls(where: str, reading: TextMatches, floor: Floor) -> list[str]:
    found = []
    if reading.lines >= _FEWEST_LINES and reading.share < floor.same:
        found.append(
            f"{where}: {reading.same} of {reading.lines} lines have the text of the float model "
            f"({reading.share:.1%}), least allowed {floor.same:.0%}"
        )
    if reading.labeled >= _FEWEST_LINES and reading.lost > floor.lost:
        found.append(
            f"{where}: {reading.variant_right} of {reading.labeled} labeled lines right, "
            f"{reading.reference_right} before; at most {floor.lost:.0%} may be lost"
        )
    return found
