"""What every camera can do, and the little that all of them share."""

from __future__ import annotations

import re
import time
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sdk.closing import Closing
from sdk.errors import CameraError, OptionError

if TYPE_CHECKING:
    from sdk.image.load import ImageArray

Self = TypeVar("Self", bound="CameraBase")


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a camera.

    Attributes:
        image: uint8 RGB (H, W, 3); treat it as read-only.
        index: Number of the picture since the camera was made, from 0.
        time: When it was taken, Unix seconds; for a file when it was last written, for a video the
            opening of the file plus the position in it.
        name: File name for pictures of a folder, else empty.
    """

    image: ImageArray
    index: int
    time: float
    name: str = ""


class Camera(Protocol):
    """Where frames come from; one thread reads, any thread may do the rest.

    Attributes:
        live: Whether the newest frame is what counts, so that frames may be skipped. False for
            files and folders, of which every picture is read, and for triggered cameras.
        stills: Whether every frame shows another product (pictures of a folder, a triggered
            camera), so that there is nothing to follow from frame to frame.
    """

    live: bool
    stills: bool

    def open(self) -> None:
        """Connect, with the settings made before; does nothing if it is open.

        Raises:
            CameraError: The camera cannot be opened; the message says why and what to do.
            OptionError: The camera does not have a setting that was made.
        """

    def read(self, timeout_s: float = 1.0) -> Frame | None:
        """Return the next frame, or None if there is none in time.

        Raises:
            CameraError: The camera is lost or not open.
            CameraEnd: The file or folder has been read to its end.
            ImageError: One picture of a folder is damaged; the next call goes on with the next.
        """

    def properties(self) -> dict[str, Any]:
        """Return what the camera is set to: width, height, fps, exposure_us, gain, region, trigger.

        Keys it does not have are absent.
        """

    def configure(self, **values: Any) -> None:
        """Change settings, now if the camera is open, and again whenever it is opened.

        Args:
            **values: exposure_us (microseconds), gain (in the camera's own unit), region (x, y,
                width, height in pixels of the sensor), trigger ("off", "software", "hardware"),
                width, height, fps: whatever the camera has.

        Raises:
            OptionError: The camera does not have such a setting or refuses the value.
        """

    def trigger(self) -> None:
        """Take one picture now, where trigger is "software".

        Raises:
            CameraError: The camera has no software trigger or is not ready for it.
        """

    def close(self) -> None:
        """Disconnect; closing twice does nothing. The camera can be opened again."""


def mask_password(source: str) -> str:
    """Return an address, or a pipeline with one, as logs and screens may show it."""
    return re.sub(r"(?<=://)([^/@:]*):[^/]*@", r"\1:***@", source)


class CameraBase(Closing):
    """What cameras share: remembered settings, numbered frames, `with`."""

    live = True
    stills = False
    # Settings that `configure` knows.
    settings: frozenset[str] = frozenset()

    def __init__(self, title: str) -> None:
        """Remember what messages call the camera."""
        self._title = title
        self._made: dict[str, Any] = {}
        self._frames = 0

    def __str__(self) -> str:
        """Return what messages call the camera."""
        return self._title

    def __enter__(self: Self) -> Self:
        """Open the camera."""
        self.open()
        return self

    @abstractmethod
    def open(self) -> None:
        """Connect, see `Camera.open`."""

    @abstractmethod
    def read(self, timeout_s: float = 1.0) -> Frame | None:
        """Return the next frame, see `Camera.read`."""

    def properties(self) -> dict[str, Any]:
        """Return the settings, see `Camera.properties`."""
        return {}

    def configure(self, **values: Any) -> None:
        """Change settings, see `Camera.configure`."""
        self._check_settings(values)
        self._apply(values)
        self._made.update(values)

    def trigger(self) -> None:
        """Refuse: see `Camera.trigger`."""
        raise CameraError(f"Cannot trigger {self}: it has no software trigger.")

    def _apply(self, values: dict[str, Any]) -> None:
        """Make settings on the open camera; does nothing when it is closed."""

    def _check_settings(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self.settings:
                legal = ", ".join(sorted(self.settings)) or "no settings"
                raise OptionError(f"{self} has no setting {name!r}. It has {legal}.")

    def _frame(self, image: ImageArray, at: float | None = None, name: str = "") -> Frame:
        frame = Frame(image, self._frames, time.time() if at is None else at, name)
        self._frames += 1
        return frame

    def _not_open(self) -> CameraError:
        return CameraError(f"{self} is not open. Call open() first.")
