from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from training.synth.fonts import KINDS, FontError, FontLibrary, default_library


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FontError, match="nowhere"):
        FontLibrary([tmp_path / "nowhere"])


def test_folder_without_usable_fonts_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "broken.ttf").write_bytes(b"not a font at all")
    (tmp_path / "readme.txt").write_text("no font", encoding="utf-8")
    with pytest.raises(FontError, match=r"no usable font .*1 font files.*install fonts"):
        FontLibrary([tmp_path])


def test_copies_of_a_face_count_once(tmp_path: Path) -> None:
    source = default_library().faces[0]
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / source.path.name).write_bytes(source.path.read_bytes())
    library = FontLibrary([tmp_path])
    assert [face.path for face in library.faces] == [tmp_path / "one" / source.path.name]


def test_a_folder_called_like_a_kind_tells_it(tmp_path: Path) -> None:
    source = next(face for face in default_library().faces if face.kind == "sans").path
    for folder in ("display/some-family", "some-family"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / source.name).write_bytes(source.read_bytes())
    assert {face.kind for face in FontLibrary([tmp_path / "display"]).faces} == {"display"}
    assert {face.kind for face in FontLibrary([tmp_path / "some-family"]).faces} == {"sans"}


def test_faces_hold_digits_and_capitals() -> None:
    for face in default_library().faces:
        assert face.kind in KINDS
        assert face.covers("0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def test_sample_follows_the_seed_the_kind_and_the_text() -> None:
    library = default_library()
    first, second = (np.random.default_rng(5) for _ in range(2))
    text = "a{~}z"
    for _ in range(50):
        face = library.sample(first, text=text)
        assert face == library.sample(second, text=text)
        assert face.covers(text)
    kind = library.faces[0].kind
    assert {library.sample(first, kind).kind for _ in range(30)} == {kind}


def test_families_weigh_alike_within_a_kind() -> None:
    library = default_library()
    families = {face.family for face in library.faces if face.kind == "mono"}
    if len(families) < 2:
        pytest.skip("one family of this kind on this machine")
    rng = np.random.default_rng(0)
    count = Counter(library.sample(rng, "mono").family for _ in range(100 * len(families)))
    assert set(count) == families
    assert max(count.values()) < 200


def test_sample_refuses_what_it_cannot_give() -> None:
    library = default_library()
    with pytest.raises(ValueError, match="gothic"):
        library.sample(np.random.default_rng(0), "gothic")
    with pytest.raises(FontError, match="\u0416"):
        library.sample(np.random.default_rng(0), text="\u0416")
