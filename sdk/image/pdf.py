"""PDF files. The optional package pypdfium2 draws their pages."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sdk.errors import ImageError
from sdk.image.document import Document
from sdk.image.locks import make_lock
from sdk.image.picture import ImageArray, Picture, check_size
from sdk.image.source import Source

__all__ = ["PdfDocument"]

# The usual resolution of scans for OCR. Points are 1/72 inch.
_DPI = 300
_POINTS = 72
# Only one thread at a time may use PDFium.
_lock = make_lock()


class PdfDocument(Document):
    """The pages of a PDF file, drawn at 300 dpi, or less to keep the limit of pixels."""

    def __init__(self, source: Source, max_pixels: int) -> None:
        """Open the file.

        Args:
            source: Bytes of the file.
            max_pixels: Largest number of pixels of a page.

        Raises:
            ImageError: The file is damaged or encrypted, or pypdfium2 is missing.
        """
        try:
            import pypdfium2
        except ImportError as error:
            raise ImageError(
                f"Cannot decode {source.name}: PDF files need pypdfium2. Install it: "
                "pip install 'fots-lite[pdf]', or turn the pages into pictures first: "
                "pdftoppm -r 300 -png."
            ) from error
        self._failure = pypdfium2.PdfiumError
        self._max_pixels = max_pixels
        try:
            with _lock:
                self._file = pypdfium2.PdfDocument(source.data())
                self._file.init_forms()  # draws the contents of filled-in forms too
                source.file.close()
                super().__init__(source.name, len(self._file))
        except pypdfium2.PdfiumError as error:
            raise ImageError(
                f"Cannot decode {source.name}: {error} Save the file again, without a password."
            ) from error

    def _load(self, page: int) -> Picture:
        try:
            with _lock:
                return Picture(self._draw(self._file[page - 1]), page)
        except (self._failure, ValueError) as error:  # ValueError: a page of less than one pixel
            raise ImageError(
                f"Cannot draw {self.title(page)}: {error} Save the file again."
            ) from error

    def _draw(self, page: Any) -> ImageArray:
        width, height = page.get_size()
        check_size(math.ceil(width), math.ceil(height), self.name)
        # both sides are rounded up: (width * scale + 1) * (height * scale + 1) is max_pixels
        area, half = width * height, (width + height) / 2
        most = (math.sqrt(half**2 + area * (self._max_pixels - 1)) - half) / area
        bitmap = page.render(scale=min(_DPI / _POINTS, most), rev_byteorder=True)
        try:
            return np.array(bitmap.to_numpy()[:, :, :3])  # a copy: the bitmap is freed below
        finally:
            bitmap.close()
            page.close()

    def close(self) -> None:
        """Close the file."""
        with _lock:
            self._file.close()
