"""Samples for calibration, tuning and comparison: generated, from shards, or from folders.

Photos are fitted into the detector's frame in the manner of the SDK, but always into the whole
frame. Their labeled lines are the recognizer's input. Line images have a height of 32 pixels.
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
    "LineSample",
    "PhotoSample",
    "Samples",
    "by_name",
    "gather",
    "generate",
    "split_evenly",
]

# Different from every seed of training data and from each other: samples of tuning or calibration
# must not serve the comparison.
CALIBRATION_SEED = 0x0C0FFEE
TUNING_SEED = CALIBRATION_SEED + 1
VERIFICATION_SEED = CALIBRATION_SEED + 2

# Least height of a line in px: below, a line shows no text to compare.
_LEAST_HEIGHT = 6
_MAX_WIDTH = 1024

_PICTURES = {".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}

_SETTINGS = DecodeSettings()

Row = tuple[np.ndarray, dict[str, Any]]


@dataclass(frozen=True)
class PhotoSample:
    """A photo in the detector's frame.

    Attributes:
        frame: uint8 RGB (H, W, 3).
        quads: float32 (n, 4, 2), the legible labeled lines in pixels of the frame.
        texts: Texts of these lines.
    """

    frame: np.ndarray
    quads: np.ndarray
    texts: tuple[str, ...]


@dataclass(frozen=True)
class LineSample:
    """A line image, uint8 RGB (32, W, 3), and its text; None for an unknown text."""

    pixels: np.ndarray
    text: str | None


@dataclass(frozen=True)
class Samples:
    """Photos and line images."""

    photos: tuple[PhotoSample, ...]
    lines: tuple[LineSample, ...]

    def split(self, held_out: int) -> tuple[Samples, Samples]:
        """Return the samples in two parts, the second with at most ``held_out`` of each kind.

        The first part keeps at least half of each kind. The second part is spread evenly.
        """
        photos, other_photos = split_evenly(self.photos, held_out)
        lines, other_lines = split_evenly(self.lines, held_out)
        return Samples(photos, lines), Samples(other_photos, other_lines)


def split_evenly(items: Sequence[Any], held_out: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return items in two parts; the second has at most half of them, spread evenly."""
    count = min(held_out, len(items) // 2)
    apart = set(np.linspace(0, len(items) - 1, count).astype(int).tolist()) if count else set()
    return (
        tuple(item for i, item in enumerate(items) if i not in apart),
        tuple(item for i, item in enumerate(items) if i in apart),
    )


def generate(
    photos: int,
    lines: int,
    frame: tuple[int, int],
    seed: int,
    settings: DecodeSettings = _SETTINGS,
) -> Samples:
    """Return photos and line images of the project's generator, equal for equal arguments.

    Args:
        photos: Number of photos.
        lines: Number of line images.
        frame: (height, width) of the detector's input in pixels.
        seed: Seed of the use, such as `CALIBRATION_SEED`.
        settings: Greatest magnification of small photos.

    Raises:
        ConvertError: The generator finds no fonts on this machine.
    """
    from training.synth.fonts import FontError
    from training.synth.generator import Generator, SynthConfig

    try:
        generator = Generator(SynthConfig(seed=seed))
    except (ValueError, FontError) as error:
        raise ConvertError(
            f"Cannot generate pictures: {error}. Or give pictures: --calibration DIR for export "
            "and verify, --photos DIR for tune."
        ) from error
    height, width = frame
    drawn = (generator.photo(i, (width, height)) for i in range(photos))
    written = (generator.line(i) for i in range(lines))
    return Samples(
        tuple(_photo(photo.image, photo.record(), frame, settings) for photo in drawn),
        tuple(LineSample(scale_crop(pixels, _MAX_WIDTH), text) for pixels, text in written),
    )


def by_name(folders: Sequence[Path], *taken: str) -> dict[str, Path]:
    """Return folders by name.

    Args:
        folders: The folders.
        taken: Names that the folders must not have.

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
    lines: int,
    frame: tuple[int, int],
    settings: DecodeSettings = _SETTINGS,
) -> Samples:
    """Return photos and line images of folders, equally many from each folder if possible.

    Args:
        sources: Folders of shards, folders with a ``labels.jsonl``, or folders of pictures, which
            are photos without labels.
        photos: Greatest number of photos.
        lines: Greatest number of line images. If no folder holds line images, they are cropped from
            the photos at their labeled lines.
        frame: (height, width) of the detector's input in pixels.
        settings: Greatest magnification of small photos, and margins of a cropped line.

    Raises:
        ConvertError: A folder is missing, is empty or holds a file that cannot be read.
    """
    kinds = [(source, _holds_lines(source)) for source in sources]
    photo_sources = [source for source, has_lines in kinds if not has_lines]
    line_sources = [source for source, has_lines in kinds if has_lines]
    photo_rows = _take(photo_sources, photos)
    line_list = [
        LineSample(scale_crop(image, _MAX_WIDTH), record.get("text"))
        for image, record in _take(line_sources, lines)
    ]
    photo_list = []
    for image, record in photo_rows:
        photo_list.append(_photo(image, record, frame, settings))
        if not line_sources and len(line_list) < lines:
            line_list += _crop_lines(image, record, settings)
    return Samples(tuple(photo_list), tuple(line_list[:lines]))


def _take(sources: Sequence[Path], count: int) -> Iterator[Row]:
    share = -(-count // max(1, len(sources)))
    rows = (row for source in sources for row in islice(_rows(source), share))
    return islice(rows, count)


def _holds_lines(source: Path) -> bool:
    for _, record in _rows(source):
        return "texts" not in record and "text" in record
    raise ConvertError(f"{source} holds no picture.")


def _rows(source: Path) -> Iterator[Row]:
    """Yield (uint8 RGB picture, label row) of a folder; unlabeled pictures have an empty row."""
    if not source.is_dir():
        raise ConvertError(
            f"Cannot take pictures from {source}: no such folder. Give a folder of shards, one "
            "with a labels.jsonl, or one of pictures."
        )
    shards = sorted(source.glob("shard-*.tar"))
    try:
        if shards:
            # one sample of each shard in turn: a single shard may hold one kind only
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
) -> PhotoSample:
    framed, placed = letterbox(image, *frame, settings.detect.max_scale)
    lines = list(_legible(record))
    quads = np.array([line["quad"] for line in lines], np.float32).reshape(-1, 4, 2)
    return PhotoSample(framed, placed.to_frame(quads), tuple(line["text"] for line in lines))


def _legible(record: dict[str, Any]) -> Iterable[dict[str, Any]]:
    return (t for t in record.get("texts", ()) if t.get("quad") and not t.get("ignore"))


def _crop_lines(
    image: np.ndarray, record: dict[str, Any], settings: DecodeSettings
) -> Iterator[LineSample]:
    margins = settings.recognize
    for line in _legible(record):
        area = expand_quad(line["quad"], margins.crop_margin, margins.crop_side)
        if side_lengths(area)[1] >= _LEAST_HEIGHT:
            yield LineSample(rectify(image, area, _MAX_WIDTH), line["text"])
