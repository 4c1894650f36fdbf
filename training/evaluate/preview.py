"""Pictures of a network's readings or of training samples."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from sdk.files import write_atomically
from training.config import Config
from training.data.dataset import Part
from training.data.line_images import LineBatches, LineImages
from training.data.photos import PhotoBatches, Photos
from training.data.targets import detection_targets
from training.evaluate.readers import NetworkReader
from training.evaluate.reading import LineReading

__all__ = ["captioned", "draw_lines", "preview_batches", "preview_reading", "save_sheet"]

_WANTED, _FOUND = (40, 170, 60), (220, 40, 40)


def draw_lines(
    image: np.ndarray, lines: list[LineReading], color: tuple[int, int, int]
) -> np.ndarray:
    """Return the picture with boxes and texts; a dot marks the reading-order start.

    Args:
        image: uint8 (H, W, 3).
        lines: Quads in px and texts.
        color: RGB.
    """
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    for line in lines:
        corners = [tuple(p) for p in np.asarray(line.quad).tolist()]
        draw.line([*corners, corners[0]], fill=color, width=2)
        x, y = corners[0]
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=color)
        draw.text((x + 3, y - 11), line.text, fill=color)
    return np.asarray(picture)


def captioned(image: np.ndarray, text: str) -> np.ndarray:
    """Return a picture, uint8 (H, W, 3), with a text below it."""
    canvas = Image.new("RGB", (max(image.shape[1], 6 * len(text) + 8), image.shape[0] + 14))
    canvas.paste(Image.fromarray(image), (0, 0))
    ImageDraw.Draw(canvas).text((2, image.shape[0] + 1), text, fill=(255, 255, 255))
    return np.asarray(canvas)


def save_sheet(pictures: list[np.ndarray], path: Path, width: int = 1600) -> None:
    """Write pictures to one PNG, in rows, each in its own size.

    Args:
        pictures: uint8 (h, w, 3) each.
        path: The PNG file; replaced atomically.
        width: Least width of the sheet in px.

    Raises:
        SdkError: The file cannot be written.
    """
    width = max([width, *(p.shape[1] for p in pictures)])
    places, x, y, row = [], 0, 0, 0
    for picture in pictures:
        if x and x + picture.shape[1] > width:
            x, y, row = 0, y + row + 4, 0
        places.append((x, y))
        x, row = x + picture.shape[1] + 4, max(row, picture.shape[0])
    sheet = Image.new("RGB", (width, y + max(row, 1)), (255, 255, 255))
    for picture, place in zip(pictures, places, strict=True):
        sheet.paste(Image.fromarray(picture), place)
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    write_atomically(path, buffer.getvalue())


def preview_batches(config: Config, part: Part, count: int) -> list[np.ndarray]:
    """Return training samples after augmentation: line images, or crops with score target."""
    if config.model.kind in ("line", "crnn"):
        from sdk.charset import Charset

        images = LineImages(Charset(config.model.charset), config.data.buckets[-1])
        images.add(part)
        batches = LineBatches(images, config.data, config.train.seed)
        pictures: list[np.ndarray] = []
        step = config.data.curriculum_steps
        while len(pictures) < count:
            pictures += list(batches.batch(step)[0]["strip"][:8])
            step += 1
        return pictures[:count]
    photos = Photos()
    photos.add(part)
    crops = PhotoBatches(photos, config)
    shown = []
    for i in range(count):
        crop = crops.crop(np.random.default_rng((config.train.seed, i)))
        kept = [
            LineReading(t, q)
            for t, q, skip in zip(crop.texts, crop.quads, crop.ignored, strict=True)
            if not skip
        ]
        cells = crop.image.shape[0] // 4
        score, _ = detection_targets(crop.quads, crop.ignored, cells, cells)
        # green: text; red: ignored
        shade = np.zeros((cells, cells, 3), np.uint8)
        shade[..., 1] = 255 * (score[..., 0] > 0)
        shade[..., 0] = 255 * (score[..., 1] == 0)
        mask = np.asarray(Image.fromarray(shade).resize(crop.image.shape[1::-1], 0))
        shown.append(draw_lines(crop.image // 4 * 3 + mask // 4, kept, _WANTED))
    return shown


def preview_reading(
    reader: NetworkReader, samples: list[tuple[np.ndarray, dict[str, Any]]]
) -> list[np.ndarray]:
    """Return pictures with their readings (red) and, for photos, their labels (green)."""
    shown = []
    for image, record in samples:
        if "text" in record:
            shown.append(captioned(image, f"{record['text']}  |  {reader.read_line(image).text}"))
            continue
        wanted = [
            LineReading("", np.array(t["quad"]))
            for t in record["texts"]
            if t["quad"] and not t["ignore"]
        ]
        shown.append(
            draw_lines(draw_lines(image, wanted, _WANTED), reader.read_photo(image), _FOUND)
        )
    return shown
