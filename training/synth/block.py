"""Blocks: groups of printed lines, painted through a homography.

A block has its own flat coordinates in pixels. Painting warps every mask directly to the picture,
so photos and line images differ only in their homography.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from sdk.geometry import area, iou, map_points, shared_area
from training.synth.arc import Arc
from training.synth.pens.ink import Ink
from training.synth.process import Process, print_line

Surface = Callable[[np.ndarray, np.ndarray], None]  # (float32 patch, float32 coverage) in place

_FAINTEST = 14.0
"""Least mean change of the covered pixels (0..255) of a legible line."""
_LEAST_VISIBLE = 0.9
"""Least share of a legible line inside the picture."""


@dataclass(frozen=True)
class Text:
    """Ground truth of one line in a picture.

    Attributes:
        text: The text, with spaces.
        quad: float32 (4, 2), pixels, clockwise from the reading-order start.
        chars: float32 (n, 4, 2), a quad for each character of ``text``.
        ignore: Whether the line is too small, too faint or too far outside the picture.
    """

    text: str
    quad: np.ndarray
    chars: np.ndarray
    ignore: bool = False


@dataclass
class PrintedLine:
    """One line of ink inside a block.

    Attributes:
        ink: Mask and character boxes.
        x: Left edge of the mask in the block, pixels.
        y: Top edge of the mask in the block, pixels.
        process: Print process.
        seed: Seed of the process; equal for lines of one print.
        bend: Angle of the line's arc in radians, see ``Arc``.
        tilt: Rotation of the line about its center in radians.
        main: Whether a line image may show the line; other lines, such as state names on plates and
            units on displays, are surroundings.
    """

    ink: Ink
    x: float
    y: float
    process: Process
    seed: int
    bend: float = 0.0
    tilt: float = 0.0
    main: bool = True

    def arc(self) -> Arc | None:
        """Return the arc of the mask; None for a straight, level line."""
        height, width = self.ink.mask.shape
        return Arc(width, height, self.bend, self.tilt) if self.bend or self.tilt else None

    def box(self) -> tuple[float, float, float, float]:
        """Return the box x0, y0, x1, y1 of the ink in the block, without the mask's margin."""
        arc = self.arc()
        x0, y0, x1, y1 = self.ink.box if arc is None else arc.extent(*self.ink.box)
        return self.x + x0, self.y + y0, self.x + x1, self.y + y1


@dataclass
class Block:
    """Lines and the surfaces below them (label, plate, display), in the order of painting."""

    lines: list[PrintedLine]
    surfaces: list[tuple[np.ndarray, Surface]] = field(default_factory=list)

    def box(self) -> tuple[float, float, float, float]:
        """Return the box x0, y0, x1, y1 around lines and surfaces."""
        boxes = [line.box() for line in self.lines]
        boxes += [(*quad.min(0), *quad.max(0)) for quad, _ in self.surfaces]
        low, high = np.min(boxes, 0), np.max(boxes, 0)
        return float(low[0]), float(low[1]), float(high[2]), float(high[3])


def corners(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    """Return the corners of an upright box, float32 (4, 2), clockwise from the top left."""
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)


def _warp(
    mask: np.ndarray, matrix: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, tuple[slice, slice]] | None:
    """Warp a mask into the picture; return coverage 0..1 of the touched window and the window."""
    height, width = mask.shape
    outline = map_points(corners(0, 0, width, height), matrix)
    x0, y0 = np.floor(outline.min(0)).astype(int) - 1
    x1, y1 = np.ceil(outline.max(0)).astype(int) + 1
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, shape[1]), min(y1, shape[0])
    if x1 - x0 < 2 or y1 - y0 < 2:
        return None
    # pixel centers are at integers in cv2.warpPerspective, at integers + 0.5 in this module
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    back = np.array([[1, 0, -0.5 - x0], [0, 1, -0.5 - y0], [0, 0, 1]])
    local = back @ matrix @ half
    # the mean scale: under a perspective, that of a single point may be next to 0
    scale = np.sqrt(max(float(area(outline)), 1.0) / (width * height))
    if scale < 0.75:  # blur to the coarser grid, against aliasing of bilinear sampling
        mask = cv2.GaussianBlur(mask, (0, 0), 0.45 / scale)
    window = cv2.warpPerspective(mask, local, (int(x1 - x0), int(y1 - y0)), flags=cv2.INTER_LINEAR)
    return window.astype(np.float32) / 255, (slice(y0, y1), slice(x0, x1))


