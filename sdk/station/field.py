"""Fields of a product: a part of the picture, what must stand there, and what reads it."""

from __future__ import annotations

from dataclasses import dataclass

from sdk.errors import JobError, OptionError
from sdk.region import Region, Shares
from sdk.station.rules import Rule

__all__ = ["Field"]


@dataclass(frozen=True, slots=True)
class Field:
    """The required texts of a part of the picture.

    Attributes:
        name: Name of the field, unique in its job.
        description: Any text for the operators.
        lines: Required number of lines: a number, or the least and the largest number. None accepts
            any number except 0.
        region: Inspected part of the picture: x, y, width, height as shares of the picture, 0..1.
            None inspects the whole picture.
        min_confidence: Lines with a lower confidence are doubtful, 0..1. Lines below half of this
            value are ignored as dirt.
        rules: Rules that the lines must meet.
        model: Bundle that reads the region: the name of an installed bundle, or a folder relative
            to the job's file. Empty for the station's bundle.
    """

    name: str
    description: str = ""
    lines: int | tuple[int, int] | None = None
    region: Shares | None = None
    min_confidence: float = 0.5
    rules: tuple[Rule, ...] = ()
    model: str = ""

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            JobError: A value is not legal.
        """
        if not self.name.strip() or not self.name.isprintable():
            raise JobError(f"name is {self.name!r}. Give a name on one line.")
        if not 0 <= self.min_confidence <= 1:
            raise JobError(f"min_confidence is {self.min_confidence!r}. Give a number from 0 to 1.")
        if self.line_range is not None and not 1 <= self.line_range[0] <= self.line_range[1]:
            raise JobError(
                f"lines is {self.lines!r}. Give a number from 1, or the least and largest number."
            )
        if self.region is not None:
            try:
                Region.of(self.region)
            except OptionError as error:
                raise JobError(str(error)) from error

    @property
    def line_range(self) -> tuple[int, int] | None:
        """The least and the largest number of lines, or None for any number."""
        return (self.lines, self.lines) if isinstance(self.lines, int) else self.lines

    @property
    def noise_confidence(self) -> float:
        """Lines with a lower confidence are ignored, 0..1."""
        return self.min_confidence / 2
