"""The full pictures of a history: one JPEG a record, in a folder beside the file."""

from __future__ import annotations

from pathlib import Path

from sdk.errors import HistoryError
from sdk.files import write_atomically

__all__ = ["Pictures"]


class Pictures:
    """A folder of pictures, named after the ids of their records."""

    def __init__(self, folder: Path) -> None:
        """Keep the folder; it is made with the first picture."""
        self._folder = folder
        self._swept = False

    def write(self, record_id: int, picture: bytes) -> None:
        """Write a picture, wholly or not at all.

        Raises:
            SdkError: It cannot be written.
            OSError: The folder cannot be made.
        """
        self._folder.mkdir(exist_ok=True)
        self._sweep()
        write_atomically(self._path(record_id), picture)

    def read(self, record_id: int) -> bytes | None:
        """Return a picture, or None if it is not there.

        Raises:
            HistoryError: It cannot be read.
        """
        try:
            return self._path(record_id).read_bytes()
        except FileNotFoundError:  # deleted by the quota, or by hand
            return None
        except OSError as error:
            raise HistoryError(
                f"Cannot read the picture of record {record_id}: {error}."
            ) from error

    def delete(self, record_id: int) -> None:
        """Delete a picture if it is there.

        Raises:
            OSError: It cannot be deleted.
        """
        self._path(record_id).unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Delete what a kill has left half-written; by the one process that writes."""
        if not self._swept:
            for half in self._folder.glob(".*.tmp"):
                half.unlink(missing_ok=True)
            self._swept = True

    def _path(self, record_id: int) -> Path:
        return self._folder / f"{record_id}.jpg"
