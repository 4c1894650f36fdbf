"""Report of a comparison with the Keras models, by variant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from convert.verify.fidelity import Fidelity

__all__ = ["Report", "TextMatches", "report_table"]


@dataclass
class TextMatches:
    """Counts of lines read greedily by the reference and by a variant.

    Attributes:
        lines: Number of lines.
        same: Number of lines with the same text from both.
        labeled: Number of lines with a label.
        reference_right: Number of labeled lines that the reference reads right.
        variant_right: Number of labeled lines that the variant reads right.
    """

    lines: int = 0
    same: int = 0
    labeled: int = 0
    reference_right: int = 0
    variant_right: int = 0

    def update(self, reference: str, variant: str, truth: str | None) -> None:
        """Add a line."""
        self.lines += 1
        self.same += reference == variant
        if truth is not None:
            self.labeled += 1
            self.reference_right += reference == truth
            self.variant_right += variant == truth

    @property
    def share(self) -> float:
        """Share of lines with the same text from both; NaN without lines."""
        return self.same / self.lines if self.lines else float("nan")

    @property
    def lost(self) -> float:
        """Net share of labeled lines that only the reference reads right; NaN without labels."""
        if not self.labeled:
            return float("nan")
        return (self.reference_right - self.variant_right) / self.labeled

    def to_dict(self) -> dict[str, int]:
        """Return the counts for JSON."""
        return dict(vars(self))


@dataclass
class Report:
    """Report of one variant.

    Attributes:
        tensors: Fidelity by graph and name of the output.
        readings: Matches by graph; ``recognizer`` reads the features of the variant's own detector.
    """

    tensors: dict[str, dict[str, Fidelity]] = field(default_factory=dict)
    readings: dict[str, TextMatches] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "tensors": {
                graph: {name: a.to_dict() for name, a in tensors.items() if a.count}
                for graph, tensors in self.tensors.items()
            },
            "readings": {graph: reading.to_dict() for graph, reading in self.readings.items()},
        }


def report_table(reports: Mapping[str, Report]) -> str:
    """Return the reports as readable tables."""
    lines = [
        f"{'variant':<9}{'graph':<12}{'tensor':<12}{'max diff':>10}{'of peak':>10}"
        f"{'correlation':>13}{'SNR dB':>8}"
    ]
    for variant, report in reports.items():
        for graph, tensors in report.tensors.items():
            lines += [
                f"{variant:<9}{graph:<12}{name:<12}{a.max_abs:>10.3g}{a.relative:>10.2g}"
                f"{a.correlation:>13.5f}{a.snr_db:>8.1f}"
                for name, a in tensors.items()
                if a.count
            ]
    lines.append("")
    lines.append(f"{'variant':<9}{'lines by':<12}{'same text':>14}{'right before':>14}{'after':>8}")
    for variant, report in reports.items():
        for graph, r in report.readings.items():
            if not r.lines:
                continue
            same = f"{r.same}/{r.lines} {r.share:.1%}"
            right = [
                f"{n / r.labeled:.1%}" if r.labeled else "-"
                for n in (r.reference_right, r.variant_right)
            ]
            lines.append(f"{variant:<9}{graph:<12}{same:>14}{right[0]:>14}{right[1]:>8}")
    return "\n".join(lines)
