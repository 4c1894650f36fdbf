"""The still screen: one photo, its lines, and what a person corrects in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from demo_app.models.picture import Box, Pixels, boxes_of, cut_out
from sdk import load_image
from sdk.errors import OptionError
from sdk.results import Char, Reading

if TYPE_CHECKING:
    from sdk.image.load import ImageSource


@dataclass(slots=True, eq=False)
class Photo:
    """A photo and its reading.

    Attributes:
        name: What it is called on screen.
        picture: uint8 RGB (H, W, 3).
        reading: What was read.
        record: Its number in the history, None if it is not there.
    """

    name: str
    picture: Pixels
    reading: Reading
    record: int | None = None


class StillModel:
    """A photo that is looked at.

    Attributes:
        photo: None before the first.
        texts: The lines as read, or as corrected.
        chosen: Index of the line looked at, -1 for none.
    """

    def __init__(self, read: Callable[[Pixels], Reading]) -> None:
        """Begin without a photo.

        Args:
            read: Reads a picture, uint8 RGB (H, W, 3).
        """
        self._read = read
        self.photo: Photo | None = None
        self.texts: list[str] = []
        self.chosen = -1

    def load(self, source: ImageSource, name: str) -> Photo:
        """Load and read a photo; takes time and changes nothing.

        Raises:
            SdkError: It cannot be loaded or read.
        """
        picture = load_image(source)
        return Photo(name, picture, self._read(picture))

    def show(self, photo: Photo) -> None:
        """Take a photo of `load`."""
        self.photo, self.chosen = photo, -1
        self.texts = photo.reading.texts

    @property
    def boxes(self) -> tuple[Box, ...]:
        """The lines over the photo."""
        return () if self.photo is None else boxes_of(self.photo.reading)

    @property
    def text(self) -> str:
        """The chosen line, or all of them if none is chosen."""
        return "\n".join(self.texts) if self.chosen < 0 else self.texts[self.chosen]

    def choose(self, index: int) -> None:
        """Look at a line; -1 looks at none."""
        self.chosen = index if self.photo is not None and index < len(self.texts) else -1

    def strip(self) -> Pixels | None:
        """Return the chosen line cut out, uint8 RGB (96, W, 3)."""
        if self.photo is None or self.chosen < 0:
            return None
        return cut_out(self.photo.picture, self.photo.reading[self.chosen], 96)

    def chars(self) -> tuple[Char, ...]:
        """Return the characters of the chosen line as they were read."""
        if self.photo is None or self.chosen < 0:
            return ()
        return self.photo.reading[self.chosen].chars

    def correct(self, text: str) -> None:
        """Change the chosen line.

        Raises:
            OptionError: No line is chosen, or the text is more than one line.
        """
        if self.chosen < 0:
            raise OptionError("No line is chosen. Tap one first.")
        if len(text.splitlines()) > 1:
            raise OptionError(f"The text {text!r} is more than one line. Correct one at a time.")
        self.texts[self.chosen] = text.strip()
