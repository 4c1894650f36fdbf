"""Draw the sample pictures: a product on a conveyor belt, good and faulty.

    python -m demo_app.samples.draw [FOLDER]

The pictures are saved beside this file, so that the station runs without a camera. The expiry dates
are far in the future, so that a job with a date rule accepts them for years.
"""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from sdk.files import write_atomically

Pixels = NDArray[np.uint8]

_WIDTH, _HEIGHT = 800, 600
_LABEL = (560, 400)
_QUALITY = 76
_INK, _PAPER = (28, 32, 38), (246, 245, 240)
_BRAND, _ACCENT = (12, 104, 110), (24, 128, 132)


@dataclass(frozen=True, slots=True)
class Label:
    """The print of a product and its position in front of the camera.

    Attributes:
        name: File name without suffix.
        gtin: Article number.
        lot: Lot, "" for a label without a lot.
        expiry: Expiry date.
        turn_deg: Rotation of the product in degrees, positive to the left.
        shift: Distance of the product from the middle in pixels, to the right and down.
        blur_px: Length of the motion blur in pixels, 0 for none.
    """

    name: str
    gtin: str = "GTIN 02000123456782"
    lot: str = "LOT 26A417"
    expiry: str = "EXP 2036-08-31"
    turn_deg: float = 0.0
    shift: tuple[int, int] = (0, 0)
    blur_px: int = 0

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows below the brand, from top to bottom."""
        return tuple(text for text in (self.gtin, self.lot, self.expiry) if text)


LABELS = (
    Label("01-good", turn_deg=1.5, shift=(-6, 4)),
    Label("02-good", lot="LOT 26A418", turn_deg=-2.5, shift=(14, -10)),
    Label("03-expired", expiry="EXP 2019-03-31", turn_deg=1.0, shift=(-20, 6)),
    Label("04-good", lot="LOT 26A420", turn_deg=3.0, shift=(4, 14)),
    Label("05-no-lot", lot="", turn_deg=-1.0, shift=(10, -4)),
    Label("06-good", lot="LOT 26A422", turn_deg=-4.0, shift=(-16, 8)),
    Label("07-wrong-number", gtin="GTIN 02000128456782", turn_deg=2.0, shift=(8, 2)),
    Label("08-smeared", lot="LOT 26A424", turn_deg=-1.5, shift=(-8, -8), blur_px=120),
)


def main() -> None:
    """Write all pictures into the folder given on the command line, or beside this file."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for number, label in enumerate(LABELS):
        write_atomically(folder / f"{label.name}.jpg", encode(draw_picture(label, number)))
    rows = "".join(json.dumps(row(label)) + "\n" for label in LABELS)
    write_atomically(folder / "labels.jsonl", rows.encode())


def row(label: Label) -> dict[str, object]:
    """Return the labels of a picture, for evaluation. A blurred picture is not readable."""
    texts = ["STERIPAD", *label.rows]
    unreadable = label.blur_px > 0
    return {
        "image": f"{label.name}.jpg",
        "texts": [{"text": text, "quad": None, "ignore": unreadable} for text in texts],
        "complete": not unreadable,
    }


def encode(picture: Pixels) -> bytes:
    """Return uint8 RGB (H, W, 3) as the bytes of a JPEG file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=_QUALITY, optimize=True)
    return file.getvalue()


def draw_picture(label: Label, seed: int) -> Pixels:
    """Return a camera's picture of the product on the belt, uint8 RGB (600, 800, 3)."""
    scene = _draw_belt()
    matrix = cv2.getRotationMatrix2D((_LABEL[0] / 2, _LABEL[1] / 2), label.turn_deg, 1.0)
    matrix[:, 2] += [
        (_WIDTH - _LABEL[0]) / 2 + label.shift[0],
        (_HEIGHT - _LABEL[1]) / 2 + label.shift[1],
    ]
    carton, shape = _draw_carton(label)
    lying = cv2.warpAffine(carton, matrix, (_WIDTH, _HEIGHT), flags=cv2.INTER_AREA)
    mask = cv2.warpAffine(shape, matrix, (_WIDTH, _HEIGHT), flags=cv2.INTER_LINEAR)
    shadow = cv2.GaussianBlur(np.roll(mask, (14, 10), (0, 1)), (0, 0), 12)
    scene = scene * (1 - 0.55 * shadow[..., None])
    scene = scene * (1 - mask[..., None]) + lying.astype(np.float32) * mask[..., None]
    scene *= _light()[..., None]
    if label.blur_px:
        kernel = np.full((1, label.blur_px), 1 / label.blur_px, np.float32)
        scene = cv2.filter2D(scene, -1, kernel)
    noise = np.random.default_rng(seed).normal(0, 1.6, scene.shape)
    return np.clip(scene + noise, 0, 255).astype(np.uint8)


def _draw_belt() -> NDArray[np.float32]:
    """Return the empty belt with its guide rails, float32 (600, 800, 3)."""
    belt = Image.new("RGB", (_WIDTH, _HEIGHT), (54, 58, 62))
    painter = ImageDraw.Draw(belt)
    for x in range(-40, _WIDTH, 100):
        painter.line((x, 0, x, _HEIGHT), fill=(48, 52, 55), width=3)
    for y in (0, _HEIGHT - 46):
        painter.rectangle((0, y, _WIDTH, y + 46), fill=(128, 133, 138))
        painter.line((0, y + 12, _WIDTH, y + 12), fill=(160, 165, 169), width=5)
    return np.asarray(belt, np.float32)


def _light() -> NDArray[np.float32]:
    """Return the brightness of a lamp above the belt, float32 (600, 800)."""
    y, x = np.mgrid[0:_HEIGHT, 0:_WIDTH].astype(np.float32)
    away = ((x - 0.45 * _WIDTH) / _WIDTH) ** 2 + ((y - 0.4 * _HEIGHT) / _HEIGHT) ** 2
    return (1.04 - 0.42 * away).astype(np.float32)


def _draw_carton(label: Label) -> tuple[Pixels, NDArray[np.float32]]:
    """Return the printed carton, uint8 RGB, and its coverage of pixels, float32 0..1."""
    width, height = _LABEL
    carton = Image.new("RGB", _LABEL, _PAPER)
    painter = ImageDraw.Draw(carton)
    painter.rectangle((0, 0, width, 96), fill=_BRAND)
    painter.text((32, 48), "STERIPAD", (255, 255, 255), _font(50), anchor="lm")
    for x in (452, 484, 516):
        painter.rectangle((x, 0, x + 14, 96), fill=_ACCENT)
    places = {label.gtin: 150, label.lot: 232, label.expiry: 314}
    for text in label.rows:
        painter.text((32, places[text]), text, _INK, _font(42), anchor="lm")
    painter.rectangle((0, height - 22, width, height), fill=_BRAND)
    mask = Image.new("L", _LABEL, 0)
    ImageDraw.Draw(mask).rounded_rectangle((1, 1, width - 2, height - 2), 12, fill=255)
    return np.asarray(carton), np.asarray(mask, np.float32) / np.float32(255)


def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size_px)


if __name__ == "__main__":
    main()
