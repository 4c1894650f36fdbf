"""The SQLite file: connections, tables, and explanations of failures.

The file has write-ahead logging with a sync at every commit. A committed change survives a kill and
a loss of power. Readers have their own connections. Readers and the writer do not wait for each
other.
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

# Entry i brings a file from version i to version i + 1. Entries are added, never changed.
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
    # without this index, the sum of sizes would read all thumbnails
    "CREATE INDEX images_by_size ON images (total_bytes)",
    # a search reads this narrow index of all records, and not the verdicts, which are twenty times
    # as long
    """
    CREATE INDEX records_narrow ON records (id, time, job, status, text, correction);
    DROP INDEX records_by_time;
    DROP INDEX records_by_job;
    """,
)
# Longest wait in seconds for another process, such as an export, that locks the file.
BUSY_S = 10.0


def open_database(path: Path) -> sqlite3.Connection:
    """Return a connection that threads may share, to a file with the current tables.

    Raises:
        HistoryError: The file cannot be opened, is not a history, or has a newer version.
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
    """A pool of read-only connections to a file that `open_database` has opened.

    Text that is not UTF-8 is not refused. Its wrong bytes become U+FFFD.
    """

    def __init__(self, path: Path) -> None:
        """Prepare the pool. Connections are opened on demand.

        Args:
            path: The SQLite file.
        """
        self._path = path
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False

    @contextlib.contextmanager
    def borrow(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that no other thread has.

        Raises:
            sqlite3.Error: The connection cannot be opened, or the pool is closed.
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
        """Close all connections. Lent connections are closed when they are returned."""
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
    """Make all changes of a block or none of them. After the block they are on the disk."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has already rolled back after some failures, such as a full disk
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def translated(path: Path, what: str) -> Iterator[None]:
    """Turn failures of SQLite and of the disk into a `HistoryError` with advice.

    Args:
        path: File of the history.
        what: The action that fails, such as "open the history".
    """
    try:
        yield
    except (sqlite3.Error, OSError, SdkError, UnicodeError) as error:
        if isinstance(error, HistoryError):
            raise
        raise HistoryError(f"Cannot {what} {path}: {error}. {_advice(path, error)}") from error


def is_damage(error: BaseException | None) -> bool:
    """Tell whether an error is caused by a damaged file, such as undecodable table names."""
    told = "not a database" in str(error) or "malformed" in str(error)
    return told or isinstance(error, UnicodeDecodeError)


def _advice(path: Path, error: Exception) -> str:
    if isinstance(error, sqlite3.ProgrammingError):
        return "The history is closed: open it again."
    if is_damage(error):
        return "The file is damaged: move it away, and a new file is created."
    if not path.parent.is_dir():
        return "Create its folder first."
    free_mb = shutil.disk_usage(path.parent).free / 1e6
    return (
        f"The disk has {free_mb:.0f} MB of free space. Delete files or old records if this is too "
        "little, or check that the folder is writable."
    )
