"""Draw the photo of the README: a carton and a machined part on a belt, as a line camera sees them.

    python -m training.synth.showcase docs/photo.jpg

The carton bears a printed label and an ink-jet code, the part a laser mark. Each face is painted
flat with the generator's pens, at 80 pixels a centimeter, and seen through a pinhole camera.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from sdk.files import write_atomically
from training.synth import noise
from training.synth.block import corners
from training.synth.fonts import FontFace, FontLibrary, default_library
from training.synth.pens import dot_matrix, outline
from training.synth.pens.ink import Ink

_SIZE = (960, 720)
_FINER = 2
"""Pixels of the drawing a pixel of the photo."""
_SCALE = 80
"""Pixels of a flat face a centimeter."""
_QUALITY = 88
_SEED = 42

_EYE = np.array([14.0, -27.0, -52.0])
_AIM = np.array([0.4, -4.7, -0.5])
_FOCAL = 2.55
"""Focal length as a share of the picture's width."""
_LIGHT = np.array([-0.45, -0.8, -0.5])

_WIDE, _HIGH, _DEEP = 16.0, 10.5, 7.0
"""The carton in cm. It stands on the belt, which is the plane y = 0; y points down."""
_PLATE = (-6.4, -7.8, 11.0, 3.4, 0.6)
"""The part: left, front (z), width, depth and height in cm."""

_KRAFT = np.array([176.0, 138.0, 98.0])
_PAPER = np.array([240.0, 240.0, 236.0])
_BELT = np.array([62.0, 70.0, 68.0])
_STEEL = np.array([150.0, 153.0, 156.0])
_BLACK, _DOTS, _BURNT = (np.array([c] * 3, float) for c in (30, 34, 44))

LABEL = (
    ("HYDROLINE", 0.62, True),
    ("Filter cartridge FC-40", 0.42, False),
    ("REF 114-2086", 0.40, False),
    ("QTY 12", 0.40, False),
)
"""Rows of the label: text, height of the capitals in cm, bold."""
NUMBER = "02000123456782"
"""Below the bars of the label."""
CODE = ("LOT 26A417", "EXP 2029-08-31")
MARK = "SN 40718-C"


class Camera:
    """A pinhole that looks from `_EYE` at `_AIM`."""

    def __init__(self) -> None:
        """Set up its axes."""
        ahead = _unit(_AIM - _EYE)
        right = _unit(np.cross(np.array([0.0, 1.0, 0.0]), ahead))
        self._axes = np.stack([right, np.cross(ahead, right), ahead])

    def project(self, points: np.ndarray) -> np.ndarray:
        """Return where points (n, 3) in cm are in the drawing, float32 (n, 2) pixels."""
        seen = (points - _EYE) @ self._axes.T
        width, height = _FINER * np.array(_SIZE)
        focal = _FOCAL * width
        return np.float32(focal * seen[:, :2] / seen[:, 2:] + (width / 2, height / 2))

    def show(
        self,
        scene: np.ndarray,
        face: np.ndarray,
        origin: np.ndarray,
        right: np.ndarray,
        down: np.ndarray,
    ) -> None:
        """Lay a flat face (h, w, 3) on the scene; its sides are given in cm, as vectors."""
        spots = np.stack([origin, origin + right, origin + right + down, origin + down])
        height, width = face.shape[:2]
        flat = corners(0, 0, width, height)
        matrix = cv2.getPerspectiveTransform(flat, self.project(spots))
        size = (scene.shape[1], scene.shape[0])
        lit = face * _shade(np.cross(right, down))
        seen = cv2.warpPerspective(
            lit.astype(np.float32),
            matrix,
            size,
            flags=cv2.INTER_AREA,
            borderMode=cv2.BORDER_REPLICATE,
        )
        cover = np.zeros(scene.shape[:2], np.uint8)
        outline = np.round(16 * self.project(spots)).astype(np.int32)
        cv2.fillConvexPoly(cover, outline, 255, cv2.LINE_AA, 4)
        scene += (seen - scene) * (cover.astype(np.float32) / 255)[..., None]


def _unit(vector: np.ndarray) -> np.ndarray:
    return np.asarray(vector / np.linalg.norm(vector))


def _shade(normal: np.ndarray) -> float:
    """Return how bright a face is by its normal (Lambert), with light from all sides added."""
    return float(0.5 + 0.62 * abs(_unit(normal) @ _unit(_LIGHT)))


