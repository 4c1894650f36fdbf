"""The generator: deterministic photos and line images by (seed, index)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from sdk.charset import DEFAULT_CHARSET, UNKNOWN
from sdk.charsets import CHARSETS
from sdk.geometry import map_points
from sdk.rectify.crop import CROP_HEIGHT
from training.synth.background import clutter, photo_folder, sample_background
from training.synth.block import Block, Text, paint
from training.synth.degrade import degrade
from training.synth.fonts import FontLibrary, default_library
from training.synth.legibility import likeness
from training.synth.lexicon import Lexicon
from training.synth.scenes import SCENES, sample_block, words

_MAX_WIDTH = 1024
_CLOSE_UP = 0.12
"""Share of close-ups, in which a line fills up to two thirds of the height."""
_PAGE = 8
"""Greatest number of lines of a block that is not a page."""
_LEAST_SIGNAL = 14.0
"""Least change of the pixels by the ink (0..255, 85th percentile) of a legible line image."""
_LEAST_RATIO = 0.55
"""Least change as a share of the background's standard deviation."""


@dataclass(frozen=True)
class SynthConfig:
    """Configuration of the generator.

    Attributes:
        seed: Seed of all pictures.
        fonts: Folder of fonts; None for the system's fonts.
        photos: Folder of the user's photos as backgrounds, or None.
        scenes: Names of the scenes; empty for all.
        text_px: Least and greatest height of text in a photo, in pixels.
        legible_px: Text of less height is marked ``ignore``.
        severity: Strength of the degradations, 1 for the usual mix.
        scans: Share of scans in nearly black and white.
        likeness: Least correlation of each letter and digit of a line image with its ink, see
            ``likeness``; -1 for any.
        charset: Characters of the labels. Texts with others are left out of line images and marked
            ``ignore`` in photos; with U+FFFD in the charset they are kept, and it stands for them.
    """

    seed: int = 0
    fonts: str | None = None
    photos: str | None = None
    scenes: tuple[str, ...] = ()
    text_px: tuple[float, float] = (9.0, 72.0)
    legible_px: float = 7.0
    severity: float = 1.0
    scans: float = 0.05
    likeness: float = -1.0
    charset: str = DEFAULT_CHARSET.symbols


@dataclass(frozen=True)
class GeneratedPhoto:
    """A generated picture, uint8 RGB (H, W, 3), with its lines."""

    image: np.ndarray
    texts: list[Text] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """Return the label row of a shard (without the picture's name)."""
        height, width = self.image.shape[:2]
        texts = [
            {
                "text": text.text,
                "quad": np.round(text.quad.astype(float), 2).tolist(),
                "ignore": text.ignore,
                "chars": np.round(text.chars.astype(float), 2).tolist(),
            }
            for text in self.texts
        ]
        return {"width": width, "height": height, "texts": texts}


