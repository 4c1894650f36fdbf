"""One door for pictures: whatever the user has becomes uint8 RGB (H, W, 3), upright.

Files are decoded by Pillow, most JPEG files by OpenCV. Arrays are taken as they come from OpenCV,
scikit-image or a camera. Transparent parts are laid on white, since text on transparent ground is
nearly always dark.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from sdk.errors import ImageError, OptionError
from sdk.image.jpeg import decode_jpeg
from sdk.image.sniff import describe_content

logger = logging.getLogger("sdk")

# The largest phone sensors give 200 megapixels; more than that is a damaged or hostile file.
MAX_PIXELS = 200_000_000

ImageArray: TypeAlias = npt.NDArray[np.uint8]
ImageSource: TypeAlias = (
    str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | Image.Image
    | npt.NDArray[Any]
)  # fmt: skip

_ORIENTATION_TAG = 0x0112
# What brings a picture with this EXIF orientation upright (EXIF 2.3, table 6): whether rows and
# columns change places, and then how it is mirrored, in OpenCV's code.
_TOP_BOTTOM, _LEFT_RIGHT, _BOTH = 0, 1, -1
_UPRIGHT = {
    2: (False, _LEFT_RIGHT),
    3: (False, _BOTH),
    4: (False, _TOP_BOTTOM),
    5: (True, None),
    6: (True, _LEFT_RIGHT),
    7: (True, _BOTH),
    8: (True, _TOP_BOTTOM),
}
# Resampling overshoots by a little; more than this is another value range.
_FLOAT_SLACK = 1e-3
# Rows taken over from Pillow at a time.
_BAND = 256
_limit_lock = threading.Lock()
if hasattr(os, "register_at_fork"):  # a child must not wait for a thread that stayed in the parent
    os.register_at_fork(
        before=_limit_lock.acquire,
        after_in_parent=_limit_lock.release,
        after_in_child=_limit_lock.release,
    )


def load_image(source: ImageSource, channels: str = "rgb") -> ImageArray:
    """Return a picture as uint8 RGB (H, W, 3), C-contiguous and upright.

    Files, bytes and PIL images are turned as their EXIF orientation says; of an animation the
    first frame is taken. Arrays are (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of uint8, uint16
    (0..65535), bool, or float (0..1).

    Args:
        source: A path, the bytes of an image file, a binary file object, a PIL image or an array.
        channels: Channel order of an array with color: "rgb", or "bgr" as OpenCV has it. The fourth
            channel is alpha in both. Other sources know their own order.

    Returns:
        The picture; it may be the very array that was passed, so treat it as read-only.

    Raises:
        ImageError: The source is missing, no picture, damaged, empty, larger than 200 megapixels,
            or an array of a shape, dtype or range that is no picture.
        OptionError: `channels` is neither "rgb" nor "bgr".
    """
    if channels not in ("rgb", "bgr"):
        raise OptionError(f'channels is {channels!r}. Give "rgb" or "bgr".')
    if isinstance(source, np.ndarray):
        return _from_array(source, channels)
    if isinstance(source, Image.Image):
        return _from_pil(source, f"a PIL image of mode {source.mode}")
    if isinstance(source, (str, os.PathLike)):
        data, path = _read_path(source)
        return _from_bytes(data, path, path)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _from_bytes(bytes(source), "the given bytes")
    if hasattr(source, "read"):
        return _from_bytes(*_read_file(source))
    hint = " (cv2.imread returns None for a file it cannot open)" if source is None else ""
    raise ImageError(
        f"Cannot load an image from {type(source).__name__}{hint}. "
        "Pass a path, bytes, a binary file, a PIL image or a NumPy array."
    )


def _read_path(source: str | os.PathLike[str]) -> tuple[bytes, str]:
    name = os.fsdecode(source)
    if name.startswith(("http://", "https://")):
        raise ImageError(f"Cannot open {name}: addresses are not fetched. Download the file first.")
    path = Path(name)
    try:
        if path.is_dir():
            raise ImageError(
                f"Cannot open {name}: it is a folder. Pass the image files in it one by one."
            )
        return path.read_bytes(), name
    except FileNotFoundError as error:
        raise ImageError(
            f"Cannot open {name}: there is no such file (looked in {Path.cwd()}). Check the path."
        ) from error
    except OSError as error:
        raise ImageError(
            f"Cannot open {name}: {error.strerror or error}. Check the path and its permissions."
        ) from error
    except ValueError as error:  # a NUL in the name
        raise ImageError(f"Cannot open {name!r}: {error}. Check the path.") from error


def _read_file(source: IO[bytes]) -> tuple[bytes, str]:
    name = str(getattr(source, "name", "the given file object"))
    try:
        data = source.read()
    except (OSError, ValueError) as error:
        raise ImageError(
            f"Cannot read {name}: {error}. Pass a file that is open for reading in binary mode."
        ) from error
    if not isinstance(data, bytes):
        raise ImageError(
            f"Cannot read {name}: it gives {type(data).__name__}, not bytes. "
            'Open it in binary mode: open(path, "rb").'
        )
    return data, name


def _from_bytes(data: bytes, name: str, path: str | None = None) -> ImageArray:
    if not data:
        raise ImageError(f"Cannot decode {name}: it is empty (0 bytes). Pass an image file.")
    try:
        with _pixel_limit():
            image = Image.open(io.BytesIO(data))
    except UnidentifiedImageError as error:
        found, advice = describe_content(data)
        raise ImageError(f"Cannot decode {name}: found {found}. {advice}") from error
    except Image.DecompressionBombError as error:
        raise ImageError(
            f"Cannot decode {name}: {error} The limit here is {MAX_PIXELS // 10**6} megapixels. "
            "Scale the picture down first."
        ) from error
    except Exception as error:  # Pillow's many plugins raise whatever a broken header leads to
        raise _damaged(name, error) from error
    with image:
        _check_size(image.width, image.height, name)
        pixels = decode_jpeg(data, image, path)
        if pixels is None:
            return _from_pil(image, name)
        return _turn_upright(pixels, _orientation(image, name))


@contextlib.contextmanager
def _pixel_limit() -> Iterator[None]:
    """Let Pillow open what `MAX_PIXELS` allows; its own limit is lower and global."""
    with _limit_lock:
        before = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = MAX_PIXELS
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before


def _from_pil(image: Image.Image, name: str) -> ImageArray:
    _check_size(image.width, image.height, name)
    try:
        image.load()
    except Exception as error:  # as above: each decoder has its own errors
        raise _damaged(name, error) from error
    orientation = _orientation(image, name)
    if image.mode == "F" or image.mode.startswith("I"):
        return _turn_upright(_from_array(_deep_gray(image, name), "rgb"), orientation)
    try:
        return _turn_upright(_to_rgb(image), orientation)
    except ValueError as error:
        raise ImageError(
            f"Cannot convert {name} from mode {image.mode} to RGB: {error}. Save it as RGB or gray."
        ) from error


def _orientation(image: Image.Image, name: str) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception as error:  # damaged metadata must not lose a sound picture
        logger.warning("Cannot read the EXIF data of %s: %s. It is taken as upright.", name, error)
        return 1


def _turn_upright(pixels: ImageArray, orientation: int) -> ImageArray:
    """Return pixels as their EXIF orientation says; those given are mirrored in place."""
    transposed, mirrored = _UPRIGHT.get(orientation, (False, None))
    if transposed:
        pixels = np.asarray(cv2.transpose(pixels), np.uint8)
    if mirrored is not None:
        cv2.flip(pixels, mirrored, dst=pixels)
    return pixels


def _deep_gray(image: Image.Image, name: str) -> npt.NDArray[Any]:
    """Return a gray picture of more than 8 bits as uint16 or float32 (H, W)."""
    values = np.asarray(image)
    if values.dtype.kind == "f" or values.dtype.itemsize == 2:
        return values
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        raise ImageError(
            f"Cannot use {name}: its 32-bit values go from {low} to {high}. "
            "Scale them to 0..65535 or save the picture with 8 bits."
        )
    return values.astype(np.uint16)


def _to_rgb(image: Image.Image) -> ImageArray:
    """Return the pixels, taken over in bands: whole copies of a large photo cost its size each."""
    out = np.empty((image.height, image.width, 3), np.uint8)
    for top in range(0, image.height, _BAND):
        bottom = min(top + _BAND, image.height)
        out[top:bottom] = _band_to_rgb(image.crop((0, top, image.width, bottom)))
    return out


def _band_to_rgb(image: Image.Image) -> ImageArray:
    if image.mode == "La":  # Pillow converts premultiplied gray only to LA
        image = image.convert("LA")
    if image.mode in ("RGBA", "RGBa", "LA", "PA") or "transparency" in image.info:
        return _on_white(np.asarray(image.convert("RGBA")))
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _from_array(array: npt.NDArray[Any], channels: str) -> ImageArray:
    pixels = np.asarray(array)
    _check_shape(pixels)
    values = _to_uint8(pixels)
    if values.ndim == 2:
        values = values[:, :, None]
    if values.shape[2] == 1:
        return np.repeat(values, 3, axis=2)
    if channels == "bgr":
        values = values[:, :, [2, 1, 0, 3][: values.shape[2]]]
    if values.shape[2] == 4:
        values = _on_white(values)
    return np.ascontiguousarray(values)


def _check_shape(array: npt.NDArray[Any]) -> None:
    shape = array.shape
    found = f"an array of shape {shape} and dtype {array.dtype}"
    if array.ndim not in (2, 3) or (array.ndim == 3 and shape[2] not in (1, 3, 4)):
        if array.ndim == 4:
            advice = "Pass the pictures of a batch one by one, or to read_batch."
        elif array.ndim == 3 and shape[0] in (1, 3, 4):
            advice = "Put the channels last: array.transpose(1, 2, 0)."
        else:
            advice = "Pass (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)."
        raise ImageError(f"Cannot use {found} as an image. {advice}")
    _check_size(shape[1], shape[0], found)


def _check_size(width: int, height: int, name: str) -> None:
    if width < 1 or height < 1:
        raise ImageError(
            f"Cannot use {name} as an image: it is {width} x {height} pixels. "
            "Pass at least one pixel; an empty crop is usually a box outside the picture."
        )
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"Cannot use {name} as an image: {width} x {height} is {width * height / 1e6:.0f} "
            f"megapixels, the limit is {MAX_PIXELS // 10**6}. Scale the picture down first."
        )


def _to_uint8(array: npt.NDArray[Any]) -> ImageArray:
    kind, size = array.dtype.kind, array.dtype.itemsize
    if array.dtype == np.uint8:
        return array
    if kind == "b":
        return np.asarray(np.multiply(array, 255, dtype=np.uint8))
    if kind == "u" and size == 2:
        # 65535 / 255 = 257; the half makes it round to nearest.
        return ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if kind == "f":
        return _float_to_uint8(array)
    raise ImageError(
        f"Cannot use an array of dtype {array.dtype} as an image. Pass uint8 (0..255), "
        "uint16 (0..65535), bool or float (0..1), for example array.astype(np.uint8)."
    )


def _float_to_uint8(array: npt.NDArray[Any]) -> ImageArray:
    low, high = float(array.min()), float(array.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        bad = int(array.size - np.count_nonzero(np.isfinite(array)))
        raise ImageError(
            f"Cannot use an array of dtype {array.dtype} as an image: {bad} of its {array.size} "
            "values are NaN or infinite. Replace them first, for example by np.nan_to_num."
        )
    if low < -_FLOAT_SLACK or high > 1 + _FLOAT_SLACK:
        advice = "Divide by 255." if low >= 0 and 2 < high <= 255 else "Scale them to that range."
        raise ImageError(
            f"Cannot use an array of dtype {array.dtype} as an image: its values go from "
            f"{low:.4g} to {high:.4g}, floats must be in 0..1. {advice}"
        )
    scaled = np.clip(array.astype(np.float32), 0.0, 1.0) * 255.0 + 0.5
    return np.asarray(scaled, dtype=np.uint8)


def _on_white(rgba: npt.NDArray[np.uint8]) -> ImageArray:
    """Lay uint8 (H, W, 4) with straight alpha on white; uint8 (H, W, 3), rounded to nearest."""
    if rgba[:, :, 3].min() == 255:
        return np.ascontiguousarray(rgba[:, :, :3])
    alpha = rgba[:, :, 3:].astype(np.uint16)
    # 255 * 255 + 127 fits into 16 bits.
    mixed = rgba[:, :, :3] * alpha + (255 * (255 - alpha) + 127)
    return np.ascontiguousarray(mixed // 255, dtype=np.uint8)


def _damaged(name: str, error: Exception) -> ImageError:
    return ImageError(
        f"Cannot decode {name}: the file is damaged or cut short ({error}). "
        "Copy or download it again."
    )
