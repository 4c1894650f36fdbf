"""Folders of pictures: existing pictures, and pictures that arrive."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

from sdk.errors import CameraEnd, CameraError, ImageError
from sdk.image.files import list_pictures
from sdk.image.load import load_image
from sdk.live.camera.base import CameraBase, Frame
from sdk.live.camera.pace import Pace

POLL_S = 0.2
# A picture that cannot be decoded may still be incomplete. After this time it counts as damaged.
GIVE_UP_S = 10.0


class Version(NamedTuple):
    """Identifies one content of a file."""

    modified_ns: int
    size: int


class Folder(CameraBase):
    """All pictures of a folder, ordered by name, or a single picture.

    Each picture shows a separate product.
    """

    live = False
    stills = True

    def __init__(self, path: str | Path, *, loop: bool = False, fps: float = 0.0) -> None:
        """Prepare a closed folder.

        Args:
            path: The folder, or a picture file.
            loop: Whether to start again at the end, without limit.
            fps: Largest number of pictures per second. 0 sets no limit.
        """
        super().__init__(f"{'folder' if Path(path).is_dir() else 'picture'} {path}")
        self._path = Path(path)
        self._loop = loop
        self._pace = Pace(fps)
        self._files: list[Path] | None = None
        self._next = 0

    def open(self) -> None:
        """List the pictures, see `Camera.open`."""
        if self._files is not None:
            return
        files = [self._path]
        if not self._path.is_file():
            files = [self._path / name for name in _list_versions(self._path, str(self))]
        if not files:
            raise CameraError(f"Cannot open {self}: it holds no picture files. Check the path.")
        self._files, self._next = files, 0

    def read(self, timeout_s: float = 1.0) -> Frame | None:
        """Return the next picture, see `Camera.read`."""
        if self._files is None:
            raise self._not_open()
        if not self._pace.wait(timeout_s):
            return None
        if self._next == len(self._files):
            if not self._loop:
                raise CameraEnd(f"{self} has ended after {len(self._files)} pictures.")
            self._next = 0
        path = self._files[self._next]
        self._next += 1
        image = load_image(path)
        return self._frame(image, path.stat().st_mtime, path.name)

    def properties(self) -> dict[str, Any]:
        """Return the number of pictures."""
        return {} if self._files is None else {"pictures": len(self._files)}

    def close(self) -> None:
        """Drop the list of pictures, see `Camera.close`."""
        self._files = None


class WatchedFolder(CameraBase):
    """The pictures that arrive in a folder, each once, in the order of arrival.

    Pictures that exist when the folder is first opened are ignored. A file that is written again
    counts as a new picture. A picture is returned after its file has stopped changing and can be
    decoded completely. While the folder is not available, such as a network share, no picture is
    lost, and known pictures do not become new when the folder returns.
    """

    live = False
    stills = True

    def __init__(self, path: str | Path) -> None:
        """Prepare a closed folder.

        Args:
            path: The folder.
        """
        super().__init__(f"watched folder {path}")
        self._path = Path(path)
        self._open = False
        # mount point of the folder, such as a network share; None before the first opening
        self._mount: Path | None = None
        # returned and ignored pictures; None before the first opening
        self._done: dict[str, Version] | None = None
        # arriving pictures: their content, and the monotonic time of its last change
        self._arriving: dict[str, tuple[Version, float]] = {}

    def open(self) -> None:
        """Start to watch, see `Camera.open`."""
        found = self._list()
        if self._done is None:
            self._done = found
        self._open = True

    def read(self, timeout_s: float = 1.0) -> Frame | None:
        """Return the next picture that has arrived completely, see `Camera.read`."""
        if not self._open or self._done is None:
            raise self._not_open()
        deadline = time.monotonic() + timeout_s
        while True:
            frame = self._take(self._done)
            left = deadline - time.monotonic()
            if frame is not None or left <= 0:
                return frame
            time.sleep(min(POLL_S, left))

    def close(self) -> None:
        """Stop watching, see `Camera.close`.

        Pictures that arrive while the folder is closed are read after it is opened again.
        """
        self._open = False

    def _list(self) -> dict[str, Version]:
        """Return the present pictures.

        Raises:
            CameraError: The folder is not available.
        """
        found = _list_versions(self._path, str(self))
        if self._mount is None:
            whole = self._path.resolve()
            self._mount = next(x for x in (whole, *whole.parents) if os.path.ismount(x))
        # the mount point of an unmounted share is an empty folder
        if not os.path.ismount(self._mount):
            raise CameraError(f"Lost {self}: {self._mount} is not mounted. Check the share.")
        return found

    def _take(self, done: dict[str, Version]) -> Frame | None:
        """Return a complete picture, None if there is none now."""
        now = time.monotonic()
        found = self._list()
        for name in done.keys() - found.keys():
            del done[name]
        before, self._arriving = self._arriving, {}
        for name, version in found.items():
            if done.get(name) != version:
                known, since = before.get(name, (version, now))
                self._arriving[name] = (version, since if known == version else now)
        for name in sorted(self._arriving, key=lambda name: (found[name].modified_ns, name)):
            version, since = self._arriving[name]
            if now - since < POLL_S:
                continue
            frame = self._load(name, version, since + GIVE_UP_S < now, done)
            if frame is not None:
                return frame
        return None

    def _load(
        self, name: str, version: Version, is_last_try: bool, done: dict[str, Version]
    ) -> Frame | None:
        path = self._path / name
        try:
            image = load_image(path)
        except ImageError:
            if not is_last_try:
                return None
            done[name] = version
            raise
        with contextlib.suppress(OSError):
            if _version(path.stat()) != version:  # changed during the read
                return None
        done[name] = version
        return self._frame(image, version.modified_ns / 1e9, name)


def _list_versions(folder: Path, title: str) -> dict[str, Version]:
    """Return the pictures of a folder, by name.

    Raises:
        CameraError: The folder does not exist or cannot be listed.
    """
    found = {}
    try:
        for entry in list_pictures(folder):
            # a file may be renamed or removed while the folder is listed
            with contextlib.suppress(FileNotFoundError):
                found[entry.name] = _version(entry.stat())
    except OSError as error:
        raise CameraError(
            f"Cannot open {title}: {error.strerror or error}. Check the path."
        ) from error
    return found


def _version(status: os.stat_result) -> Version:
    return Version(status.st_mtime_ns, status.st_size)
