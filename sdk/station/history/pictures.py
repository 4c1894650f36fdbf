"""The full pictures of a history: one JPEG per record, in a folder beside the SQLite file."""

from __future__ import annotations

from pathlib import Path

from sdk.errors import HistoryError
from sdk.files import write_atomically

__all__ = ["Pictures"]


class Pictures:
    """A folder of pictures, named after the ids of their records."""

    def __init__(self, folder: Path) -> None:
        """Prepare the folder, which is created with the first picture.

        Args:
            folder: The folder.
        """
        self._folder = folder
        self._swept = False

    def write(self, record_id: int, picture: bytes) -> None:
        """Write a picture, completely or not at all.

        Raises:
            SdkError: The picture cannot be written.
            OSError: The folder cannot be created.
        """
        self._folder.mkdir(exist_ok=True)
        self._sweep()
        write_atomically(self._path(record_id), picture)

    def read(self, record_id: int) -> bytes | None:
        """Return a picture, or None if it does not exist.

        Raises:
            HistoryError: The picture cannot be read.
        """
        try:
            return self._path(record_id).read_bytes()
        except FileNotFoundError:  # deleted by the quota, or by hand
            return None
        except OSError as error:
            raise HistoryError(
                f"Cannot read the picture of record {record_id}: {error}. Check its permissions."
            ) from error

    def delete(self, record_id: int) -> None:
        """Delete a picture if it exists.

        Raises:
            OSError: The picture cannot be deleted.
        """
        self._path(record_id).unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Delete incomplete files that a kill has left. Only the writing process calls this."""
        if not self._swept:
            for half in self._folder.glob(".*.tmp"):
                half.unlink(missing_ok=True)
            self._swept = True

    def _path(self, record_id: int) -> Path:
        return self._folder / f"{record_id}.jpg"
