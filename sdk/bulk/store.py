"""`Store`: a folder, or a part of an object store, by its address."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from sdk.errors import ClusterError, OptionError, SdkError
from sdk.files import write_atomically

__all__ = ["Store"]


class Store:
    """Files below an address such as ``/data/photos`` or ``s3://bucket/photos``.

    Rights and endpoints of object stores come from the environment of each node, for S3 from
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL.
    """

    def __init__(self, address: str) -> None:
        """Open the address; nothing is read.

        Raises:
            OptionError: No package knows the address.
            ClusterError: fsspec, or the package for such addresses, is not installed.
        """
        try:
            url_to_fs = import_module("fsspec.core").url_to_fs
            # listings are not kept: other nodes write too
            files, root = url_to_fs(address, use_listings_cache=False)
        except ImportError as error:
            raise ClusterError(
                f"Cannot open {address}: {error}. Install what is missing, for folders and S3: "
                "pip install 'fots-lite[cluster]'."
            ) from error
        except ValueError as error:
            raise OptionError(f"Cannot open {address}: {error}.") from error
        self.address = address
        self._files: Any = files
        self._root = str(root).rstrip("/")
        self._local = "file" in (
            files.protocol if isinstance(files.protocol, tuple) else (files.protocol,)
        )

    @property
    def absolute(self) -> str:
        """The address that means the same in every working folder."""
        return self._root if self._local else self.address

    def list_files(self) -> list[str]:
        """Return the names of all files, relative to the address, sorted by code points.

        Raises:
            SdkError: There is no such folder, or it cannot be listed.
        """
        start = len(self._root) + 1
        try:
            self.look()
            # fsspec would hold a kilobyte for each file
            found = _files_below(self._root) if self._local else self._files.find(self._root)
            return sorted(path[start:] for path in found)
        except Exception as error:  # each store has exceptions of its own
            raise SdkError(f"Cannot list {self.address}: {_reason(error)}.") from error

    def names(self) -> set[str]:
        """Return the names directly below the address; none if it does not exist.

        Raises:
            SdkError: It cannot be listed.
        """
        try:
            found = self._files.ls(self._root, detail=False)
        except FileNotFoundError:
            return set()
        except Exception as error:  # each store has exceptions of its own
            raise SdkError(f"Cannot list {self.address}: {_reason(error)}.") from error
        return {path.rstrip("/").rpartition("/")[2] for path in found}

    def look(self) -> None:
        """Make sure that this node sees the address.

        Raises:
            OSError: It is missing or not readable.
        """
        if self._local:
            with os.scandir(self._root):
                return
        self._files.ls(self._root, detail=False)

    def read(self, name: str) -> bytes:
        """Return the bytes of a file.

        Raises:
            OSError: The file is missing or cannot be read.
        """
        data: bytes = self._files.cat_file(f"{self._root}/{name}")
        return data

    def write(self, name: str, data: bytes) -> None:
        """Write a file completely or not at all, unless a file of this name exists.

        In a folder the file is written under another name and renamed. In an object store it is
        one request, made conditional where the store can do so.

        Raises:
            SdkError: No rights, no space, or no bucket.
        """
        if self._local:
            try:
                Path(self._root).mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise SdkError(f"Cannot make {self._root}: {_reason(error)}.") from error
            write_atomically(Path(self._root, name), data)
            return
        path = f"{self._root}/{name}"
        try:
            try:
                self._files.pipe_file(path, data, mode="create")
            except NotImplementedError:  # the store knows no conditions
                self._files.pipe_file(path, data)
            except OSError as error:
                if not _exists(error):  # otherwise another node did the same work
                    raise
        except (PermissionError, FileNotFoundError) as error:
            raise SdkError(
                f"Cannot write {self.address.rstrip('/')}/{name}: {_reason(error)}. "
                "Check that the bucket exists and that the node may write to it."
            ) from error

    def remove(self, name: str) -> None:
        """Remove a file.

        Raises:
            OSError: It is missing, or the store does not allow it.
        """
        self._files.rm_file(f"{self._root}/{name}")

    def remove_unfinished(self) -> None:
        """Remove the temporary files of killed processes from a folder."""
        if self._local:
            for left in Path(self._root).glob(".part-*.tmp"):
                left.unlink(missing_ok=True)


def _files_below(root: str) -> Iterator[str]:
    """Yield the paths of all files in a folder and the folders below it.

    Raises:
        OSError: One of the folders cannot be read.
    """
    for folder, _, names in os.walk(root, onerror=_raise, followlinks=True):
        yield from (os.path.join(folder, name) for name in names)  # noqa: PTH118 (a million times)


def _raise(error: OSError) -> None:
    raise error


def _exists(error: OSError) -> bool:
    """Tell whether a conditional request failed because the file exists."""
    response = getattr(error.__cause__, "response", {})  # of boto, which s3fs gives no class of
    return isinstance(error, FileExistsError) or (
        response.get("Error", {}).get("Code") == "PreconditionFailed"
    )


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error or type(error).__name__).rstrip(".")