def draw(fonts: FontLibrary) -> np.ndarray:
    """Return the photo, uint8 RGB (H, W, 3)."""
    rng = np.random.default_rng(_SEED)
    camera = Camera()
    scene = _belt(rng, camera)
    _shadow(scene, camera, [(-8, 0), (8, 0), (8, _DEEP), (-8, _DEEP)], _HIGH)
    x, z = np.array([1.0, 0, 0]), np.array([0, 0, 1.0])
    up = np.array([0, -1.0, 0])
    top = _kraft(rng, _DEEP, _WIDE)
    cv2.rectangle(top, (0, 230), (top.shape[1], 330), (186, 158, 116), -1)  # the tape
    left, right = np.array([-_WIDE / 2, 0, 0]), np.array([_WIDE / 2, 0, 0])
    camera.show(scene, top, left + _HIGH * up + _DEEP * z, _WIDE * x, -_DEEP * z)
    camera.show(scene, _kraft(rng, _HIGH, _DEEP), right + _HIGH * up, _DEEP * z, -_HIGH * up)
    camera.show(scene, _front(rng, fonts), left + _HIGH * up, _WIDE * x, -_HIGH * up)
    at, front, wide, deep, high = _PLATE
    _shadow(
        scene,
        camera,
        [(at, front), (at + wide, front), (at + wide, front + deep), (at, front + deep)],
        high,
    )
    corner = at * x + front * z
    camera.show(
        scene, _steel(rng, deep, wide, fonts), corner + high * up + deep * z, wide * x, -deep * z
    )
    camera.show(scene, _bare(rng, high, wide), corner + high * up, wide * x, -high * up)
    side = corner + wide * x
    camera.show(scene, _bare(rng, high, deep), side + high * up, deep * z, -high * up)
    return _develop(rng, scene)


def _belt(rng: np.random.Generator, camera: Camera) -> np.ndarray:
    """Return the belt with its guide rails, float32 at the size of the drawing."""
    width, height = _FINER * np.array(_SIZE)
    scene = np.zeros((height, width, 3), np.float32)
    scene[:] = (38, 41, 44)
    weave = noise.white(rng, 2400, 2400) * 5 + noise.fractal(rng, 2400, 2400, 6) * 3
    belt = _BELT + cv2.GaussianBlur(weave, (0, 0), 1.2)[..., None]
    x, z = np.array([1.0, 0, 0]), np.array([0, 0, 1.0])
    camera.show(scene, belt, -30 * x + 18 * z, 60 * x, -44 * z)
    rail = _STEEL + (noise.streaks(rng, 200, 2400, 90) * 5)[..., None]
    rail *= np.linspace(0.75, 1.05, 200, dtype=np.float32)[::-1, None, None]
    up = np.array([0, -1.0, 0])
    camera.show(scene, rail, -30 * x + 13 * z + 4.2 * up, 60 * x, -2.0 * up)
    far = cv2.GaussianBlur(scene, (0, 0), 9.0)
    rows = np.linspace(1.6, -0.6, height, dtype=np.float32)[:, None, None]
    return scene + (far - scene) * np.clip(rows, 0, 1)


def _shadow(
    scene: np.ndarray, camera: Camera, foot: Sequence[tuple[float, float]], height: float
) -> None:
    """Darken the belt where a box of so many cm stands before the light, softly."""
    reach = height * _LIGHT[[0, 2]] / _LIGHT[1]
    spots = [(px, 0.0, pz) for px, pz in foot]
    spots += [(px - reach[0] * 0.8, 0.0, pz - reach[1] * 0.8) for px, pz in foot]
    hull = cv2.convexHull(camera.project(np.array(spots)))
    cast, near = np.zeros(scene.shape[:2], np.float32), np.zeros(scene.shape[:2], np.float32)
    cv2.fillConvexPoly(cast, np.int32(hull), 1.0)
    cv2.fillConvexPoly(near, np.int32(camera.project(np.array(spots[: len(foot)]))), 1.0)
    soft = 0.4 * cv2.GaussianBlur(cast, (0, 0), 4 + 2.2 * height)
    soft += 0.45 * cv2.GaussianBlur(near, (0, 0), 10)
    scene *= 1 - np.clip(soft, 0, 0.75)[..., None]


def _kraft(rng: np.random.Generator, high: float, wide: float) -> np.ndarray:
    """Return corrugated board of so many cm: fibers, flecks and faint flutes."""
    height, width = round(high * _SCALE), round(wide * _SCALE)
    field = noise.fractal(rng, height, width, 3) * 2.5 + noise.streaks(rng, height, width, 9) * 1.6
    field += np.sin(np.arange(width) * (2 * np.pi / 36)) * 0.5
    flecks = cv2.GaussianBlur(noise.white(rng, height, width), (0, 0), 1.5) > 0.62
    return np.asarray(_KRAFT + (field - 14 * flecks)[..., None], np.float32)


