"""Sources with pages. A picture file is a source with one page."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Literal, TypeAlias

from sdk.closing import Closing
from sdk.errors import ImageError, OptionError
from sdk.image.picture import Picture
from sdk.note import Note

__all__ = ["Document", "Pages", "SinglePicture"]

Pages: TypeAlias = Literal["all"] | int | Iterable[int]
"""Pages of a file: all, one, or several in the given order, counted from 1."""


class Document(Closing):
    """A source with pages. `load` decodes one page.

    Attributes:
        name: Name of the source in messages.
        pages: Number of pages.
    """

    def __init__(self, name: str, pages: int) -> None:
        """Check the number of pages.

        Args:
            name: Name of the source in messages.
            pages: Number of pages.

        Raises:
            ImageError: The source has no pages.
        """
        self.name = name
        self.pages = pages
        if pages < 1:
            raise ImageError(f"Cannot decode {name}: it has no pages. Pass a file with pages.")

    def load(self, page: int) -> Picture:
        """Return a page, counted from 1.

        Raises:
            ImageError: The source has no such page, or the page cannot be decoded.
            OptionError: `page` is not a positive whole number.
        """
        self.check(page)
        started = time.perf_counter()
        try:
            picture = self._load(page)
        except MemoryError as error:
            raise ImageError(
                f"Cannot load {self.title(page)}: there is not enough memory. "
                "Scale the picture down first."
            ) from error
        return replace(picture, load_ms=1e3 * (time.perf_counter() - started))

    def check(self, page: int) -> None:
        """Raise the error that `load` raises if the source has no such page."""
        if type(page) is not int or page < 1:
            raise _bad_pages(page)
        if page > self.pages:
            has = "1 page" if self.pages == 1 else f"{self.pages} pages"
            raise ImageError(
                f"Cannot load page {page} of {self.name}: it has {has}. Give a smaller number."
            )

    def first(self) -> Picture:
        """Return the first page, with a note if there are further pages.

        Raises:
            ImageError: The page cannot be decoded.
        """
        picture = self.load(1)
        if self.pages == 1:
            return picture
        note = Note(
            "pages_left_out",
            f"Page 1 of {self.pages} was read. Use read_pages() to read the others.",
        )
        return replace(picture, notes=(*picture.notes, note))

    def select(self, pages: Pages) -> Iterable[int]:
        """Return the numbers of pages to load.

        Raises:
            OptionError: `pages` is neither "all" nor a number nor several numbers.
        """
        if isinstance(pages, int):
            return (pages,)
        if pages == "all":
            return range(1, self.pages + 1)
        if isinstance(pages, str) or not isinstance(pages, Iterable):
            raise _bad_pages(pages)
        return pages

    def title(self, page: int) -> str:
        """Return the name of a page in messages."""
        return self.name if self.pages == 1 else f"page {page} of {self.name}"

    @abstractmethod
    def _load(self, page: int) -> Picture:
        """Return a page whose number was checked."""

    def close(self) -> None:
        """Close the source if this document opened it."""


class SinglePicture(Document):
    """A picture that does not come from a file."""

    def __init__(self, name: str, make: Callable[[], Picture]) -> None:
        """Prepare the picture.

        Args:
            name: Name of the picture in messages.
            make: Returns the picture.
        """
        super().__init__(name, 1)
        self._make = make

    def _load(self, page: int) -> Picture:
        return self._make()


def _bad_pages(found: object) -> OptionError:
    return OptionError(
        f'pages is {found!r}. Give "all", or page numbers counted from 1, such as 2 or range(1, 4).'
    )
