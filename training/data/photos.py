"""Batches of crops of photos, with detection targets and lines to read.

A crop of a batch depends only on the seed, the step, its row and the known shards, so several
processes can make a batch together.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import cv2
import numpy as np

from sdk.charset import Charset
from sdk.detect.maps import STRIDE
from sdk.geometry import fit_rectangles, side_lengths
from sdk.recognize.features import FEATURE_ROWS
from sdk.recognize.roi_rotate import roi_affine
from training.config import Config, DataConfig
from training.data.augment import change_tones, soften
from training.data.dataset import Part, draw
from training.data.line_images import columns_needed, pack_labels
from training.data.shards import decode_picture
from training.data.share import WHOLE, Share, row_generator
from training.data.targets import detection_targets
from training.errors import TrainingError

__all__ = ["Crop", "PhotoBatches", "Photos"]

_log = logging.getLogger("training")

_LEAST_HEIGHT_PX = 8.0
"""Lines of less height are neither text nor background: they have two rows of stride-4 features."""

_TRIES = 3


@dataclass(frozen=True)
class _EncodedPhoto:
    data: bytes
    name: str
    quads: np.ndarray
    ignored: np.ndarray
    texts: list[str]


@dataclass(frozen=True)
class Crop:
    """A part of a photo, with its lines.

    Attributes:
        image: uint8 RGB (S, S, 3).
        quads: float32 (n, 4, 2), lines in px of the crop.
        ignored: bool (n,), lines that are neither text nor background.
        texts: n labels.
    """

    image: np.ndarray
    quads: np.ndarray
    ignored: np.ndarray
    texts: list[str]


class Photos:
    """Photos, encoded in memory.

    Attributes:
        samples: Number of photos of all processes.
    """

    def __init__(self, kept: Share = WHOLE) -> None:
        """Create an empty collection.

        Args:
            kept: Whose photos are kept; the others are left out.
        """
        self._kept = kept
        self.samples = 0
        self._photos: list[_EncodedPhoto] = []
        self._weights: list[float] = []
        self._cumulative = np.zeros(0)

    def __len__(self) -> int:
        """Return the number of photos that are kept."""
        return len(self._photos)

    def add(self, part: Part, weight: float = 1.0) -> None:
        """Add the photos of a part of the data.

        Photos with a text whose place is not known are left out, which is logged: the text would be
        learned as background.

        Args:
            part: The part to read.
            weight: Relative frequency of its photos in the batches.

        Raises:
            TrainingError: A record is not a photo.
            ShardError: The shard is damaged.
        """
        without_place = 0
        for data, record in part.samples():
            name = f"{part.name}: {record['image']}"
            if "texts" not in record:
                raise TrainingError(
                    f"{name} is not a photo (it has no 'texts'). Give a folder of photos."
                )
            lines = record["texts"]
            if not all(t["quad"] for t in lines):
                without_place += 1
                continue
            self.samples += 1
            if not self._kept.owns(self.samples - 1):
                continue
            self._weights.append(weight)
            self._photos.append(
                _EncodedPhoto(
                    data,
                    name,
                    np.array([t["quad"] for t in lines], np.float32).reshape(-1, 4, 2),
                    np.array([bool(t.get("ignore")) for t in lines], bool),
                    [t["text"] for t in lines],
                )
            )
        if without_place:
            _log.warning(
                "%s: %d photos have a text without a place and are left out",
                part.name,
                without_place,
            )
        self._cumulative = np.cumsum(self._weights)

    def draw(self, rng: np.random.Generator) -> Crop:
        """Return a random photo, drawn by weight."""
        return self.whole(int(draw(rng, self._cumulative, 1)[0]))

    def whole(self, index: int) -> Crop:
        """Return a whole photo, without augmentation."""
        photo = self._photos[index]
        return Crop(
            decode_picture(photo.data, photo.name), photo.quads, photo.ignored, list(photo.texts)
        )


def _placement(crop: Crop, rng: np.random.Generator, config: DataConfig) -> np.ndarray:
    """Return the (2, 3) map from photo px to crop px."""
    size = np.array(crop.image.shape[1::-1], np.float64)
    side = config.crop
    scale = float(np.exp(rng.uniform(*np.log(config.scale))))
    turn = np.deg2rad(rng.uniform(-config.max_angle, config.max_angle))
    if rng.random() < config.quarter_turns:
        turn += np.pi / 2 * int(rng.integers(1, 4))
    readable = np.flatnonzero(~crop.ignored)
    if len(readable) and rng.random() < 0.9:
        # center a line, at a scale that shows all of it
        quad = crop.quads[rng.choice(readable)]
        longest = float(np.linalg.norm(quad.max(0) - quad.min(0)))
        scale = min(scale, 0.9 * side / max(longest, 1.0))
        slack = max(0.0, side / scale - longest) / 2
        focus = quad.mean(0) + rng.uniform(-slack, slack, 2)
    else:
        focus = rng.uniform(0, 1, 2) * size
    # the crop reaches outside the photo only as far as the rotation requires
    reach = np.minimum(side / scale / 2, size / 2)
    focus = np.clip(focus, reach, size - reach)
    cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
    linear = np.array([[cosine, -sine], [sine, cosine]])
    return np.concatenate([linear, (side / 2 - linear @ focus)[:, None]], 1)


def _moved(quads: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return quads (n, 4, 2) in crop px."""
    moved: np.ndarray = (quads @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    return moved


def _unreadable(quads: np.ndarray, side: int) -> np.ndarray:
    """Tell which quads, in crop px, are truncated by the edge or too small."""
    low, high = quads.min(1), quads.max(1)
    # a truncated line cannot be read, and its far end is not visible
    truncated: np.ndarray = (low < -2).any(1) | (high > side + 2).any(1)
    return truncated | (side_lengths(quads)[1] < _LEAST_HEIGHT_PX)


def _best_placement(crop: Crop, rng: np.random.Generator, config: DataConfig) -> np.ndarray:
    """Return the placement of a few with the most lines: a step costs the same with one line."""
    tries = [_placement(crop, rng, config) for _ in range(_TRIES)]
    quads = crop.quads[~crop.ignored]
    shown = [int((~_unreadable(_moved(quads, m), config.crop)).sum()) for m in tries]
    return tries[int(np.argmax(np.minimum(shown, config.rois)))]


def _warp(crop: Crop, matrix: np.ndarray, side: int, fill: list[int]) -> Crop:
    linear, shift = matrix[:, :2], matrix[:, 2]
    # pixel centers are at +0.5, cv2 counts them from 0
    indices = np.concatenate([linear, (shift + linear @ (0.5, 0.5) - 0.5)[:, None]], 1)
    scale = float(np.sqrt(abs(np.linalg.det(linear))))
    image = crop.image
    if scale < 0.6:
        image = cv2.GaussianBlur(image, (0, 0), 0.35 / scale)
    image = cv2.warpAffine(image, indices, (side, side), flags=cv2.INTER_LINEAR, borderValue=fill)
    quads = _moved(crop.quads, matrix)
    seen = (quads.max(1) > 0).all(1) & (quads.min(1) < side).all(1)
    ignored = crop.ignored | _unreadable(quads, side)
    kept = np.flatnonzero(seen)
    return Crop(image, quads[kept], ignored[kept], [crop.texts[i] for i in kept])


class PhotoBatches:
    """Training batches of crops by step."""

    def __init__(self, photos: Photos, config: Config) -> None:
        """Create the batches.

        Args:
            photos: Photos to train on.
            config: Configuration of the run.

        Raises:
            TrainingError: There is no photo to train on.
        """
        if not len(photos):
            fewer = " for this process. Train with fewer" if photos.samples else ""
            raise TrainingError(f"The training data hold no photo{fewer}.")
        self._photos = photos
        self._config = config
        self._charset = Charset(config.model.charset)

    def crop(self, rng: np.random.Generator) -> Crop:
        """Return a random crop of a random photo."""
        whole = self._photos.draw(rng)
        data = self._config.data
        fill = rng.integers(0, 256, 3).tolist()
        crop = _warp(whole, _best_placement(whole, rng, data), data.crop, fill)
        image = soften(change_tones(crop.image, rng), rng)
        return Crop(image, crop.quads, crop.ignored, crop.texts)

    def lines(
        self, crop: Crop, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        """Return K lines to read: affines (K, 2, 3), widths (K,) and labels; unused rows are zero.

        The corners are jittered, because the recognizer will read the detector's boxes.
        """
        count = self._config.data.rois
        columns = self._config.model.recognizer.columns
        affines = np.zeros((count, 2, 3), np.float32)
        widths = np.zeros(count, np.int32)
        labels = [np.zeros(0, np.int32)] * count
        usable = [
            i
            for i in np.flatnonzero(~crop.ignored)
            if crop.texts[i] and all(c in self._charset for c in crop.texts[i])
        ]
        chosen = rng.permutation(usable)[:count].astype(int)
        if not len(chosen):
            return affines, widths, labels
        quads = fit_rectangles(crop.quads[chosen]).astype(np.float64)
        amount = self._config.data.roi_jitter * side_lengths(quads)[1][:, None, None]
        quads += amount * (rng.normal(size=(len(quads), 1, 2)) + 0.5 * rng.normal(size=quads.shape))
        found_affines, found_widths = roi_affine(quads / STRIDE, FEATURE_ROWS, columns)
        for k, i in enumerate(chosen):
            text = self._charset.encode(crop.texts[i])
            if columns_needed(text) <= found_widths[k]:
                affines[k], widths[k], labels[k] = found_affines[k], found_widths[k], text
        return affines, widths, labels

    def batch(
        self, step: int, share: Share = WHOLE
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return a process's share of the inputs and targets of a step.

        They have the form of the network and of the losses, and include lines to read unless the
        detector is trained alone.
        """
        rows = share.rows(self._config.data.batch)
        rngs = [row_generator(self._config.train.seed, step, row) for row in rows]
        crops = [self.crop(rng) for rng in rngs]
        cells = self._config.data.crop // STRIDE
        maps = [detection_targets(crop.quads, crop.ignored, cells, cells) for crop in crops]
        inputs = {"image": np.stack([crop.image for crop in crops])}
        score, geometry = (np.stack(kind) for kind in zip(*maps, strict=True))
        targets = {"score": score, "geometry": geometry}
        if self._config.model.kind == "fots":
            lines = [self.lines(crop, rng) for crop, rng in zip(crops, rngs, strict=True)]
            affines, widths, labels = zip(*lines, strict=True)
            inputs |= {"affines": np.stack(affines), "widths": np.stack(widths)}
            targets["logits"] = pack_labels(
                np.concatenate(widths).tolist(),
                [text for of_crop in labels for text in of_crop],
                # the other rows' labels are not known here; none is longer
                longest=self._config.model.recognizer.columns,
            )
        return inputs, targets