class Generator:
    """Generates photos and line images by (seed, index).

    Machines with the same fonts, word list and libraries give the same pixels.
    """

    def __init__(self, config: SynthConfig) -> None:
        """Load fonts and background photos.

        Raises:
            FontError: If no usable font is found.
            ValueError: If the folder holds no usable photo, or a scene is unknown.
        """
        unknown = sorted(set(config.scenes) - set(SCENES))
        if unknown:
            raise ValueError(f"Unknown scenes {unknown}; choose from {sorted(SCENES)}.")
        self.config = config
        self._charset = frozenset(config.charset)
        drawn = self._charset - {UNKNOWN}
        if UNKNOWN in self._charset:  # it needs characters to stand for
            drawn |= frozenset(CHARSETS["latin"].symbols)
        more = "".join(sorted(drawn - frozenset(DEFAULT_CHARSET.symbols)))
        self.lexicon = Lexicon(more) if more else None
        folder = Path(config.fonts) if config.fonts else None
        self.fonts: FontLibrary = default_library(folder, more)
        self.photos = photo_folder(config.photos) if config.photos else None

    def _rng(self, stream: int, index: int) -> np.random.Generator:
        return np.random.default_rng([self.config.seed, stream, index])

    def photo(self, index: int, size: tuple[int, int]) -> GeneratedPhoto:
        """Return photo ``index``.

        Args:
            index: Number of the photo, 0 or more.
            size: (width, height) in pixels.
        """
        rng = self._rng(0, index)
        width, height = size
        canvas = sample_background(rng, height, width, self.photos)
        taken = np.zeros((height, width), np.uint8)
        for _ in range(int(rng.integers(0, 4))):
            clutter(rng, canvas, taken)
        texts: list[Text] = []
        smallest = float(self.config.text_px[1])
        wanted = int(rng.integers(2, 16)) if rng.random() < 0.96 else 0
        low, high = self.config.text_px
        sizes_px = (low, min(high, height / 3))
        if rng.random() < _CLOSE_UP:
            wanted, sizes_px = min(wanted, 2), (0.12 * height, 0.65 * height)
        for _ in range(2 * wanted):
            if wanted == 0:
                break
            found = self._place(rng, canvas, taken, sizes_px)
            if found:
                wanted -= 1
                texts += found
                sizes = [_text_height(text.quad) for text in found if not text.ignore]
                smallest = min([smallest, *sizes])
        texts = [self._labeled(text) for text in texts]
        return GeneratedPhoto(self._degrade(canvas, rng, max(smallest, 8.0)), texts)

    def _place(
        self,
        rng: np.random.Generator,
        canvas: np.ndarray,
        taken: np.ndarray,
        sizes_px: tuple[float, float],
    ) -> list[Text]:
        """Paint a block on a free place; return its lines, or none without a free place."""
        height, width = canvas.shape[:2]
        low, high = sizes_px
        size = float(np.exp(rng.uniform(np.log(low), np.log(high))))
        block = self._block(rng, max(size * 1.15, 14))
        # pages and close-ups are complete, at any size of the print
        if len(block.lines) > _PAGE or high > self.config.text_px[1]:
            least = self.config.text_px[0]
            size = max(least, min(size, _fitting(block, (0.9 * width, 0.9 * height))))
        for _ in range(4):
            matrix = _pose(rng, block, size, (width, height))
            if matrix is not None and _claim(taken, block, matrix, 0.25 * size):
                return paint(canvas, block, matrix, self.config.legible_px)
        return []

    def line(self, index: int) -> tuple[np.ndarray, str]:
        """Return line image ``index``: uint8 RGB (32, W, 3) and its text."""
        rng = self._rng(1, index)
        while True:  # until a line has a legal length and is legible
            block = self._block(rng, rng.uniform(30, 44))
            mains = [i for i, line in enumerate(block.lines) if line.main]
            main = mains[int(rng.integers(len(mains)))]
            label = self._label(block.lines[main].ink.text)
            if label is None:
                continue
            fitted = fit_line(rng, block, main, alone=len(mains) == 1)
            if fitted is None:
                continue
            matrix, width, text_height = fitted
            # cropped from a higher background, whose shapes have the same size as in photos
            background = sample_background(rng, 3 * CROP_HEIGHT, width, self.photos)
            top = int(rng.integers(0, 2 * CROP_HEIGHT + 1))
            canvas = np.ascontiguousarray(background[top : top + CROP_HEIGHT])
            paint(canvas, Block([], block.surfaces), matrix)
            bare = canvas.copy()
            line = paint(canvas, Block(block.lines), matrix)[main]
            if line.ignore:
                continue
            seed = int(rng.integers(2**31))
            image, without = (
                self._degrade(picture, np.random.default_rng(seed), text_height)
                for picture in (canvas, bare)
            )
            if legible(image, without, line.quad) and self._is_clear(image, canvas - bare, line):
                return image, label

    def _block(self, rng: np.random.Generator, height: float) -> Block:
        if self.lexicon is not None and rng.random() < self.lexicon.share:
            return words(rng, self.fonts, height, self.lexicon)
        return sample_block(rng, self.fonts, height, self.config.scenes)

    def _is_clear(self, image: np.ndarray, ink: np.ndarray, line: Text) -> bool:
        least = self.config.likeness
        return least <= -1 or likeness(image, ink, line.chars, line.text) >= least

    def _label(self, text: str) -> str | None:
        """Return the label of a text, None if the charset has no label for it."""
        if self._charset.issuperset(text):
            return text
        if UNKNOWN not in self._charset:
            return None
        return "".join(c if c in self._charset else UNKNOWN for c in text)

    def _labeled(self, text: Text) -> Text:
        label = self._label(text.text)
        return replace(text, ignore=True) if label is None else replace(text, text=label)

    def _degrade(self, image: np.ndarray, rng: np.random.Generator, height: float) -> np.ndarray:
        return degrade(image, rng, height, self.config.severity, self.config.scans)


