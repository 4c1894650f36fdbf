"""Picture files that Pillow opens."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import replace

from PIL import (
    BmpImagePlugin,  # noqa: F401
    GifImagePlugin,  # noqa: F401
    Image,
    Jpeg2KImagePlugin,  # noqa: F401
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    PpmImagePlugin,  # noqa: F401
    TgaImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401
)

from sdk.errors import ImageError
from sdk.image.decode import decode, orientation_of, turn_upright
from sdk.image.document import Document
from sdk.image.files import FORMATS
from sdk.image.jpeg import check_scans, decode_jpeg
from sdk.image.locks import make_lock
from sdk.image.picture import Picture, check_size, damaged
from sdk.image.sniff import describe_content
from sdk.image.source import Source
from sdk.image.tiff import find_pages
from sdk.note import Note

__all__ = ["PillowDocument"]

# Formats whose further pictures are frames of an animation. The further pictures of JPEG files are
# previews and maps of depth or brightness.
_ANIMATED = frozenset(("AVIF", "GIF", "PNG", "WEBP"))
# Pillow's other formats are rare, and its PostScript plugin runs a program. The oldest supported
# Pillow has no AVIF plugin.
with contextlib.suppress(ImportError):
    from PIL import AvifImagePlugin  # noqa: F401
_FORMATS = [name for name in FORMATS if name in Image.OPEN]
# Formats whose decoders hold several copies of a picture. Half as many pixels are allowed.
_HUNGRY = frozenset(("JPEG2000", "WEBP"))
_limit_lock = make_lock()


class PillowDocument(Document):
    """The pages of a TIFF file, or the single picture or first frame of another file."""

    def __init__(self, source: Source, max_pixels: int) -> None:
        """Open the file without decoding.

        Args:
            source: Bytes of the file.
            max_pixels: Largest number of pixels of a page.

        Raises:
            ImageError: The file is not a picture, or its beginning is damaged.
        """
        self._source = source
        self._max_pixels = max_pixels
        self._image = _open(source)
        self._frames, self._complete = [0], True
        if self._image.format == "TIFF":
            self._frames, self._complete = find_pages(source.file, source.name)
        super().__init__(source.name, len(self._frames))

    def _load(self, page: int) -> Picture:
        image, name = self._image, self.title(page)
        try:
            with _pillow_limit_lifted():
                image.seek(self._frames[page - 1])
        except Exception as error:  # see _open
            raise damaged(name, error) from error
        most = self._max_pixels // 2 if _is_hungry(image) else self._max_pixels
        check_size(image.width, image.height, name, most)
        with _limit_lock:
            large = image.width * image.height > (Image.MAX_IMAGE_PIXELS or math.inf)
        with _pillow_limit_lifted() if large else contextlib.nullcontext():
            picture = self._decode_jpeg(name) or decode(image, name)
        return replace(picture, page=page, notes=(*picture.notes, *self._left_out(page)))

    def _decode_jpeg(self, name: str) -> Picture | None:
        """Return the picture of a JPEG file, None if Pillow must decode the file."""
        image = self._image
        if image.format not in ("JPEG", "MPO"):
            return None
        data = self._source.data()
        check_scans(data, name)
        pixels = decode_jpeg(data, image, self._source.path)
        if pixels is None:
            return None
        return Picture(turn_upright(pixels, orientation_of(image, name)))

    def _left_out(self, page: int) -> Iterator[Note]:
        if page == self.pages and not self._complete:
            yield Note(
                "pages_left_out",
                "The pages after this page cannot be found: the file is damaged there or has too "
                "many pages. Copy the file again, or split it.",
            )
        if self._image.format in _ANIMATED and _is_animated(self._image):
            yield Note(
                "frames_left_out",
                "The picture is an animation: only its first frame was read. "
                "Save the other frames as pictures to read them.",
            )

    def close(self) -> None:
        """Close the file."""
        self._image.close()
        self._source.file.close()


def _open(source: Source) -> Image.Image:
    try:
        with _pillow_limit_lifted():
            source.file.seek(0)
            return Image.open(source.file, formats=_FORMATS)
    except UnidentifiedImageError as error:
        found, advice = describe_content(source.head())
        raise ImageError(f"Cannot decode {source.name}: found {found}. {advice}") from error
    except Exception as error:  # a broken header makes Pillow's plugins raise any exception
        raise damaged(source.name, error) from error


def _is_hungry(image: Image.Image) -> bool:
    # the decoder holds all coefficients of a progressive JPEG file
    return image.format in _HUNGRY or (image.mode == "CMYK" and "progressive" in image.info)


def _is_animated(image: Image.Image) -> bool:
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:  # data after the first frame exists but is damaged
        return True


@contextlib.contextmanager
def _pillow_limit_lifted() -> Iterator[None]:
    """Lift Pillow's global limit of pixels. The document's own limit is checked afterwards."""
    with _limit_lock:
        before = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before
