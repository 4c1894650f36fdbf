"""The SQLite file: how it is opened, which tables it has, and what its failures mean.

Write-ahead logging with a sync at every commit: what was committed survives a kill and a loss of
power, and readers, on connections of their own, do not wait for the writer or for each other, nor
does the writer wait for them.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from sdk.errors import HistoryError, SdkError

__all__ = ["MIGRATIONS", "Readers", "is_damage", "open_database", "transaction", "translated"]

# Entry i brings a file of version i to version i + 1; entries are added, never changed.
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE records (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        time REAL NOT NULL,
        job TEXT NOT NULL,
        status TEXT NOT NULL,
        text TEXT NOT NULL,
        correction TEXT,
        verdict TEXT NOT NULL
    );
    CREATE INDEX records_by_time ON records (time);
    CREATE INDEX records_by_job ON records (job, time);
    CREATE TABLE images (
        id INTEGER PRIMARY KEY REFERENCES records (id) ON DELETE CASCADE,
        thumbnail BLOB NOT NULL,
        picture_bytes INTEGER NOT NULL,
        total_bytes INTEGER NOT NULL
    );
    """,
    # the sum of sizes must not read all thumbnails, behind which they lie
    "CREATE INDEX images_by_size ON images (total_bytes)",
    # a search goes through a narrow copy of all records, newest first, not through the verdicts,
    # which are twenty times as long
    """
    CREATE INDEX records_narrow ON records (id, time, job, status, text, correction);
    DROP INDEX records_by_time;
    DROP INDEX records_by_job;
    """,
)
# Another process, such as an export, may hold the file for a moment.
BUSY_S = 10.0


def open_database(path: Path) -> sqlite3.Connection:
    """Return a connection to a file that has today's tables; several threads may share it.

    Raises:
        HistoryError: The file cannot be opened, is no history, or is of a newer version.
    """
    with translated(path, "open the history"):
        connection = _connect(path)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA journal_size_limit = 16000000")
            _migrate(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


class Readers:
    """Connections that only read a file opened by `open_database`, as many as are in use at a time.

    Text that is not UTF-8 is not refused: its wrong bytes become U+FFFD.
    """

    def __init__(self, path: Path) -> None:
        """Keep the file; connections are opened when they are asked for."""
        self._path = path
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False

    @contextlib.contextmanager
    def borrow(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that nobody else has.

        Raises:
            sqlite3.Error: It cannot be opened, or all are closed.
        """
        with self._lock:
            if self._closed:
                raise sqlite3.ProgrammingError("Cannot operate on a closed database.")
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = _connect(self._path)
            connection.execute("PRAGMA query_only = ON")
            connection.text_factory = lambda data: data.decode("utf-8", "replace")
        try:
            yield connection
        finally:
            with self._lock:
                if self._closed:
                    connection.close()
                else:
                    self._idle.append(connection)

    def close(self) -> None:
        """Close all connections, those that are lent as soon as they come back."""
        with self._lock:
            self._closed = True
            while self._idle:
                self._idle.pop().close()


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    with transaction(connection):
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if version > len(MIGRATIONS):
            raise HistoryError(
                f"Cannot open the history {path}: it has version {version}, this program knows "
                f"up to {len(MIGRATIONS)}. Update: pip install --upgrade fots-lite."
            )
        if version == 0 and tables:
            raise HistoryError(
                f"Cannot open the history {path}: it is another program's database. "
                "Name another file."
            )
        for script in MIGRATIONS[version:]:
            for statement in script.split(";"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Do everything inside or nothing of it; what was done is on the disk at the end."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has already rolled back after some failures, a full disk among them
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def translated(path: Path, what: str) -> Iterator[None]:
    """Turn failures of SQLite and of the disk into `HistoryError` that say what to do.

    Args:
        path: The history's file.
        what: What fails, such as "open the history".
    """
    try:
        yield
    except (sqlite3.Error, OSError, SdkError, UnicodeError) as error:
        if isinstance(error, HistoryError):
            raise
        raise HistoryError(f"Cannot {what} {path}: {error}. {_advice(path, error)}") from error


def is_damage(error: BaseException | None) -> bool:
    """Tell whether an error says that the file is damaged: names of its tables may be no text."""
    told = "not a database" in str(error) or "malformed" in str(error)
    return told or isinstance(error, UnicodeDecodeError)


def _advice(path: Path, error: Exception) -> str:
    if isinstance(error, sqlite3.ProgrammingError):
        return "It is closed: open it again."
    if is_damage(error):
        return "The file is damaged: move it away, a new one is made."
    if not path.parent.is_dir():
        return "Make its folder first."
    free_mb = shutil.disk_usage(path.parent).free / 1e6
    return (
        f"Its disk has {free_mb:.0f} MB left: if that is little, delete files or old records; "
        "else check that the folder is writable."
    )