def _visible(quad: np.ndarray, shape: tuple[int, int]) -> float:
    """Return the share of a quad's area inside a picture of ``shape``."""
    frame = corners(0, 0, shape[1], shape[0])
    inside = shared_area(iou(quad, frame), float(area(quad)), float(area(frame)))
    return inside / max(float(area(quad)), 1e-6)


def paint(
    canvas: np.ndarray, block: Block, matrix: np.ndarray, legible_px: float = 7.0
) -> list[Text]:
    """Paint a block on a picture in place.

    Args:
        canvas: float32 RGB (H, W, 3), 0..255.
        block: The block.
        matrix: 3x3 homography from block to picture pixels.
        legible_px: Lines of less height in the picture are marked ``ignore``.

    Returns:
        The lines' ground truth in picture pixels, in the order of ``block.lines``.
    """
    shape = canvas.shape[:2]
    for quad, surface in block.surfaces:
        outline = map_points(quad, matrix)
        x0, y0 = np.maximum(np.floor(outline.min(0)).astype(int) - 1, 0)
        x1, y1 = np.minimum(np.ceil(outline.max(0)).astype(int) + 1, (shape[1], shape[0]))
        if x1 <= x0 or y1 <= y0:
            continue
        coverage = np.zeros((y1 - y0, x1 - x0), np.float32)
        points = np.round((outline - (x0, y0)) * 16).astype(np.int32)
        cv2.fillConvexPoly(coverage, points, 1.0, cv2.LINE_AA, 4)
        surface(canvas[y0:y1, x0:x1], np.clip(coverage, 0, 1))
    return [_paint_line(canvas, line, matrix, legible_px) for line in block.lines]


def _paint_line(
    canvas: np.ndarray, line: PrintedLine, matrix: np.ndarray, legible_px: float
) -> Text:
    ink, arc, left, top = line.ink, line.arc(), 0, 0
    mask, ghost = ink.mask, ink.ghost
    if arc is not None:
        mask, (left, top) = arc.bend_mask(mask)
        ghost = None if ghost is None else arc.bend_mask(ghost)[0]
    to_picture = matrix @ np.array([[1, 0, line.x + left], [0, 1, line.y + top], [0, 0, 1]])
    warped = _warp(mask, to_picture, canvas.shape[:2])
    change = 0.0
    if warped is not None:
        coverage, window = warped
        unlit = None if ghost is None else _warp(ghost, to_picture, canvas.shape[:2])
        change = print_line(
            canvas[window], coverage, line.process, line.seed, None if unlit is None else unlit[0]
        )
    x0, y0, x1, y1 = ink.chars.T
    cells = np.stack([x0, y0, x1, y0, x1, y1, x0, y1], 1).reshape(-1, 4, 2).astype(np.float64)
    if arc is not None:
        cells = arc.bend(cells)
    chars = map_points(cells + np.array([line.x, line.y]), matrix)
    quad = map_points(corners(*line.box()), matrix)
    height = np.linalg.norm(quad[3] - quad[0] + quad[2] - quad[1]) / 2
    ignore = bool(
        height < legible_px
        or change < _FAINTEST
        or _visible(quad, canvas.shape[:2]) < _LEAST_VISIBLE
    )
    return Text(ink.text, quad, chars, ignore)
