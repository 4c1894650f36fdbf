"""Files with pages, of which a picture file has one."""

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
"""Which pages of a file: all, one, or several in the order given, counted from 1."""


class Document(Closing):
    """The pages of a source; `load` decodes one.

    Attributes:
        name: What the source is called in messages.
        pages: How many pages it has.
    """

    def __init__(self, name: str, pages: int) -> None:
        """Remember what the source is.

        Raises:
            ImageError: It has no pages.
        """
        self.name = name
        self.pages = pages
        if pages < 1:
            raise ImageError(f"Cannot decode {name}: it has no pages. Pass a file that has some.")

    def load(self, page: int) -> Picture:
        """Return a page, counted from 1.

        Raises:
            ImageError: There is no such page, or it does not decode.
            OptionError: `page` is no number of a page.
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
        """Raise what `load` raises where there is no such page."""
        if type(page) is not int or page < 1:
            raise _bad_pages(page)
        if page > self.pages:
            has = "1 page" if self.pages == 1 else f"{self.pages} pages"
            raise ImageError(f"Cannot load page {page} of {self.name}: it has {has}.")

    def first(self) -> Picture:
        """Return the first page, with a note where there are more.

        Raises:
            ImageError: It does not decode.
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
            OptionError: `pages` is neither "all" nor numbers.
        """
        if isinstance(pages, int):
            return (pages,)
        if pages == "all":
            return range(1, self.pages + 1)
        if isinstance(pages, str) or not isinstance(pages, Iterable):
            raise _bad_pages(pages)
        return pages

    def title(self, page: int) -> str:
        """Return what a page is called in messages."""
        return self.name if self.pages == 1 else f"page {page} of {self.name}"

    @abstractmethod
    def _load(self, page: int) -> Picture:
        """Return a page that is there."""

    def close(self) -> None:
        """Close the source, if it was opened for this."""


class SinglePicture(Document):
    """What is a picture and no file."""

    def __init__(self, name: str, make: Callable[[], Picture]) -> None:
        """Remember how the picture is made."""
        super().__init__(name, 1)
        self._make = make

    def _load(self, page: int) -> Picture:
        return self._make()


def _bad_pages(found: object) -> OptionError:
    return OptionError(
        f'pages is {found!r}. Give "all", or numbers of pages, counted from 1: 2, or range(1, 4).'
    )
