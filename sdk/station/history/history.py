"""`History`: all verdicts of a station in one SQLite file, with their pictures."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sdk.closing import Closing
from sdk.errors import HistoryError, OptionError, SdkError
from sdk.image.load import ImageArray
from sdk.station.history.database import (
    Readers,
    is_damage,
    open_database,
    transaction,
    translated,
)
from sdk.station.history.export import write_csv, write_json, write_zip
from sdk.station.history.images import encode_picture, encode_thumbnail
from sdk.station.history.labels import write_labels
from sdk.station.history.pictures import Pictures
from sdk.station.history.query import Filter
from sdk.station.history.record import Record, Statistic, to_record
from sdk.station.verdict import Verdict

logger = logging.getLogger("sdk")

__all__ = ["PICTURES", "History"]

PICTURES = ("none", "ng", "all")

# The index that is searched, in the order of ids, without the verdicts.
_NARROW = "records INDEXED BY records_narrow"
# Queries of rows for `to_record`: complete rows, and partial rows for damaged places of the file.
_RECORDS = (
    """SELECT r.id, CAST(r.verdict AS BLOB), r.correction, coalesce(i.picture_bytes, 0) > 0,
        r.time, r.job, r.status, r.text
    FROM records r LEFT JOIN images i ON i.id = r.id WHERE r.id IN ({})""",
    """SELECT id, CAST(verdict AS BLOB), correction, 0, time, job, status, text
    FROM records WHERE id IN ({})""",
    f"SELECT id, NULL, correction, 0, time, job, status, text FROM {_NARROW} WHERE id IN ({{}})",
)
_GROUPS = {
    # the time of a damaged record may be NULL
    "hour": "coalesce(strftime('%Y-%m-%d %H:00', time, 'unixepoch', 'localtime'), '')",
    "job": "job",
}
# Number of rows that are fetched or deleted at a time.
_PAGE = 200


class History(Closing):
    """All verdicts of a station. Several threads may use it, and one process may write.

    Full pictures are files in a folder beside the SQLite file: ``line.db`` has ``line-pictures``.
    Pictures and thumbnails together stay below a quota. Beyond the quota the images of the oldest
    verdicts are deleted. The verdicts themselves are kept until `prune`. Readers do not delay the
    writer.

    Attributes:
        path: The SQLite file.
        pictures_lost: Number of full pictures that could not be written although their verdicts
            were recorded.
        last_error: Reason of the last lost picture or failed deletion, or empty.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        pictures: str = "ng",
        quota_mb: float = 500,
    ) -> None:
        """Open a history, or create a new one.

        Args:
            path: The SQLite file. Its folder must exist.
            pictures: Verdicts whose full pictures are kept: "none", "ng" (NG and unreadable) or
                "all". Thumbnails are always kept.
            quota_mb: Largest size of pictures and thumbnails in megabytes, above 0.

        Raises:
            HistoryError: The file cannot be opened, is not a history, or has a newer version.
            OptionError: `pictures` or `quota_mb` is not legal.
        """
        if pictures not in PICTURES:
            raise OptionError(f"pictures is {pictures!r}. Give one of {', '.join(PICTURES)}.")
        if not quota_mb > 0:
            raise OptionError(f"quota_mb is {quota_mb!r}. Give a number of megabytes above 0.")
        self.path = Path(path)
        self.pictures_lost = 0
        self.last_error = ""
        self._pictures = pictures
        self._quota = quota_mb * 1e6
        self._files = Pictures(self.path.with_name(f"{self.path.stem}-pictures"))
        self._lock = threading.RLock()  # protects the writing connection
        self._database = open_database(self.path)
        self._readers = Readers(self.path)
        try:
            with translated(self.path, "read the history"):
                self._used = self._sum_used()
        except HistoryError:
            self._database.close()
            raise

    def close(self) -> None:
        """Close the file. A second call has no effect."""
        self._readers.close()
        with self._lock:
            self._database.close()

    def add(self, verdict: Verdict, image: ImageArray | None = None) -> int:
        """Record a verdict. After the call the record survives a loss of power.

        Confidences, coordinates and times are kept with three decimals. The verdict is recorded
        even if its full picture cannot be written, see `pictures_lost`.

        Args:
            verdict: The verdict.
            image: The whole picture, uint8 RGB (H, W, 3), or None.

        Returns:
            Id of the record.

        Raises:
            HistoryError: The record cannot be written, for example because the disk is full.
        """
        text = _to_json(verdict)
        thumbnail = None if image is None else encode_thumbnail(image)
        picture = b""
        if image is not None and self._keeps_picture(verdict):
            picture = encode_picture(image)
        row = (verdict.time, verdict.job, verdict.status, verdict.reading.text, text)
        with self._lock, translated(self.path, "record the verdict in"):
            with transaction(self._database):
                added = self._database.execute(
                    "INSERT INTO records (time, job, status, text, verdict) VALUES (?,?,?,?,?)", row
                ).lastrowid
                assert added is not None
                if thumbnail is not None:
                    # the file before its row: a row must not refer to a missing file
                    kept = len(picture) if self._write_picture(added, picture) else 0
                    total = len(thumbnail) + kept
                    self._database.execute(
                        "INSERT INTO images VALUES (?,?,?,?)", (added, thumbnail, kept, total)
                    )
            if thumbnail is not None:
                self._used += total
                try:
                    self._keep_quota()
                except (sqlite3.Error, OSError, HistoryError) as error:
                    # the verdict is recorded, and the next verdict tries again
                    self.last_error = f"Cannot delete old pictures: {error}"
        return added

    def get(self, record_id: int) -> Record:
        """Return a record.

        Raises:
            HistoryError: No record has this id, or the record cannot be read.
        """
        for record in self.records([record_id]):
            if record.damage:
                raise HistoryError(f"{record.damage} Read other records in {self.path}.")
            return record
        raise HistoryError(
            f"There is no record {record_id} in {self.path}. Search for the ids of its records."
        )

    def search(
        self,
        text: str | None = None,
        status: str | None = None,
        job: str | None = None,
        since: float | None = None,
        until: float | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[Record]:
        """Return records, newest first. Damaged records are returned in part, see `Record`.

        Args:
            text: Text that occurs in the reading or the correction, in upper or lower case.
            status: "ok", "ng" or "unreadable".
            job: Name of the job.
            since: First time, Unix seconds, inclusive.
            until: Last time, Unix seconds, exclusive.
            limit: Largest number of records.
            offset: Number of records to skip.

        Raises:
            HistoryError: The records cannot be read.
            OptionError: `status` is not legal.
        """
        where, values = Filter(text, status, job, since, until).sql()
        found = self._query(
            f"SELECT id FROM {_NARROW} {where} ORDER BY id DESC LIMIT ? OFFSET ?",
            [*values, limit, offset],
        )
        return list(self.records([row[0] for row in found]))

    def ids(self, **conditions: Any) -> list[int]:
        """Return the ids of records that meet the conditions of a `Filter`, oldest first."""
        where, values = Filter(**conditions).sql()
        return [
            row[0] for row in self._query(f"SELECT id FROM {_NARROW} {where} ORDER BY id", values)
        ]

    def records(self, ids: Sequence[int]) -> Iterator[Record]:
        """Yield the records with these ids, in this order. Unknown ids are skipped.

        A damaged record is logged and returned in part, see `Record`.
        """
        for start in range(0, len(ids), _PAGE):
            page = ids[start : start + _PAGE]
            found = {row[0]: to_record(row) for row in self._rows(page)}
            for record in (found[i] for i in page if i in found):
                if record.damage:
                    logger.warning("%s: %s", self.path, record.damage)
                yield record

    def correct(self, record_id: int, text: str | None) -> None:
        """Record the text of a product as corrected by a person, durably.

        Args:
            record_id: Id of the record.
            text: Lines in reading order, separated by newlines. None removes a correction.

        Raises:
            HistoryError: No record has this id, or the correction cannot be written.
        """
        with (
            self._lock,
            translated(self.path, "record the correction in"),
            transaction(self._database),
        ):
            changed = self._database.execute(
                "UPDATE records SET correction = ? WHERE id = ?", (text, record_id)
            ).rowcount
        if not changed:
            raise HistoryError(
                f"There is no record {record_id} in {self.path}. Search for the ids of its records."
            )

    def statistics(self, by: str = "hour", **conditions: Any) -> list[Statistic]:
        """Return the numbers of verdicts per hour or job, in ascending order.

        Args:
            by: "hour" (local time) or "job".
            **conditions: Conditions of a `Filter`.

        Raises:
            HistoryError: The records cannot be read.
            OptionError: `by` or a condition is not legal.
        """
        if by not in _GROUPS:
            raise OptionError(f"by is {by!r}. Give one of {', '.join(_GROUPS)}.")
        where, values = Filter(**conditions).sql()
        counts = ", ".join(f"sum(status = '{s}')" for s in ("ok", "ng", "unreadable"))
        rows = self._query(
            f"SELECT {_GROUPS[by]} AS key, {counts} FROM {_NARROW} {where} "
            "GROUP BY key ORDER BY key",
            values,
        )
        return [Statistic(*row) for row in rows]

    def picture(self, record_id: int) -> bytes | None:
        """Return the full picture of a record as JPEG, or None if it is not kept."""
        return self._files.read(record_id) if self._image("picture_bytes", record_id) else None

    def thumbnail(self, record_id: int) -> bytes | None:
        """Return the thumbnail of a record as JPEG, or None if it is not kept."""
        data = self._image("CAST(thumbnail AS BLOB)", record_id)
        return None if data is None else bytes(data)

    def prune(self, before: float) -> int:
        """Delete all records before a time, with their pictures.

        Args:
            before: Time, Unix seconds.

        Returns:
            Number of deleted records.
        """
        ids = self.ids(until=before)
        for start in range(0, len(ids), _PAGE):
            page = ids[start : start + _PAGE]
            with self._lock, translated(self.path, "delete records from"):
                self._delete_images(page)
                with transaction(self._database):
                    self._database.executemany(
                        "DELETE FROM records WHERE id = ?", [(i,) for i in page]
                    )
        return len(ids)

    def export_csv(self, path: str | os.PathLike[str], **conditions: Any) -> int:
        """Write records to a CSV file, one row each, and return their number.

        Args:
            path: Path of the file.
            **conditions: Conditions of a `Filter`.

        Raises:
            HistoryError: The records cannot be read.
            SdkError: The file cannot be written.
        """
        return write_csv(self, path, self.ids(**conditions))

    def export_json(self, path: str | os.PathLike[str], **conditions: Any) -> int:
        """Write records to a JSON file as a list, and return their number, see `export_csv`."""
        return write_json(self, path, self.ids(**conditions))

    def export_zip(self, path: str | os.PathLike[str], **conditions: Any) -> int:
        """Write CSV, JSON and pictures to a ZIP file, and return the number of records.

        See `export_csv`.
        """
        return write_zip(self, path, self.ids(**conditions))

    def export_labels(self, path: str | os.PathLike[str], **conditions: Any) -> int:
        """Write corrected readings as a labeled folder for `python -m training evaluate`.

        Args:
            path: A new or empty folder.
            **conditions: Conditions of a `Filter`.

        Returns:
            Number of labeled pictures: corrected records whose full picture is kept.

        Raises:
            HistoryError: The records cannot be read, or the folder is not empty.
            SdkError: A file cannot be written.
        """
        return write_labels(self, path, self.ids(**conditions, corrected=True))

    def _query(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        with translated(self.path, "read the history"), self._readers.borrow() as connection:
            return connection.execute(sql, values).fetchall()

    def _rows(self, ids: Sequence[int], queries: Sequence[str] = _RECORDS) -> list[Any]:
        """Return rows for `to_record`. All queries after the first get a single id each."""
        try:
            return self._query(queries[0].format(",".join("?" * len(ids))), ids)
        except HistoryError as error:
            if not (is_damage(error.__cause__) and queries[1:]):
                raise
        # a damaged place in the file must not hide records in other places
        if len(ids) == 1:
            return self._rows(ids, queries[1:])
        half = len(ids) // 2
        return self._rows(ids[:half]) + self._rows(ids[half:])

    def _image(self, column: str, record_id: int) -> Any:
        """Return a column of an image's row, None if there is no row or its place is damaged."""
        try:
            rows = self._query(f"SELECT {column} FROM images WHERE id = ?", [record_id])
        except HistoryError as error:
            if not is_damage(error.__cause__):
                raise
            logger.warning("The picture of record %d is damaged: %s", record_id, error)
            return None
        return rows[0][0] if rows else None

    def _keeps_picture(self, verdict: Verdict) -> bool:
        return self._pictures == "all" or (self._pictures == "ng" and verdict.status != "ok")

    def _write_picture(self, record_id: int, picture: bytes) -> bool:
        if not picture:
            return False
        try:
            self._files.write(record_id, picture)
        except (OSError, SdkError) as error:
            self.pictures_lost += 1
            self.last_error = str(error)
            return False
        return True

    def _keep_quota(self) -> None:
        """Delete the oldest images beyond the quota, and some more to do so less often."""
        while self._used > self._quota:
            rows = self._database.execute(
                "SELECT id, total_bytes FROM images ORDER BY id LIMIT ?", [_PAGE]
            )
            oldest, left = [], self._used
            for record_id, size in rows.fetchall():
                if left <= 0.98 * self._quota:
                    break
                oldest.append(record_id)
                left -= size
            if not oldest:
                break
            self._delete_images(oldest)

    def _delete_images(self, ids: Sequence[int]) -> None:
        # files before rows: a kill in between leaves rows without files, which `picture` handles,
        # and no files without rows
        for record_id in ids:
            self._files.delete(record_id)
        with transaction(self._database):
            self._database.executemany("DELETE FROM images WHERE id = ?", [(i,) for i in ids])
        self._used = self._sum_used()

    def _sum_used(self) -> int:
        query = "SELECT coalesce(sum(total_bytes), 0) FROM images"
        return int(self._database.execute(query).fetchone()[0])


def _to_json(verdict: Verdict) -> str:
    """Return a verdict as JSON with three decimals, in half of the space of full precision."""

    def rounded(value: Any) -> Any:
        if isinstance(value, float):
            return round(value, 3)
        if isinstance(value, dict):
            return {key: rounded(item) for key, item in value.items()}
        return [rounded(item) for item in value] if isinstance(value, list) else value

    plain = rounded(verdict.to_dict())
    return json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
