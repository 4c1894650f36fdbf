"""Fit a picture into a network's fixed frame, and map points of the frame back to the picture.

The picture keeps its aspect ratio. It lies in the top left corner or in the middle of the frame.
The rest of the frame is gray, which is zero to the network. Pixel centers have the coordinates
integer + 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from sdk.image.load import ImageArray

FILL = 127


@dataclass(frozen=True, slots=True)
class Letterbox:
    """The position of a picture in a frame.

    Attributes:
        scale_x: Frame pixels per picture pixel, horizontally.
        scale_y: Frame pixels per picture pixel, vertically. The value differs from `scale_x` only
            by rounding to whole pixels.
        width: Width of the picture in frame pixels.
        height: Height of the picture in frame pixels.
        left: Frame pixels to the left of the picture.
        top: Frame pixels above the picture.
    """

    scale_x: float
    scale_y: float
    width: int
    height: int
    left: int = 0
    top: int = 0

    def to_image(self, points: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Map frame points, float (..., 2) as (x, y), to picture points of the same shape."""
        scale = np.array((self.scale_x, self.scale_y), dtype=np.float32)
        corner = np.array((self.left, self.top), dtype=np.float32)
        return (np.asarray(points, dtype=np.float32) - corner) / scale

    def to_frame(self, points: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Map picture points, float (..., 2) as (x, y), to frame points of the same shape."""
        scale = np.array((self.scale_x, self.scale_y), dtype=np.float32)
        corner = np.array((self.left, self.top), dtype=np.float32)
        return np.asarray(points, dtype=np.float32) * scale + corner


def letterbox(
    image: ImageArray,
    height: int,
    width: int,
    max_scale: float = float("inf"),
    centered: bool = False,
) -> tuple[ImageArray, Letterbox]:
    """Return a picture fitted into a frame, and its position there.

    Args:
        image: uint8 (H, W, 3).
        height: Height of the frame in pixels.
        width: Width of the frame in pixels.
        max_scale: Largest magnification. A smaller picture leaves more of the frame gray.
        centered: Whether the picture lies in the middle of the frame.

    Returns:
        The frame, uint8 (height, width, 3), and the mapping between frame and picture.
    """
    image_height, image_width = image.shape[:2]
    scale = min(width / image_width, height / image_height, max_scale)
    # a picture of 20,000 x 20 pixels must not vanish
    inner_width = min(width, max(1, round(image_width * scale)))
    inner_height = min(height, max(1, round(image_height * scale)))
    shrinks = inner_width * inner_height < image_width * image_height
    frame = np.full((height, width, 3), FILL, dtype=np.uint8)
    top, left = (height - inner_height) // 2, (width - inner_width) // 2
    if not centered:
        top = left = 0
    frame[top : top + inner_height, left : left + inner_width] = cv2.resize(
        image,
        (inner_width, inner_height),
        interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR,
    )
    return frame, Letterbox(
        scale_x=inner_width / image_width,
        scale_y=inner_height / image_height,
        width=inner_width,
        height=inner_height,
        left=left,
        top=top,
    )
