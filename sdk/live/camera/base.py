"""The interface of all cameras, and their base class."""

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
        image: uint8 RGB (H, W, 3), to be treated as read-only.
        index: Number of the picture since the camera object was created, from 0.
        time: Time of the picture, Unix seconds. For a file, the time of its last change. For a
            video, the time of opening plus the position in the video.
        name: File name of a picture of a folder, else empty.
    """

    image: ImageArray
    index: int
    time: float
    name: str = ""


class Camera(Protocol):
    """A source of frames. One thread reads, any thread may call the other methods.

    Attributes:
        live: Whether frames may be skipped, because only the newest frame counts. False for files
            and folders, whose pictures are all read, and for triggered cameras.
        stills: Whether every frame shows another product (pictures of a folder, a triggered
            camera), so that lines are not followed from frame to frame.
    """

    live: bool
    stills: bool

    def open(self) -> None:
        """Connect, with the settings of earlier `configure` calls. No effect on an open camera.

        Raises:
            CameraError: The camera cannot be opened. The message has the reason and advice.
            OptionError: The camera does not have a configured setting.
        """

    def read(self, timeout_s: float = 1.0) -> Frame | None:
        """Return the next frame, or None after the timeout.

        Raises:
            CameraError: The camera is lost or not open.
            CameraEnd: The file or folder has been read to its end.
            ImageError: A picture of a folder is damaged. The next call reads the next picture.
        """

    def properties(self) -> dict[str, Any]:
        """Return the current settings: width, height, fps, exposure_us, gain, region, trigger.

        Settings that the camera does not have are absent.
        """

    def configure(self, **values: Any) -> None:
        """Change settings now if the camera is open, and whenever the camera is opened.

        Args:
            **values: Settings that the camera has: exposure_us (microseconds), gain (in the
                camera's own unit), region (x, y, width, height in pixels of the sensor), trigger
                ("off", "software", "hardware"), width, height, fps.

        Raises:
            OptionError: The camera does not have such a setting, or refuses the value.
        """

    def trigger(self) -> None:
        """Take one picture now, if the trigger is "software".

        Raises:
            CameraError: The camera has no software trigger, or is not ready.
        """

    def close(self) -> None:
        """Disconnect. A second call has no effect. The camera can be opened again."""


def mask_password(source: str) -> str:
    """Return an address, or a pipeline with an address, with the password masked."""
    return re.sub(r"(?<=://)([^/@:]*):[^/]*@", r"\1:***@", source)


class CameraBase(Closing):
    """Base class of cameras: stored settings, numbered frames, context manager."""

    live = True
    stills = False
    # Settings that `configure` knows.
    settings: frozenset[str] = frozenset()

    def __init__(self, title: str) -> None:
        """Prepare a closed camera.

        Args:
            title: Name of the camera in messages.
        """
        self._title = title
        self._made: dict[str, Any] = {}
        self._frames = 0

    def __str__(self) -> str:
        """Return the name of the camera in messages."""
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
        """Raise CameraError, see `Camera.trigger`."""
        raise CameraError(
            f"Cannot trigger {self}: it has no software trigger. Use a camera with a trigger."
        )

    def _apply(self, values: dict[str, Any]) -> None:
        """Apply settings to an open camera. No effect on a closed camera."""

    def _check_settings(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self.settings:
                legal = ", ".join(sorted(self.settings)) or "no settings"
                raise OptionError(f"{self} has no setting {name!r}. Use {legal}.")

    def _frame(self, image: ImageArray, at: float | None = None, name: str = "") -> Frame:
        frame = Frame(image, self._frames, time.time() if at is None else at, name)
        self._frames += 1
        return frame

    def _not_open(self) -> CameraError:
        return CameraError(f"{self} is not open. Call open() first.")
