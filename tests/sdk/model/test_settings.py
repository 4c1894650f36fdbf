"""Settings of a manifest: groups, paths, and those of schema 1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sdk.errors import ModelError
from sdk.model.bundle import Bundle, read_manifest
from sdk.model.retry_policy import CropRetries, PhotoRetries
from sdk.model.schema1 import PATHS, read_schema1, translated
from sdk.model.settings import DecodeSettings
from sdk.model.views import BandView, PartView

# What a bundle of schema 1 said that read as the defaults of today do.
SCHEMA_1 = {
    "score_threshold": 0.7,
    "nms_iou": 0.1,
    "min_confidence": 0.5,
    "line_widths": [64, 128, 256, 512, 1024],
    "box_margin": 0.1,
    "strip_side": 0.2,
    "recheck_confidence": 0.95,
    "crop_confidence": 0.98,
    "flip_confidence": 0.7,
    "flip_probability": 0.9,
    "vote_lead": 2.0,
    "digit_odds": 10,
    "tile_height_px": 13,
    "tile_share": 0.5,
    "farther_score": 0.9,
}


def test_settings_survive_json() -> None:
    settings = DecodeSettings().changed(
        {
            "retry.photo.views": (PartView(side=0.3), BandView(bent=True)),
            "retry.crop": CropRetries(until_fit=False),
            "detect.tiles.most": 0,
        }
    )
    assert DecodeSettings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings
    assert settings.to_dict()["retry"]["photo"]["views"] == [
        {"part": {"side": 0.3}},
        {"band": {"bent": True}},
    ]


def test_the_shipped_bundle_has_the_defaults() -> None:
    """What belongs to its weights differs: bounds of the detector, shares of language and words."""
    shipped, defaults = read_manifest()[1].decode.flat(), DecodeSettings().flat()
    changed = {name for name, value in shipped.items() if value != defaults[name]}
    assert changed == {
        "detect.score_threshold",
        "detect.tiles.small_share",
        "retry.vote.language_weight",
        "retry.vote.language_bonus",
        "retry.vote.word_bonus",
        "retry.vote.frequency_bonus",
        "retry.vote.vehicle_bonus",
        "retry.vote.lead",
        "retry.photo.known_confidence",
        "retry.crop.known_confidence",
    }


def test_paths() -> None:
    settings = DecodeSettings()
    flat = settings.flat()
    assert len(flat) > 40
    assert {path.partition(".")[0] for path in flat} == {"detect", "recognize", "retry"}
    for path in flat:
        assert settings.changed({path: settings.get(path)}) == settings
    for path in ("", "detect.", "detect.nothing", "nms_iou", "detect.nms_iou.more"):
        with pytest.raises(ModelError, match="There is no setting"):
            settings.get(path)
        with pytest.raises(ModelError, match="There is no setting"):
            settings.changed({path: 1})


def test_a_group_keeps_its_kind() -> None:
    with pytest.raises(ModelError, match='"photo" is 7'):
        DecodeSettings().changed({"retry.photo": 7})
    assert isinstance(DecodeSettings.from_dict({}).retry.photo, PhotoRetries)


def test_schema_1_reads_as_before() -> None:
    assert read_schema1(SCHEMA_1) == DecodeSettings()


def test_absent_names_of_schema_1_keep_its_defaults() -> None:
    old = read_schema1({})
    assert (old.detect.score_threshold, old.recognize.digit_odds) == (0.5, 1.0)
    assert old.retry.direction.probability == 0.0
    # one bound for photos and crops
    assert read_schema1({"recheck_confidence": 0.7}).retry.crop.confidence == 0.7


@pytest.mark.parametrize("name", PATHS)
def test_every_name_of_schema_1_has_a_place(name: str) -> None:
    DecodeSettings().get(translated(name))


@pytest.mark.parametrize(
    ("data", "message"),
    [({"thresh": 1}, "Unknown decode settings thresh"), ({"nms_iou": 2}, '"nms_iou" is 2')],
)
def test_wrong_entries_of_schema_1(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        read_schema1(data)


def test_a_bundle_of_schema_1_opens(own_bundle: Path) -> None:
    path = own_bundle / "model.json"
    data = json.loads(path.read_text())
    data.update(schema=1, decode=SCHEMA_1)
    path.write_text(json.dumps(data))
    assert Bundle.open(own_bundle).manifest.decode == DecodeSettings()
