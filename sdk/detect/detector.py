"""Find the lines of a photo: one run over the whole photo, further runs for large or small text.

The detector's frame has a fixed size. One side may shrink to three quarters if the frame then holds
the photo at the same scale. If no line of the first run has a high score, or one is large, the
detector runs on a smaller copy of the photo with a margin, which shows text that fills the frame.
If the text is small, the detector runs on overlapping tiles at a higher scale. The lines of all
runs are merged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdk.detect.maps import decode_maps
from sdk.detect.nms import merge_collinear, suppress
from sdk.detect.tiles import Tile, plan_tiles
from sdk.engine import Engine
from sdk.engine.resized import Size, frames
from sdk.geometry import angle, contains, iou, side_lengths
from sdk.image.letterbox import Letterbox, letterbox
from sdk.image.load import ImageArray
from sdk.model.manifest import GraphSpec
from sdk.model.settings import DetectSettings

Floats = NDArray[np.float32]

__all__ = ["DetectedLine", "Detector", "DetectorRun"]

# The inner border of a tile may cut off a box that comes this near to the border.
CUT_PX = 4.0
# Boxes of two runs with a larger overlap are the same line, even if one run is coarse.
SAME_LINE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class DetectorRun:
    """One run of the detector.

    Attributes:
        features: (H / 4, W / 4, C), shared features of the frame in the network's dtype. None if no
            recognizer reads them.
        box: Position of the part of the photo in the frame.
        offset: float32 (2,), top left corner of the part in the photo, pixels.
        step: Scale and zero point of quantized features. None for floats.
    """

    features: NDArray[Any] | None
    box: Letterbox
    offset: Floats
    step: tuple[float, int] | None = None

    def to_frame(self, points: Floats) -> Floats:
        """Map photo points (..., 2) to frame points."""
        return self.box.to_frame(points - self.offset)

    def to_image(self, points: Floats) -> Floats:
        """Map frame points (..., 2) to photo points."""
        return np.asarray(self.box.to_image(points) + self.offset, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class DetectedLine:
    """A line of text that is not read yet.

    Attributes:
        quad: float32 (4, 2), photo pixels.
        score: Text probability, 0..1.
        height_px: Height on the frame of the run that found the line.
        run: The run that found the line. None if no single run shows the whole line.
    """

    quad: Floats
    score: float
    height_px: float
    run: DetectorRun | None


class Detector:
    """Runs the detector over photos."""

    def __init__(
        self,
        engine: Engine,
        spec: GraphSpec,
        settings: DetectSettings,
        keep_features: bool = False,
    ) -> None:
        """Prepare the runs.

        Args:
            engine: The detector graph.
            spec: Description of the detector graph.
            settings: Thresholds.
            keep_features: Keep the shared features, 1.6 MB per run, for a recognizer.
        """
        self._engine = engine
        # only the CPU runs graphs in other shapes than that of their file
        self._frames = frames(spec)[0 if engine.describe()["device"] == "cpu" else -1 :]
        self._keep_features = keep_features
        self._step: tuple[float, int] | None = None
        if keep_features:
            features = spec.output("features")
            if features.scale is not None and features.zero_point is not None:
                self._step = features.scale, features.zero_point
        self._settings = settings

    def warm_up(self, width: int, height: int) -> None:
        """Run the detector once with the frame of a photo of this size in pixels."""
        self._engine.run({"image": np.zeros((1, *self._frame(width, height), 3), np.uint8)})

    def detect(self, image: ImageArray) -> list[DetectedLine]:
        """Return the lines of a photo, highest score first.

        Args:
            image: uint8 RGB (H, W, 3).
        """
        frame = self._frame(image.shape[1], image.shape[0])
        lines, run = self._run(image, np.zeros(2, np.float32), frame)
        coarse = self._settings.coarse
        if max((line.score for line in lines), default=0.0) < coarse.below_score:
            lines = self._with_large(lines, image, run.box, frame)
        elif coarse.below_score > 0 and any(x.height_px >= coarse.large_height_px for x in lines):
            lines = self._with_large(lines, image, run.box, frame, joining=False)
        # the heights of the smaller copy's lines belong to another scale
        zoom = self._zoom([x for x in lines if x.run is run] or lines, run.box)
        if zoom > 1:
            tiles, frame = self._plan(image, run.box, zoom)
            # a single tile shows no more than the first run
            if len(tiles) > 1:
                lines = self._merge(lines, image, tiles, frame)
        return sorted(lines, key=lambda line: -line.score)

    def _frame(self, width: int, height: int) -> Size:
        """Return the smallest frame that holds the picture at the scale of the largest frame."""
        full = self._frames[-1]
        scale = min(full[0] / height, full[1] / width, self._settings.max_scale)
        need = round(height * scale), round(width * scale)
        return next((f for f in self._frames if f[0] >= need[0] and f[1] >= need[1]), full)

    def _run(
        self, image: ImageArray, offset: Floats, size: Size, max_scale: float | None = None
    ) -> tuple[list[DetectedLine], DetectorRun]:
        """Run the detector once. With `max_scale` the picture is centered in the frame."""
        most = self._settings.max_scale if max_scale is None else max_scale
        frame, box = letterbox(image, *size, most, centered=max_scale is not None)
        # raw features: only the parts under lines are ever needed as floats
        maps = self._engine.run({"image": frame[None]}, raw=("features",))
        features = maps["features"][0] if self._keep_features else None
        run = DetectorRun(features, box, offset, self._step)
        found = decode_maps(
            maps["score"][0],
            maps["vertical"][0],
            maps["horizontal"][0],
            maps["angle"][0],
            threshold=self._settings.score_threshold,
            nms_iou=self._settings.nms_iou,
            min_height_px=self._settings.min_height_px,
        )
        heights = side_lengths(found.quads)[1]
        quads = run.to_image(found.quads)
        # the gray padding beside the photo holds no text
        middles = quads.mean(1) - offset
        inside = ((middles >= 0) & (middles <= [image.shape[1], image.shape[0]])).all(1)
        lines = [
            DetectedLine(quads[i], float(found.scores[i]), float(heights[i]), run)
            for i in np.flatnonzero(inside)
        ]
        return lines, run

    def _with_large(
        self,
        first: list[DetectedLine],
        image: ImageArray,
        box: Letterbox,
        size: Size,
        joining: bool = True,
    ) -> list[DetectedLine]:
        """Return the lines of the first run and the large ones of a smaller copy.

        Args:
            first: Lines of the first run.
            image: The photo.
            box: Position of the photo in the frame of the first run.
            size: Size of the frame.
            joining: Whether a line of the smaller copy may span several lines of the first run. If
                those were found surely, they are words, or a unit in the gap of a line.
        """
        scale = min(box.scale_x, box.scale_y) / self._settings.coarse.reduction
        seen, _ = self._run(image, np.zeros(2, np.float32), size, scale)
        least = self._settings.coarse.min_height_px
        large = [line for line in seen if line.height_px >= least]
        if not joining:
            middles = [line.quad.mean(0) for line in first]
            large = [line for line in large if contains(line.quad, middles).sum() <= 1]
        lines = [*first, *large]
        kept = suppress([x.quad for x in lines], [x.score for x in lines], self._settings.nms_iou)
        return [lines[i] for i in kept]

    def _zoom(self, lines: list[DetectedLine], box: Letterbox) -> float:
        """Return the magnification of tiles over the first run, 1 if no tiles are needed."""
        tiles = self._settings.tiles
        scale = max(box.scale_x, box.scale_y)
        if scale >= 1 or not tiles.most:
            return 1.0
        # square tiles magnify a long picture most and are still few
        elongation = max(box.width, box.height) / min(box.width, box.height)
        zoom = max(tiles.blind_zoom, elongation)
        if lines and not (elongation >= tiles.strip_aspect and _run_along(lines, box)):
            small = [x.height_px for x in lines if x.height_px < tiles.small_height_px]
            if not small or len(small) < tiles.small_share * len(lines):
                return 1.0
            zoom = tiles.good_height_px / float(np.median(small))
        zoom = min(zoom, max(tiles.max_zoom, elongation))
        # magnification beyond the photo's own pixels adds no detail
        return max(1.0, min(zoom, 1 / scale))

    def _plan(self, image: ImageArray, box: Letterbox, zoom: float) -> tuple[list[Tile], Size]:
        """Return tiles that magnify a photo by `zoom` over its first run, and their frame.

        Of the frames with the highest magnification, the frame with the fewest pixels in total is
        chosen.
        """
        plans = []
        for height, width in self._frames:
            tiles = plan_tiles(
                image.shape[1],
                image.shape[0],
                width / (box.scale_x * zoom),
                height / (box.scale_y * zoom),
                self._settings.tiles.overlap,
                self._settings.tiles.most,
            )
            wide, high = tiles[0].right - tiles[0].left, tiles[0].bottom - tiles[0].top
            reached = min(width / (wide * box.scale_x), height / (high * box.scale_y), zoom)
            plans.append((-round(reached, 1), len(tiles) * height * width, tiles, (height, width)))
        *_, tiles, frame = min(plans, key=lambda plan: plan[:2])
        return tiles, frame

    def _merge(
        self, first: list[DetectedLine], image: ImageArray, tiles: list[Tile], size: Size
    ) -> list[DetectedLine]:
        """Return the lines of the first run and of the tiles, without duplicates."""
        small = self._settings.tiles.small_height_px
        scale = first[0].run.box.scale_y if first and first[0].run else 0.0
        lines, ranks = list(first), [0.8 * line.score for line in first]
        for tile in tiles:
            part = image[tile.top : tile.bottom, tile.left : tile.right]
            seen, run = self._run(part, np.array([tile.left, tile.top], np.float32), size)
            for line in seen:
                # the first run shows large lines better, a tile shows small lines better
                trust = 1.0 if side_lengths(line.quad)[1] * scale < small else 0.5
                near = _crosses(line.quad, tile, CUT_PX / run.box.scale_x)
                if near and not _seen_whole(line.quad, tile, first):
                    trust = 0.01
                lines.append(line)
                ranks.append(trust * line.score)
        if not lines:
            return []
        kept = suppress([x.quad for x in lines], ranks, self._settings.nms_iou)
        lines = [lines[i] for i in kept]
        weights = [max(ranks[i], 1e-6) for i in kept]
        quads, groups = merge_collinear([x.quad for x in lines], weights)
        merged = []
        for quad, members in zip(quads, groups, strict=True):
            best = max((lines[i] for i in members), key=lambda line: line.score)
            if len(members) > 1:
                best = replace(best, quad=quad, run=None)
            merged.append(best)
        return merged


def _run_along(lines: list[DetectedLine], box: Letterbox) -> bool:
    """Tell whether all lines run along the longer side of the picture.

    At a small scale, a column of many short lines can look like one such line.
    """
    along = np.abs(np.cos([float(angle(line.quad)) for line in lines]))
    return bool(((along > 0.7) == (box.width > box.height)).all())


def _crosses(quad: Floats, tile: Tile, margin: float) -> bool:
    """Tell whether a box comes this near to a border of the tile inside the photo."""
    low, high = quad.min(0), quad.max(0)
    return bool(
        (tile.cut_left and low[0] < tile.left + margin)
        or (tile.cut_top and low[1] < tile.top + margin)
        or (tile.cut_right and high[0] > tile.right - margin)
        or (tile.cut_bottom and high[1] > tile.bottom - margin)
    )


def _seen_whole(quad: Floats, tile: Tile, first: list[DetectedLine]) -> bool:
    """Tell whether the first run found the same line and the line ends inside the tile."""
    slack = 0.25 * float(side_lengths(quad)[1])
    return any(
        iou(line.quad, quad) > SAME_LINE and not _crosses(line.quad, tile, -slack) for line in first
    )
