"""Bundles by name, and bundles that use the detector of another."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from sdk import ModelError, OptionError, Reader
from sdk.cli import main
from sdk.model.bundle import DEFAULT_BUNDLE, Bundle, Combination, read_manifest
from sdk.model.store import MODELS, beside, find_named, installed, resolve
from tests import tiny

WORDS = (("HEAD", 8, 12), ("CAFE", 8, 76))


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed bundles."""
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv(MODELS, str(folder))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "nowhere"))
    return folder


def lines_only(source: Path, target: Path, **changes: Any) -> Path:
    """Write the line graphs of a bundle as a bundle of its own."""
    target.mkdir(parents=True)
    data = json.loads((source / "model.json").read_text())
    for graphs in data["variants"].values():
        shutil.copy(source / graphs["line"]["file"], target)
        for role in [role for role in graphs if role != "line"]:
            del graphs[role]
    (target / "model.json").write_text(json.dumps({**data, **changes}))
    return target


def test_the_packaged_bundle_is_installed_by_name() -> None:
    assert installed()["default"] == find_named("default") == DEFAULT_BUNDLE
    assert resolve("default") == DEFAULT_BUNDLE


def test_a_folder_counts_before_a_name(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (models / "plates").mkdir()
    (models / "plates" / "model.json").touch()
    monkeypatch.chdir(tmp_path)
    assert resolve("plates") == models / "plates"
    assert beside(tmp_path, "plates") == "plates"
    (tmp_path / "plates").mkdir()
    assert resolve("plates") == Path("plates")
    assert beside(tmp_path, "plates") == tmp_path / "plates"


@pytest.mark.parametrize("name", ["../default", "a/b", "", ".", "a b", "/default"])
def test_a_path_is_no_name(models: Path, name: str) -> None:
    assert find_named(name) is None


def test_a_bundle_of_lines_uses_the_detector_it_names(models: Path, tiny_bundle: Path) -> None:
    shutil.copytree(tiny_bundle, models / "whole")
    small = lines_only(tiny_bundle, models / "letters", detector_of="whole", name="letters")
    photo = tiny.draw_photo(WORDS, (128, 128))
    with Reader("letters", threads=1) as reader:
        assert reader.read(photo).texts == ["HEAD", "CAFE"]
        about = reader.describe()
    assert about["detector_folder"] == str(models / "whole")
    assert about["graphs"].keys() == {"line", "detector"}
    assert not list(small.glob("detector*"))
    assert Bundle.open("letters").manifest.detector_of == "whole"


def test_two_bundles_are_combined(models: Path, tiny_bundle: Path) -> None:
    changes = {"detect.score_threshold": 0.6}
    manifest = read_manifest(tiny_bundle)[1]
    shutil.copytree(tiny_bundle, models / "whole")
    data = json.loads((models / "whole" / "model.json").read_text())
    data["decode"] = manifest.decode.changed(changes).to_dict()
    (models / "whole" / "model.json").write_text(json.dumps(data))
    lines_only(tiny_bundle, models / "letters")
    photo = tiny.draw_photo(WORDS, (128, 128))
    with Reader(detector="whole", reader="letters", threads=1) as reader:
        assert reader.read(photo).texts == ["HEAD", "CAFE"]
        assert "recognizer" not in reader.describe()["graphs"]
    both = Bundle.open(Combination("letters", "whole"))
    # each part brings the settings of its own step
    assert both.manifest.decode.detect.score_threshold == 0.6
    assert both.manifest.decode.recognize == manifest.decode.recognize
    with Reader("letters", threads=1) as reader, pytest.raises(ModelError, match="no detector"):
        reader.read(photo)


def test_a_bundle_combined_with_itself_is_that_bundle(tiny_bundle: Path) -> None:
    assert Bundle.open(Combination(tiny_bundle, tiny_bundle)) == Bundle.open(tiny_bundle)


def test_the_variant_of_the_lender_may_have_another_name(models: Path, tiny_bundle: Path) -> None:
    data = json.loads((tiny_bundle / "model.json").read_text())
    shutil.copytree(tiny_bundle, models / "whole")
    variants = {"fp32": data["variants"]["fp32"]}
    (models / "whole" / "model.json").write_text(json.dumps({**data, "variants": variants}))
    lines_only(tiny_bundle, models / "letters", detector_of="whole", default_variant="int8")
    bundle = Bundle.open("letters")
    assert bundle.variant == "int8"
    assert bundle.graph("detector").spec.file == "detector-fp32.tflite"
    assert bundle.graph("line").spec.file == "line-int8.tflite"


@pytest.mark.parametrize(
    ("lender", "said"),
    [
        ("gone", "'gone', which is not installed. Installed are: letters, other, default"),
        ("letters", "has no detector"),
        ("../whole", "must be the name of an installed bundle"),
        (3, "must be a string"),
    ],
)
def test_a_detector_that_cannot_be_used_is_named(
    models: Path, tiny_bundle: Path, lender: object, said: str
) -> None:
    lines_only(tiny_bundle, models / "letters")
    bundle = lines_only(tiny_bundle, models / "other", detector_of=lender)
    with pytest.raises(ModelError, match=said):
        Bundle.open(bundle)


def test_model_and_reader_are_one_argument(tiny_bundle: Path) -> None:
    with pytest.raises(OptionError, match="Give one of them"):
        Reader(tiny_bundle, reader=tiny_bundle)


def test_an_unknown_name_lists_the_installed(models: Path) -> None:
    with pytest.raises(ModelError, match="installed bundles: default"):
        Reader("plate")


def test_models_are_listed(
    models: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(tiny_bundle, models / "whole")
    lines_only(tiny_bundle, models / "letters", detector_of="whole")
    assert main(["models"]) == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert rows.keys() == {"default", "digits", "latin", "letters", "whole"}
    assert "102 characters (industrial)" in rows["default"]
    assert "8 characters," in rows["letters"]
    assert "detector of whole" in rows["letters"]
    assert main(["models", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["models"]
    assert found["letters"]["bytes"] < found["whole"]["bytes"]
    (models / "whole" / "model.json").write_text("{}")
    assert main(["models"]) == 3
    assert "unusable" in capsys.readouterr().out


def test_read_takes_names(
    models: Path, tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from PIL import Image

    shutil.copytree(tiny_bundle, models / "whole")
    lines_only(tiny_bundle, models / "letters")
    Image.fromarray(tiny.draw_photo(WORDS, (128, 128))).save(tmp_path / "a.png")
    arguments = ["--model", "letters", "--detector", "whole", "--threads", "1"]
    assert main(["read", str(tmp_path / "a.png"), *arguments]) == 0
    assert capsys.readouterr().out.split() == ["HEAD", "CAFE"]
    assert main(["info", "--json", *arguments, "--device", "cpu"]) == 0
    assert json.loads(capsys.readouterr().out)["model"]["detector_folder"] == str(models / "whole")
