from __future__ import annotations

import cv2
import numpy as np
import pytest

from training.synth.process import lettering, print_line


def letters(size: float) -> np.ndarray:
    coverage = np.zeros((round(60 * size), round(220 * size)), np.uint8)
    place, thickness = (round(20 * size), round(42 * size)), round(5 * size)
    cv2.putText(coverage, "SALE", place, cv2.FONT_HERSHEY_SIMPLEX, 1.2 * size, 255, thickness)
    return coverage.astype(np.float32) / 255


def sign(seed: int, coverage: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the changed pixels of a flat background, and the lettered picture."""
    surface = np.full((*coverage.shape, 3), 120, np.float32)
    print_line(surface, coverage, lettering, seed)
    return np.abs(surface - 120).max(2) > 4, surface


def test_letters_stand_out_and_stay_apart() -> None:
    coverage = letters(1.0)
    for seed in range(40):
        changed, _ = sign(seed, coverage)
        assert changed[coverage > 0.9].mean() > 0.9
        assert not changed[:3].any(), "borders and shadows stay near their letters"


def test_signs_have_borders_shadows_and_gradients() -> None:
    coverage = letters(1.0)
    around = (coverage < 0.01) & (cv2.dilate(coverage, np.ones((7, 7))) > 0.5)
    seen = [sign(seed, coverage) for seed in range(60)]
    bordered = sum(changed[around].mean() > 0.3 for changed, _ in seen)
    plain = sum(changed[around].mean() < 0.05 for changed, _ in seen)
    assert bordered > 20
    assert plain > 5
    shaded = sum(picture[coverage > 0.95].std(0).max() > 4 for _, picture in seen)
    assert 10 < shaded < 50


@pytest.mark.parametrize("size", [0.5, 2.0])
def test_borders_grow_with_the_strokes(size: float) -> None:
    shares = []
    for scale in (size, 1.0):
        coverage = letters(scale)
        ink = float((coverage > 0.5).sum())
        shares.append(np.mean([sign(seed, coverage)[0].sum() / ink for seed in range(60)]))
    # twice as large letters have borders twice as wide: the same share of the ink
    assert shares[0] == pytest.approx(shares[1], rel=0.35)