def legible(
    image: np.ndarray,
    without: np.ndarray,
    quad: np.ndarray,
    least_signal: float = _LEAST_SIGNAL,
) -> bool:
    """Tell whether a degraded line image differs enough from the same image without its text.

    A network that is trained on illegible text learns to guess.

    Args:
        image: uint8 RGB (H, W, 3).
        without: The same without its text.
        quad: float32 (4, 2), the text's place in pixels.
        least_signal: Least change of the pixels by the ink, 0..255, 85th percentile.
    """
    low = np.maximum(np.floor(quad.min(0)).astype(int), 0)
    high = np.ceil(quad.max(0)).astype(int)
    window = slice(low[1], high[1]), slice(low[0], high[0])
    change = cv2.blur(cv2.absdiff(image, without).max(2), (2, 2))[window]
    background = cv2.blur(cv2.cvtColor(without, cv2.COLOR_RGB2GRAY), (3, 3))[window]
    signal = float(np.percentile(change, 85))
    return signal > least_signal and signal > _LEAST_RATIO * (float(background.std()) + 4)


def _claim(taken: np.ndarray, block: Block, matrix: np.ndarray, pad: float) -> bool:
    """Mark the place of a block in ``taken`` if it is free; return whether it was free."""
    x0, y0, x1, y1 = block.box()
    outline = map_points([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], matrix)
    center = outline.mean(0)
    grown = center + (outline - center) * (1 + 2 * pad / (np.ptp(outline, axis=0) + 1e-6))
    footprint = np.zeros_like(taken)
    cv2.fillConvexPoly(footprint, np.round(grown).astype(np.int32), 1)
    if (footprint & taken).any():
        return False
    taken |= footprint
    return True


def _text_height(quad: np.ndarray) -> float:
    return float(np.linalg.norm(quad[3] - quad[0] + quad[2] - quad[1]) / 2)


def _line_height(block: Block) -> float:
    heights = [line.box()[3] - line.box()[1] for line in block.lines if line.main]
    return max(1.0, float(np.median(heights)))


def _fitting(block: Block, room: tuple[float, float]) -> float:
    """Return the greatest height of text, in px, at which a block fits into (width, height)."""
    x0, y0, x1, y1 = block.box()
    return min(room[0] / (x1 - x0), room[1] / (y1 - y0)) * _line_height(block)


def _pose(
    rng: np.random.Generator, block: Block, size: float, canvas: tuple[int, int]
) -> np.ndarray | None:
    """Return a homography from the block to the picture; None if the block does not fit."""
    x0, y0, x1, y1 = block.box()
    scale = size / _line_height(block)
    kind = rng.random()
    if kind < 0.5:
        angle = rng.normal(0, 0.05)
    elif kind < 0.75:  # tilted cameras and signs
        angle = rng.normal(0, 0.15)
    elif kind < 0.9:
        angle = rng.uniform(-0.7, 0.7)
    else:
        angle = rng.choice([np.pi / 2, -np.pi / 2, np.pi]) + rng.normal(0, 0.15)
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    center = np.array([[1, 0, -(x0 + x1) / 2], [0, 1, -(y0 + y1) / 2], [0, 0, 1]])
    tilt = np.eye(3)
    tilt[2, :2] = rng.normal(0, 0.12, 2) / (np.array([x1 - x0, x1 - x0]) * scale + 1)
    tilt[0, 1] = rng.normal(0, 0.06)
    matrix = tilt @ turn @ center
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    outline = map_points(corners, matrix)
    extent = np.ptp(outline, axis=0)
    room = np.array(canvas) - extent
    spill = 0.0 if rng.random() < 0.9 else 0.3  # some blocks extend beyond the picture
    if (room < -spill * extent).any():
        return None
    low = -outline.min(0) - spill * extent
    span = np.maximum(room + 2 * spill * extent, 0)
    shift = np.eye(3)
    shift[:2, 2] = low + span * rng.random(2)
    return shift @ matrix


