"""Results of a reader: a `Reading` of `TextLine`s of `Char`s, its `Note`s and its `Timing`.

All values are plain Python numbers and strings, so a result can be pickled, compared and written
as JSON. Points are (x, y) in pixels of the input picture. Coordinates are continuous, the picture
spans [0, width] x [0, height]. The corners of a quad run clockwise on screen from the start of
reading: start-top, end-top, end-bottom, start-bottom.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, overload

from sdk import plain
from sdk.errors import OptionError, SdkError
from sdk.note import Note

if TYPE_CHECKING:
    from PIL import Image

    from sdk.image.load import ImageSource
    from sdk.lattice import Lattice

SCHEMA = 6
"""Version of the JSON structure.

Version 2 added `raw_text` and `pattern_ok` to lines. Version 3 added `page` and `notes` to
readings. Version 4 has one time for reading lines. Version 5 may mark characters by `unknown`.
Version 6 added `probability` to lines. Versions 1 to 5 can still be read.
"""

# Largest number of lines in the `repr` of a reading.
_SHOWN = 50

Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]


@dataclass(frozen=True, slots=True)
class Char:
    """One character of a line.

    Attributes:
        text: The character.
        confidence: Probability in 0..1.
        quad: Corners in pixels of the input picture. None if the corners are not known.
        unknown: Whether the print is probably none of the model's characters. `text` is then the
            most similar one, or U+FFFD from a model that was trained to reject characters.
    """

    text: str
    confidence: float
    quad: Quad | None = None
    unknown: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON. "unknown" is present only if it is true."""
        return {
            "text": self.text,
            "confidence": self.confidence,
            "quad": _quad_to_list(self.quad),
        } | ({"unknown": True} if self.unknown else {})

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Char:
        """Rebuild a character from `to_dict`.

        Raises:
            SdkError: A key is missing or unknown, or a value has the wrong type.
        """
        plain.check_keys(data, cls, optional={"unknown"})
        unknown = data.get("unknown", False)
        if not isinstance(unknown, bool):
            raise plain.bad_value("Char", "unknown", unknown, "true or false")
        return cls(
            text=plain.text(data, "text", "Char"),
            confidence=plain.number(data, "confidence", "Char"),
            quad=_quad_from_list(data["quad"], "Char"),
            unknown=unknown,
        )


