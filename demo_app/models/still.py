"""The still screen: one photo, its lines, and their corrections."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from demo_app.models.picture import Box, Pixels, boxes_of, crop_line
from sdk import load_image
from sdk.errors import OptionError
from sdk.results import Char, Reading

if TYPE_CHECKING:
    from sdk.image.load import ImageSource


@dataclass(slots=True, eq=False)
class Photo:
    """A photo and its reading.

    Attributes:
        name: Name on the screen.
        picture: uint8 RGB (H, W, 3).
        reading: Reading of the photo.
        record: Id in the history, None if the photo is not in the history.
    """

    name: str
    picture: Pixels
    reading: Reading
    record: int | None = None


class StillModel:
    """The photo on the screen.

    Attributes:
        photo: The photo. None before the first photo.
        texts: Read or corrected texts of the lines.
        chosen: Index of the chosen line, -1 for none.
    """

    def __init__(self, read: Callable[[Pixels], Reading]) -> None:
        """Start without a photo.

        Args:
            read: Reads a picture, uint8 RGB (H, W, 3).
        """
        self._read = read
        self.photo: Photo | None = None
        self.texts: list[str] = []
        self.chosen = -1

    def load(self, source: ImageSource, name: str) -> Photo:
        """Load and read a photo, which takes time. The model is not changed.

        Raises:
            SdkError: The photo cannot be loaded or read.
        """
        picture = load_image(source)
        return Photo(name, picture, self._read(picture))

    def show(self, photo: Photo) -> None:
        """Show a photo from `load`."""
        self.photo, self.chosen = photo, -1
        self.texts = photo.reading.texts

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Boxes of the lines in the photo."""
        return () if self.photo is None else boxes_of(self.photo.reading)

    @property
    def text(self) -> str:
        """Text of the chosen line, or of all lines if none is chosen."""
        return "\n".join(self.texts) if self.chosen < 0 else self.texts[self.chosen]

    def choose(self, index: int) -> None:
        """Choose a line, or none with -1."""
        self.chosen = index if self.photo is not None and index < len(self.texts) else -1

    def crop(self) -> Pixels | None:
        """Return the crop of the chosen line, uint8 RGB (96, W, 3), None without a line."""
        if self.photo is None or self.chosen < 0:
            return None
        return crop_line(self.photo.picture, self.photo.reading[self.chosen], 96)

    def chars(self) -> tuple[Char, ...]:
        """Return the characters of the chosen line, as read."""
        if self.photo is None or self.chosen < 0:
            return ()
        return self.photo.reading[self.chosen].chars

    def correct(self, text: str) -> None:
        """Correct the chosen line.

        Raises:
            OptionError: No line is chosen, or the text is more than one line.
        """
        if self.chosen < 0:
            raise OptionError("No line is chosen. Tap one first.")
        if len(text.splitlines()) > 1:
            raise OptionError(f"The text {text!r} is more than one line. Correct one at a time.")
        self.texts[self.chosen] = text.strip()
