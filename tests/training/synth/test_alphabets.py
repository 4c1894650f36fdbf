"""Line images in other charsets: labels of the charset, glyphs that the faces have."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from sdk.charset import DEFAULT_CHARSET, UNKNOWN
from sdk.charsets import CHARSETS
from training.synth.fonts import FontLibrary
from training.synth.generator import Generator, SynthConfig

DEJAVU = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
LIBERATION = Path("/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf")


@pytest.fixture(scope="module")
def fonts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fonts")
    for path in (DEJAVU, LIBERATION):
        shutil.copy(path, folder)
    return folder


def texts(fonts: Path, charset: str, count: int = 40) -> list[str]:
    generator = Generator(SynthConfig(seed=1, fonts=str(fonts), charset=charset))
    return [generator.line(i)[1] for i in range(count)]


@pytest.mark.parametrize("name", ["digits", "latin", "greek"])
def test_labels_have_the_characters_of_the_charset(fonts: Path, name: str) -> None:
    charset = CHARSETS[name]
    seen = Counter("".join(texts(fonts, charset.symbols)))
    assert all(c in charset for c in seen)
    further = sum(n for c, n in seen.items() if c not in DEFAULT_CHARSET)
    assert (further > 20) == (name != "digits")


def test_other_characters_are_labeled_as_unknown(fonts: Path) -> None:
    labels = texts(fonts, "0123456789" + UNKNOWN)
    assert set("".join(labels)) <= set("0123456789" + UNKNOWN)
    assert any(UNKNOWN in label and label.strip(UNKNOWN) for label in labels)


def test_a_face_without_a_glyph_does_not_cover_it(fonts: Path) -> None:
    more = "ä€Ж\U0010fffd"
    faces = {face.path.name: face for face in FontLibrary([fonts], more).faces}
    assert faces["DejaVuSans.ttf"].covers("ä€Ж")
    assert not any(face.covers("\U0010fffd") for face in faces.values())
    assert not any(face.covers("ä") for face in FontLibrary([fonts]).faces)