@dataclass(frozen=True, slots=True, repr=False)
class TextLine:
    """One line of text.

    Attributes:
        text: The text of the line, with spaces.
        confidence: Geometric mean of the characters' confidences, 0..1. With `pattern_ok`, relative
            to the texts that the pattern allows.
        quad: Corners in pixels of the input picture, clockwise from the start of reading.
        chars: The characters, in order. Their joined texts are `text`.
        detection_confidence: Probability in 0..1 that the quad holds text.
        angle_rad: Reading direction in radians, (-pi, pi], 0 to the right, pi/2 downwards.
        raw_text: The text without the pattern. None if no pattern was given.
        pattern_ok: Whether `text` fits the pattern. None if no pattern was given.
        probability: Probability in 0..1 that the whole line is right. A model with a calibration
            of lines estimates it from `confidence`. With `pattern_ok` it is the product of the
            characters' confidences, because the calibration holds for texts without a pattern only.
            It is this product too with a model without the calibration, in JSON before version 6,
            and for a line that is made without a value (NaN). Bounds such as `min_confidence`
            compare with `confidence`.
    """

    text: str
    confidence: float
    quad: Quad
    chars: tuple[Char, ...] = ()
    detection_confidence: float = 1.0
    angle_rad: float = 0.0
    raw_text: str | None = None
    pattern_ok: bool | None = None
    probability: float = field(default=math.nan, kw_only=True)
    # kept on request only, and no part of the JSON: 24 kB for a line of 64 columns
    _lattice: Lattice | None = field(default=None, compare=False, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        """Put the product of the characters' confidences in the place of an absent probability."""
        if math.isnan(self.probability):
            product = math.prod(char.confidence for char in self.chars) if self.chars else 0.0
            object.__setattr__(self, "probability", product)

    def __repr__(self) -> str:
        """Return text, confidence and corners in whole pixels, for a terminal."""
        corners = " ".join(f"{x:.0f},{y:.0f}" for x, y in self.quad)
        fits = {None: "", True: ", fits the pattern", False: ", does not fit the pattern"}
        return f"<TextLine {self.text!r} {self.confidence:.3f} at {corners}{fits[self.pattern_ok]}>"

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, strings and floats, ready for JSON."""
        return {
            "text": self.text,
            "confidence": self.confidence,
            "probability": self.probability,
            "quad": _quad_to_list(self.quad),
            "chars": [char.to_dict() for char in self.chars],
            "detection_confidence": self.detection_confidence,
            "angle_rad": self.angle_rad,
            "raw_text": self.raw_text,
            "pattern_ok": self.pattern_ok,
        }

    @property
    def unknown(self) -> bool:
        """Whether a character is marked as `unknown`."""
        return any(char.unknown for char in self.chars)

    def lattice(self) -> Lattice:
        """Return the probabilities of the characters over the columns of the network's output.

        Raises:
            OptionError: The line was read without ``lattice=True``, or comes from JSON.
        """
        if self._lattice is None:
            raise OptionError(
                "The line has no lattice: readings keep the network's output on request only. "
                "Read with lattice=True, as in reader.read_line(crop, lattice=True)."
            )
        return self._lattice

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TextLine:
        """Rebuild a line from `to_dict`.

        Raises:
            SdkError: A key is missing or unknown, or a value has the wrong type.
        """
        plain.check_keys(data, cls, optional={"raw_text", "pattern_ok", "probability"})
        quad = _quad_from_list(data["quad"], "TextLine")
        raw, pattern_ok = data.get("raw_text"), data.get("pattern_ok")
        known = "probability" in data
        if pattern_ok is not None and not isinstance(pattern_ok, bool):
            raise plain.bad_value("TextLine", "pattern_ok", pattern_ok, "true, false or null")
        if quad is None:
            raise plain.bad_value("TextLine", "quad", None, "four [x, y] points")
        return cls(
            text=plain.text(data, "text", "TextLine"),
            confidence=plain.number(data, "confidence", "TextLine"),
            quad=quad,
            chars=tuple(Char.from_dict(char) for char in plain.list_of(data, "chars", "TextLine")),
            detection_confidence=plain.number(data, "detection_confidence", "TextLine"),
            angle_rad=plain.number(data, "angle_rad", "TextLine"),
            raw_text=None if raw is None else plain.text(data, "raw_text", "TextLine"),
            pattern_ok=pattern_ok,
            probability=plain.number(data, "probability", "TextLine") if known else math.nan,
        )


@dataclass(frozen=True, slots=True)
class Timing:
    """Wall-clock time of a reading by stage, in milliseconds.

    Attributes:
        load_ms: Opening and decoding the picture and turning it upright.
        detect_ms: Finding the lines.
        recognize_ms: Rectifying and reading the lines, including further readings.
        total_ms: The whole call, at least the sum of the stages.
    """

    load_ms: float = 0.0
    detect_ms: float = 0.0
    recognize_ms: float = 0.0
    total_ms: float = 0.0

    @property
    def recheck_ms(self) -> float:
        """Deprecated, always 0: `recognize_ms` holds the whole time of reading lines."""
        warnings.warn(
            "Timing.recheck_ms is always 0: recognize_ms holds the whole time of reading lines.",
            DeprecationWarning,
            stacklevel=2,
        )
        return 0.0

    def to_dict(self) -> dict[str, float]:
        """Return the stages as floats, by field name."""
        return {
            "load_ms": self.load_ms,
            "detect_ms": self.detect_ms,
            "recognize_ms": self.recognize_ms,
            "total_ms": self.total_ms,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Timing:
        """Rebuild a timing from `to_dict`, of this version or of an earlier one.

        Raises:
            SdkError: A key is missing or unknown, or a value is not a number.
        """
        if isinstance(data, Mapping) and "recheck_ms" in data:
            # schemas 1 to 3 have a separate time for second readings
            first, again = (plain.number(data, x, "Timing") for x in ("recognize_ms", "recheck_ms"))
            data = {**data, "recognize_ms": first + again}
            del data["recheck_ms"]
        plain.check_keys(data, cls)
        return cls(
            **{name: plain.number(data, name, "Timing") for name in cls.__dataclass_fields__}
        )


@dataclass(frozen=True, slots=True, repr=False)
class Reading:
    """All text found in one picture: a sequence of lines in reading order.

    A picture without text gives an empty `Reading`, never None.

    Attributes:
        lines: The lines, in reading order.
        width: Width of the picture in pixels, after it was turned upright.
        height: Height of the picture in pixels, after it was turned upright.
        timing: Time per stage.
        model: Name and version of the model.
        device: Device of the detector, for example "cpu".
        page: Number of the page in its file, counted from 1.
        notes: Notes on text that the reading may lack.
    """

    lines: tuple[TextLine, ...]
    width: int
    height: int
    timing: Timing = field(default_factory=Timing)
    model: str = ""
    device: str = ""
    page: int = 1
    notes: tuple[Note, ...] = ()

    def __repr__(self) -> str:
        """Return size, texts with their confidences, and notes, for a terminal."""
        page = "" if self.page == 1 else f", page {self.page}"
        shown = [f"{line.text!r} {line.confidence:.3f}" for line in self.lines[:_SHOWN]]
        if len(self.lines) > _SHOWN:
            shown.append(f"and {len(self.lines) - _SHOWN} more lines")
        shown += [f"note: {note.text}" for note in self.notes]
        count = "1 line" if len(self.lines) == 1 else f"{len(self.lines)} lines"
        about = f"{self.width} x {self.height} pixels{page}, {count}"
        return "\n  ".join([f"<Reading of {about}", *shown]) + ">"

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.lines)

    def __iter__(self) -> Iterator[TextLine]:
        """Iterate over the lines in reading order."""
        return iter(self.lines)

    @overload
    def __getitem__(self, index: int) -> TextLine: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[TextLine, ...]: ...
    def __getitem__(self, index: int | slice) -> TextLine | tuple[TextLine, ...]:
        """Return a line, or a tuple of lines for a slice."""
        return self.lines[index]

    @property
    def texts(self) -> list[str]:
        """The texts of the lines, in reading order."""
        return [line.text for line in self.lines]

    @property
    def text(self) -> str:
        """The texts of the lines joined by newlines. Empty if there is no text."""
        return "\n".join(self.texts)

    def filter(self, min_confidence: float) -> Reading:
        """Return a reading of the lines that have at least this confidence.

        Args:
            min_confidence: Least line confidence to keep, 0..1.

        Raises:
            OptionError: `min_confidence` is outside 0..1.
        """
        if not 0.0 <= min_confidence <= 1.0:
            raise OptionError(
                f"Cannot filter the lines: min_confidence is {min_confidence!r}. "
                "Give a number from 0 to 1."
            )
        kept = tuple(line for line in self.lines if line.confidence >= min_confidence)
        return replace(self, lines=kept)

    def draw(
        self, image: ImageSource, *, channels: str = "rgb", labels: bool = True
    ) -> Image.Image:
        """Return a copy of a picture with the boxes and texts drawn on it.

        Args:
            image: The picture that was read: path, bytes, file, PIL image or array. Of a file, the
                page of the reading is drawn.
            channels: Channel order of an array with color, "rgb" or "bgr".
            labels: Whether the texts are written beside the boxes.

        Raises:
            ImageError: The picture cannot be loaded, or has another size than the reading.
        """
        # drawing needs Pillow's font modules, reading does not
        from sdk.draw import draw_reading

        return draw_reading(image, self, channels=channels, labels=labels)

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, strings and numbers for JSON, with the version as "schema"."""
        return {
            "schema": SCHEMA,
            "width": self.width,
            "height": self.height,
            "model": self.model,
            "device": self.device,
            "page": self.page,
            "notes": [note.to_dict() for note in self.notes],
            "timing": self.timing.to_dict(),
            "lines": [line.to_dict() for line in self.lines],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Reading:
        """Rebuild a reading from `to_dict`.

        Raises:
            SdkError: This version does not know the schema, a key is missing or unknown, or a value
                has the wrong type.
        """
        _check_schema(data)
        fields = {key: value for key, value in data.items() if key != "schema"}
        plain.check_keys(fields, cls, optional={"page", "notes"})
        return cls(
            lines=tuple(
                TextLine.from_dict(line) for line in plain.list_of(data, "lines", "Reading")
            ),
            width=plain.count(data, "width", "Reading"),
            height=plain.count(data, "height", "Reading"),
            timing=Timing.from_dict(data["timing"]),
            model=plain.text(data, "model", "Reading"),
            device=plain.text(data, "device", "Reading"),
            page=plain.count({"page": 1, **data}, "page", "Reading"),
            notes=tuple(
                Note.from_dict(note)
                for note in plain.list_of({"notes": (), **data}, "notes", "Reading")
            ),
        )

    def to_json(self, *, indent: int | None = None) -> str:
        """Return `to_dict` as JSON text, on one line unless `indent` is given."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=indent, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Reading:
        """Rebuild a reading from `to_json`.

        Raises:
            SdkError: The text is not JSON, or `from_dict` fails.
        """
        try:
            data = json.loads(text)
        except ValueError as error:
            raise SdkError(
                f"Cannot read a Reading from JSON: {error}. Pass the text to_json() returned."
            ) from error
        return cls.from_dict(data)


def _check_schema(data: object) -> None:
    if not isinstance(data, Mapping):
        raise SdkError(
            f"Cannot read a Reading: found {type(data).__name__}. Pass what to_dict() returned."
        )
    schema = data.get("schema")
    if isinstance(schema, bool) or not isinstance(schema, int) or schema < 1:
        raise SdkError(
            f'Cannot read a Reading: "schema" is {schema!r}. Pass what to_dict() returned; '
            f"this version writes schema {SCHEMA}."
        )
    if schema > SCHEMA:
        raise SdkError(
            f"Cannot read a Reading: it has schema {schema}, this version knows up to {SCHEMA}. "
            "Update: pip install --upgrade fots-lite."
        )


def _quad_to_list(quad: Quad | None) -> list[list[float]] | None:
    return None if quad is None else [[x, y] for x, y in quad]


def _quad_from_list(value: object, name: str) -> Quad | None:
    if value is None:
        return None
    wanted = "four [x, y] points"
    if not isinstance(value, (list, tuple)) or len(value) != 4:
        raise plain.bad_value(name, "quad", value, wanted)
    points: list[Point] = []
    for point in value:
        if not isinstance(point, (list, tuple)) or len(point) != 2:
            raise plain.bad_value(name, "quad", value, wanted)
        x, y = (plain.number({"quad": part}, "quad", name) for part in point)
        points.append((x, y))
    return (points[0], points[1], points[2], points[3])