def _front(rng: np.random.Generator, fonts: FontLibrary) -> np.ndarray:
    """Return the carton's front with its label and the ink-jet code."""
    face = _kraft(rng, _HIGH, _WIDE)
    x0, y0, x1, y1 = (round(v * _SCALE) for v in (0.9, 1.0, 9.4, 8.0))
    edge = np.zeros(face.shape[:2], np.float32)
    edge[y0 + 4 : y1 + 5, x0 + 3 : x1 + 4] = 1
    face *= 1 - 0.25 * cv2.GaussianBlur(edge, (0, 0), 3)[..., None]
    paper = _PAPER + (noise.fractal(rng, y1 - y0, x1 - x0, 4) * 1.2)[..., None]
    face[y0:y1, x0:x1] = paper
    regular, bold = (_face(fonts, "Liberation Sans", bold) for bold in (False, True))
    top = y0 + 0.55 * _SCALE
    for text, size, heavy in LABEL:
        ink = outline.draw(
            text, size * _SCALE, rng, face=bold if heavy else regular, style=outline.OutlineStyle()
        )
        _lay(face, ink, x0 + 0.5 * _SCALE, top, _BLACK, 0.95)
        top += (size + (0.55 if heavy else 0.42)) * _SCALE
        if heavy:
            at = round(top - 0.27 * _SCALE)
            face[at : at + 4, x0 + 40 : x1 - 40] = _BLACK
    _bars(rng, face[y1 - round(2.35 * _SCALE) : y1 - round(0.95 * _SCALE), x0 + 44 : x1 - 44])
    ink = outline.draw(
        NUMBER, 0.36 * _SCALE, rng, face=regular, style=outline.OutlineStyle(gap=0.3)
    )
    _lay(face, ink, (x0 + x1 - ink.mask.shape[1]) / 2, y1 - 0.72 * _SCALE, _BLACK, 0.95)
    style = dot_matrix.DotStyle(radius=0.5, scatter=0.05, size_scatter=0.08, gap=1.2)
    for row, text in enumerate(CODE):
        ink = dot_matrix.draw(text, 0.46 * _SCALE, rng, style=style)
        _lay(face, ink, 9.95 * _SCALE, (4.2 + 0.95 * row) * _SCALE, _DOTS, 0.9)
    return face


def _bars(rng: np.random.Generator, face: np.ndarray) -> None:
    """Print bars of one to four units from edge to edge."""
    widths = rng.integers(1, 4, 400)
    dark = np.repeat(np.arange(400) % 2 == 0, widths)
    columns = np.arange(face.shape[1]) // 4
    face[:, dark[columns]] = _BLACK


def _bare(rng: np.random.Generator, high: float, wide: float) -> np.ndarray:
    """Return brushed steel of so many cm."""
    height, width = round(high * _SCALE), round(wide * _SCALE)
    brushed = noise.streaks(rng, height, width, 120) * 4 + noise.fractal(rng, height, width, 9) * 5
    return np.asarray(_STEEL + brushed[..., None], np.float32)


def _steel(rng: np.random.Generator, high: float, wide: float, fonts: FontLibrary) -> np.ndarray:
    """Return the top of the part with its broken edges and its laser mark."""
    face = _bare(rng, high, wide)
    height, width = face.shape[:2]
    cv2.rectangle(face, (2, 2), (width - 3, height - 3), (196, 199, 202), 5, cv2.LINE_AA)
    style = outline.OutlineStyle(gap=0.08)
    ink = outline.draw(MARK, 0.72 * _SCALE, rng, face=_face(fonts, "OSIFONT", False), style=style)
    left = (width - ink.mask.shape[1]) / 2
    _lay(face, ink, left, (height - ink.mask.shape[0]) / 2, _BURNT, 0.85)
    return face


def _lay(
    face: np.ndarray, ink: Ink, left: float, top: float, color: np.ndarray, strength: float
) -> None:
    """Print a line with its top left corner at a place of a face, pixels."""
    y, x = round(top) - ink.margin, round(left) - ink.margin
    height, width = ink.mask.shape
    cover = strength * ink.mask.astype(np.float32)[..., None] / 255
    face[y : y + height, x : x + width] += (color - face[y : y + height, x : x + width]) * cover


def _face(fonts: FontLibrary, family: str, bold: bool) -> FontFace:
    """Return an upright face of a family."""
    for face in fonts.faces:
        if face.family.lower() == family.lower() and face.bold == bold and not face.italic:
            return face
    raise SystemExit(f"No font {family}: install the packages of debian-packages.txt.")


def _develop(rng: np.random.Generator, scene: np.ndarray) -> np.ndarray:
    """Return what lens and sensor make of a drawing, uint8 at the photo's size."""
    width, height = _SIZE
    photo = cv2.resize(cv2.GaussianBlur(scene, (0, 0), 1.0), _SIZE, interpolation=cv2.INTER_AREA)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    away = ((x - 0.4 * width) / width) ** 2 + ((y - 0.45 * height) / height) ** 2
    photo *= (1.08 - 0.5 * away)[..., None]
    photo += noise.white(rng, height, width, 3) * 1.3
    return np.clip(photo, 0, 255).astype(np.uint8)


def main(path: Path) -> None:
    """Write the photo."""
    file = io.BytesIO()
    Image.fromarray(draw(default_library(None))).save(file, "JPEG", quality=_QUALITY, optimize=True)
    write_atomically(path, file.getvalue())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