def fit_line(
    rng: np.random.Generator, block: Block, main: int, *, alone: bool
) -> tuple[np.ndarray, int, float] | None:
    """Return homography, image width and text height of a line image from one line of a block.

    Margins vary like those of a detector's boxes and of manual crops. A single line may be small in
    its image. None if the image would be too wide.
    """
    x0, y0, x1, y1 = block.lines[main].box()
    height, width = y1 - y0, max(x1 - x0, 4.0)
    loose = 1.1 if alone and rng.random() < 0.45 else 0.3
    top, bottom = rng.uniform(-0.03, loose, 2) * rng.random(2) ** 0.5 * height
    if rng.random() < 0.4:  # tight, like labeled crops
        left, right = rng.uniform(-0.06, 0.12, 2) * height
    else:
        left, right = rng.uniform(0.0, 0.7 if rng.random() < 0.8 else 2.0, 2) * height
    if rng.random() < 0.4:  # with the surroundings beside it, such as the unit of a display
        beside = [line.box() for line in block.lines if not line.main]
        left = max([left, *(min(x0 - box[0], 2 * height) for box in beside)])
        right = max([right, *(min(box[2] - x1, 2 * height) for box in beside)])
    box = np.array(
        [
            [x0 - left, y0 - top],
            [x1 + right, y0 - top],
            [x1 + right, y1 + bottom],
            [x0 - left, y1 + bottom],
        ],
        np.float32,
    )
    skew = 0.05 if rng.random() < 0.7 else 0.14
    box += rng.normal(0, skew * height, (4, 2)).astype(np.float32)
    if rng.random() < 0.3:  # an inclined line in an upright crop
        slope = float(rng.normal(0, 0.13 if width < 6 * height else 0.03))
        box[[1, 2], 1] += slope * width
        box[:2, 1] -= abs(slope) * width / 2
        box[2:, 1] += abs(slope) * width / 2
    if rng.random() < 0.15:  # seen from the side: one end is nearer
        ends = ([0, 3], [1, 2]) if rng.random() < 0.5 else ([1, 2], [0, 3])
        near, far = box[ends[0]], box[ends[1]]
        box[ends[0]] = near.mean(0) + (near - near.mean(0)) * rng.uniform(1, 1.3)
        box[ends[1]] = far.mean(0) + (far - far.mean(0)) * rng.uniform(1.2, 2.2)
    stretch = np.exp(rng.normal(0, 0.1)) if rng.random() < 0.85 else np.exp(rng.normal(0, 0.3))
    box_height = np.linalg.norm(box[3] - box[0] + box[2] - box[1]) / 2
    box_width = np.linalg.norm(box[1] - box[0] + box[2] - box[3]) / 2
    columns = round(CROP_HEIGHT * box_width / max(box_height, 1.0) * stretch)
    if not 4 <= columns <= _MAX_WIDTH:
        return None
    target = np.array([[0, 0], [columns, 0], [columns, CROP_HEIGHT], [0, CROP_HEIGHT]], np.float32)
    matrix = cv2.getPerspectiveTransform(box, target).astype(np.float64)
    return matrix, columns, float(CROP_HEIGHT * height / max(box_height, 1.0))
