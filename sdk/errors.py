"""Exceptions of the SDK.

Every error that the SDK raises on purpose derives from `SdkError`. A message states, in this order,
what failed, what was found, and what to do. A picture without text is not an error: its `Reading`
is empty.
"""


class SdkError(Exception):
    """Base class of every error that the SDK raises on purpose."""


class ModelError(SdkError):
    """A model bundle is missing, damaged, or written for another version."""


class DeviceError(SdkError):
    """An interpreter, accelerator or delegate cannot be used on this machine."""


class ImageError(SdkError):
    """A picture cannot be opened or decoded, or an array has an illegal shape or illegal values."""


class OptionError(SdkError, ValueError):
    """An argument has an illegal value."""


class CameraError(SdkError):
    """A camera cannot be opened, does not answer, or was lost."""


class CameraEnd(SdkError):  # noqa: N818 (an end, not a failure)
    """A video file or a folder of pictures has been read to its end."""


class JobError(SdkError):
    """An inspection job or a station's settings cannot be read, or a value is illegal."""


class HistoryError(SdkError):
    """The history cannot be opened, written or read. The disk may be full."""


class ClusterError(SdkError):
    """A cluster cannot be reached, or one of its nodes cannot do its part of the work."""


class OutputError(SdkError):
    """A verdict cannot be sent to the plant.

    Attributes:
        permanent: Whether another attempt would fail too.
    """

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        """Create the error.

        Args:
            message: What failed, what was found, what to do.
            permanent: Whether another attempt would fail too.
        """
        super().__init__(message)
        self.permanent = permanent
