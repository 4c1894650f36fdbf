"""Pictures to calibrate on and to compare with: generated ones, shards, or the user's own folders.

Photos are fitted into the detector's frame as the SDK fits them, but always into the whole frame;
their labelled lines, where there are labels, give the recognizer's input. A strip is a line picture
32 pixels high.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from convert.errors import ConvertError
from sdk.errors import ImageError
from sdk.geometry import side_lengths
from sdk.image.letterbox import letterbox
from sdk.image.load import load_image
from sdk.model.settings import DecodeSettings
from sdk.rectify.crop import expand_quad, rectify, scale_crop
from training.data.labels import LABELS, read_labels
from training.data.shards import ShardError, read_shard
from training.errors import TrainingError

__all__ = [
    "CALIBRATION_SEED",
    "TUNING_SEED",
    "VERIFICATION_SEED",
    "Photo",
    "Samples",
    "Strip",
    "by_name",
    "gather",
    "generate",
    "split_evenly",
]

# Apart from every seed of training data and from each other: what was tuned or calibrated on proves
# nothing.
CALIBRATION_SEED = 0x0C0FFEE
TUNING_SEED = CALIBRATION_SEED + 1
VERIFICATION_SEED = CALIBRATION_SEED + 2

# Pixels: what is lower shows no text that two networks could agree on.
_LEAST_HEIGHT = 6
_LONGEST_STRIP = 1024

_PICTURES = {".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}

_SETTINGS = DecodeSettings()

Row = tuple[np.ndarray, dict[str, Any]]


@dataclass(frozen=True)
class Photo:
    """A photo in the detector's frame.

    Attributes:
        frame: uint8 RGB (H, W, 3).
        quads: float32 (n, 4, 2), the legible labelled lines in frame pixels; none without labels.
        texts: Their texts.
    """

    frame: np.ndarray
    quads: np.ndarray
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Strip:
    """A line strip, uint8 RGB (32, W, 3), and its text, None if unknown."""

    pixels: np.ndarray
    text: str | None


@dataclass(frozen=True)
class Samples:
    """Photos and strips."""

    photos: tuple[Photo, ...]
    strips: tuple[Strip, ...]

    def split(self, kept_apart: int) -> tuple[Samples, Samples]:
        """Return (all but some, the some): at most `kept_apart` photos and strips.

        At least half of each stays in the first part. What is kept apart is spread evenly.
        """
        photos, other_photos = split_evenly(self.photos, kept_apart)
        strips, other_strips = split_evenly(self.strips, kept_apart)
        return Samples(photos, strips), Samples(other_photos, other_strips)


def split_evenly(items: Sequence[Any], kept_apart: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return (all but some, the some), the some at most half and spread evenly."""
    count = min(kept_apart, len(items) // 2)
    apart = set(np.linspace(0, len(items) - 1, count).astype(int).tolist()) if count else set()
    return (
        tuple(item for i, item in enumerate(items) if i not in apart),
        tuple(item for i, item in enumerate(items) if i in apart),
    )


def generate(
    photos: int,
    strips: int,
    frame: tuple[int, int],
    seed: int,
    settings: DecodeSettings = _SETTINGS,
) -> Samples:
    """Return photos and strips drawn by the project's generator, the same ones each time.

    Args:
        photos: Number of photos.
        strips: Number of strips.
        frame: (height, width) of the detector's input in pixels.
        seed: Of their use, such as `CALIBRATION_SEED`; pictures of different seeds share nothing.
        settings: How far a small photo is magnified.

    Raises:
        ConvertError: The generator finds no fonts on this machine.
    """
    from training.synth.fonts import FontError
    from training.synth.generator import Generator, SynthConfig

    try:
        generator = Generator(SynthConfig(seed=seed))
    except (ValueError, FontError) as error:
        raise ConvertError(
            f"Cannot generate pictures: {error}. Or give some: --calibration DIR with export and "
            "verify, --photos DIR with tune."
        ) from error
    height, width = frame
    drawn = (generator.photo(i, (width, height)) for i in range(photos))
    lines = (generator.strip(i) for i in range(strips))
    return Samples(
        tuple(_photo(photo.image, photo.record(), frame, settings) for photo in drawn),
        tuple(Strip(scale_crop(pixels, _LONGEST_STRIP), text) for pixels, text in lines),
    )


def by_name(folders: Sequence[Path], *taken: str) -> dict[str, Path]:
    """Return folders by their names, under which results are told.

    Args:
        folders: The folders.
        taken: Names that none of them may have.

    Raises:
        ConvertError: Two have the same name.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        if folder.name in (*found, *taken):
            raise ConvertError(f"Two sets have the name {folder.name!r}; rename {folder}.")
        found[folder.name] = folder
    return found


def gather(
    sources: Sequence[Path],
    photos: int,
    strips: int,
    frame: tuple[int, int],
    settings: DecodeSettings = _SETTINGS,
) -> Samples:
    """Return photos and strips of folders, the same number from each as far as they have them.

    Args:
        sources: Folders of shards, folders with a ``labels.jsonl``, or folders of pictures, which
            then are photos without labels.
        photos: Most photos of all folders together.
        strips: Most strips of all folders together. If no folder holds strips, they are cut out of
            the photos at their labelled lines.
        frame: (height, width) of the detector's input in pixels.
        settings: How far a small photo is magnified, and how much round a line a strip holds.

    Raises:
        ConvertError: A folder is missing, empty or holds what cannot be read.
    """
    kinds = [(source, _holds_strips(source)) for source in sources]
    photo_sources = [source for source, has_strips in kinds if not has_strips]
    strip_sources = [source for source, has_strips in kinds if has_strips]
    photo_rows = _take(photo_sources, photos)
    strip_list = [
        Strip(scale_crop(image, _LONGEST_STRIP), record.get("text"))
        for image, record in _take(strip_sources, strips)
    ]
    photo_list = []
    for image, record in photo_rows:
        photo_list.append(_photo(image, record, frame, settings))
        if not strip_sources and len(strip_list) < strips:
            strip_list += _cut_strips(image, record, settings)
    return Samples(tuple(photo_list), tuple(strip_list[:strips]))


def _take(sources: Sequence[Path], count: int) -> Iterator[Row]:
    share = -(-count // max(1, len(sources)))
    rows = (row for source in sources for row in islice(_rows(source), share))
    return islice(rows, count)


def _holds_strips(source: Path) -> bool:
    for _, record in _rows(source):
        return "texts" not in record and "text" in record
    raise ConvertError(f"{source} holds no picture.")


def _rows(source: Path) -> Iterator[Row]:
    """Yield (uint8 RGB picture, label row) of a folder; unlabelled pictures have an empty row."""
    if not source.is_dir():
        raise ConvertError(
            f"Cannot take pictures from {source}: no such folder. Give a folder of shards, one "
            "with a labels.jsonl, or one of pictures."
        )
    shards = sorted(source.glob("shard-*.tar"))
    try:
        if shards:
            # One of each shard in turn: the first shard alone may be of one kind.
            yield from _in_turn([read_shard(shard) for shard in shards])
        elif (source / LABELS).exists():
            for picture, record in read_labels(source):
                yield load_image(picture), record
        else:
            for path in sorted(p for p in source.iterdir() if p.suffix.lower() in _PICTURES):
                yield load_image(path), {}
    except (ShardError, ImageError, TrainingError, OSError) as error:
        raise ConvertError(f"Cannot take pictures from {source}: {error}") from error


def _in_turn(streams: list[Iterator[Row]]) -> Iterator[Row]:
    while streams:
        left = []
        for stream in streams:
            for row in islice(stream, 1):
                yield row
                left.append(stream)
        streams = left


def _photo(
    image: np.ndarray, record: dict[str, Any], frame: tuple[int, int], settings: DecodeSettings
) -> Photo:
    framed, placed = letterbox(image, *frame, settings.detect.max_scale)
    lines = list(_legible(record))
    quads = np.array([line["quad"] for line in lines], np.float32).reshape(-1, 4, 2)
    return Photo(framed, placed.to_frame(quads), tuple(line["text"] for line in lines))


def _legible(record: dict[str, Any]) -> Iterable[dict[str, Any]]:
    return (t for t in record.get("texts", ()) if t.get("quad") and not t.get("ignore"))


def _cut_strips(
    image: np.ndarray, record: dict[str, Any], settings: DecodeSettings
) -> Iterator[Strip]:
    margins = settings.recognize
    for line in _legible(record):
        area = expand_quad(line["quad"], margins.crop_margin, margins.crop_side)
        if side_lengths(area)[1] >= _LEAST_HEIGHT:
            yield Strip(rectify(image, area, _LONGEST_STRIP), line["text"])
