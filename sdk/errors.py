"""Exceptions of the SDK.

Every error the SDK raises on purpose derives from `SdkError`. A message says, in this order, what
failed, what was found, and what to do about it. "No text in the picture" is not an error: it is an
empty `Reading`.
"""


class SdkError(Exception):
    """Base of every error the SDK raises on purpose."""


class ModelError(SdkError):
    """A model bundle is missing, damaged, or written for another version."""


class DeviceError(SdkError):
    """An interpreter, accelerator or delegate cannot be used on this machine."""


class ImageError(SdkError):
    """A picture cannot be opened, decoded, or has a shape or values that make no picture."""


class OptionError(SdkError, ValueError):
    """An argument has a value outside its legal ones."""


class CameraError(SdkError):
    """A camera cannot be opened, does not answer, or was lost."""


class CameraEnd(SdkError):  # noqa: N818 (an end, no failure)
    """A video file or a folder of pictures has been read to its end."""


class JobError(SdkError):
    """An inspection job, or a station's settings, cannot be read or say something impossible."""


class HistoryError(SdkError):
    """The history cannot be opened, written or read; the disk may be full."""


class OutputError(SdkError):
    """A verdict cannot be passed on to the plant.

    Attributes:
        permanent: Whether trying again is of no use.
    """

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        """Keep the message, and whether trying again is of no use."""
        super().__init__(message)
        self.permanent = permanent
