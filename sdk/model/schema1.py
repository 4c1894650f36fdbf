"""Settings of schema 1, whose manifests hold them in one flat list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdk.errors import ModelError
from sdk.model.settings import DecodeSettings

__all__ = ["PATHS", "read_schema1", "translated"]

PATHS = {
    "score_threshold": "detect.score_threshold",
    "nms_iou": "detect.nms_iou",
    "min_height_px": "detect.min_height_px",
    "max_scale": "detect.max_scale",
    "max_lines": "detect.max_lines",
    "box_margin": "detect.box_margin",
    "farther_score": "detect.coarse.below_score",
    "tile_height_px": "detect.tiles.small_height_px",
    "tile_share": "detect.tiles.small_share",
    "max_tiles": "detect.tiles.most",
    "tile_zoom": "detect.tiles.max_zoom",
    "tile_overlap": "detect.tiles.overlap",
    "line_widths": "recognize.line_widths",
    "strip_margin": "recognize.crop_margin",
    "strip_side": "recognize.crop_side",
    "recheck_height_px": "recognize.features_min_height_px",
    "digit_odds": "recognize.digit_odds",
    "pattern_ratio": "recognize.pattern_ratio",
    "min_confidence": "recognize.min_confidence",
    "recheck_confidence": "retry.photo.confidence",
    "crop_confidence": "retry.crop.confidence",
    "flip_confidence": "retry.flip.confidence",
    "flip_gain": "retry.flip.gain",
    "max_flips": "retry.flip.most_lines",
    "flip_probability": "retry.direction.probability",
    "flip_witnesses": "retry.direction.witnesses",
    "flip_least": "retry.direction.least",
    "flip_most": "retry.direction.most",
    "flip_lead": "retry.direction.lead",
    "vote_lead": "retry.vote.lead",
}
"""Path of each current setting, by its name in schema 1."""

# Defaults of schema 1 that differ from the current defaults.
_ABSENT: Mapping[str, Any] = {
    "score_threshold": 0.5,
    "nms_iou": 0.3,
    "min_confidence": 0.0,
    "line_widths": (64, 128, 192, 256, 384, 512, 768, 1024),
    "box_margin": 0.0,
    "strip_side": 0.0,
    "recheck_confidence": 0.9,
    "crop_confidence": 0.9,
    "flip_confidence": 0.5,
    "flip_probability": 0.0,
    "vote_lead": 1.2,
    "digit_odds": 1.0,
    "tile_height_px": 10.0,
    "tile_share": 0.3,
    "farther_score": 0.0,
}


def read_schema1(data: Mapping[str, Any]) -> DecodeSettings:
    """Return the settings of a manifest of schema 1.

    Args:
        data: The manifest's entry "decode".

    Raises:
        ModelError: A name is unknown or a value is not legal.
    """
    unknown = sorted(str(name) for name in set(data) - set(PATHS))
    if unknown:
        raise ModelError(
            f"Unknown decode settings {', '.join(unknown)}; schema 1 has {', '.join(PATHS)}. "
            "Correct model.json, or update the SDK if the bundle is newer."
        )
    values = {**_ABSENT, **data}
    if "crop_confidence" not in data and "recheck_confidence" in data:
        values["crop_confidence"] = data["recheck_confidence"]
    changes = {PATHS[name]: value for name, value in values.items()}
    return DecodeSettings().changed(changes)


def translated(name: str) -> str:
    """Return the path of a setting. A name of schema 1 is translated."""
    return PATHS.get(name, name)
