"""FOTS-lite: read text in pictures on small devices.

    from sdk import Reader

    reading = Reader().read("label.jpg")
    for line in reading:
        print(line.text, line.confidence, line.quad)

The import of this package loads no other package. The first `Reader` loads an interpreter.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sdk.charset import DEFAULT_CHARSET as DEFAULT_CHARSET
    from sdk.charset import Charset as Charset
    from sdk.errors import CameraEnd as CameraEnd
    from sdk.errors import CameraError as CameraError
    from sdk.errors import DeviceError as DeviceError
    from sdk.errors import ImageError as ImageError
    from sdk.errors import ModelError as ModelError
    from sdk.errors import OptionError as OptionError
    from sdk.errors import SdkError as SdkError
    from sdk.image.load import load_image as load_image
    from sdk.live.camera.base import Frame as Frame
    from sdk.live.camera.source import open_camera as open_camera
    from sdk.live.event import StreamEvent as StreamEvent
    from sdk.note import Note as Note
    from sdk.reader import Reader as Reader
    from sdk.recognize.pattern.template import Template as Template
    from sdk.results import Char as Char
    from sdk.results import Reading as Reading
    from sdk.results import TextLine as TextLine
    from sdk.results import Timing as Timing

__version__ = "0.2.0"

# Public name -> module that defines the name.
_EXPORTS = {
    "DEFAULT_CHARSET": "sdk.charset",
    "CameraEnd": "sdk.errors",
    "CameraError": "sdk.errors",
    "Char": "sdk.results",
    "Charset": "sdk.charset",
    "DeviceError": "sdk.errors",
    "Frame": "sdk.live.camera.base",
    "ImageError": "sdk.errors",
    "ModelError": "sdk.errors",
    "Note": "sdk.note",
    "OptionError": "sdk.errors",
    "Reader": "sdk.reader",
    "Reading": "sdk.results",
    "SdkError": "sdk.errors",
    "StreamEvent": "sdk.live.event",
    "Template": "sdk.recognize.pattern.template",
    "TextLine": "sdk.results",
    "Timing": "sdk.results",
    "load_image": "sdk.image.load",
    "open_camera": "sdk.live.camera.source",
}

__all__ = [*_EXPORTS, "__version__"]


if not TYPE_CHECKING:  # with __getattr__ in sight, a type checker accepts any misspelled name

    def __getattr__(name: str) -> Any:
        module = _EXPORTS.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(module), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_EXPORTS})
