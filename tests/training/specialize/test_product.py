"""Generated lines of a product: illegible ones are drawn anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sdk.charset import DEFAULT_CHARSET
from tests.training.specialize.test_survey import PATTERN, drawn_line
from training.specialize import product
from training.specialize.prints import OUTLINE, Print
from training.specialize.product import ProductGenerator
from training.synth.fonts import default_library
from training.synth.legibility import inside, likeness
from training.synth.pattern_texts import PatternTexts


@pytest.fixture(scope="module")
def generator() -> ProductGenerator:
    """Marks of 20 gray levels in noise."""
    line = drawn_line()
    ink = replace(line.ink, contrast=-20.0, color=np.full(3, -20, np.float32), noise=12.0)
    face = next(f for f in default_library().faces if f.kind == "sans" and not f.italic)
    prints = [Print(OUTLINE, face=face)]
    texts = PatternTexts([PATTERN], DEFAULT_CHARSET)
    return ProductGenerator([replace(line, ink=ink)], prints, texts)


def test_lines_that_noise_or_the_edge_hides_are_drawn_anew(
    generator: ProductGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares: list[float] = []
    likenesses: list[float] = []

    def recorded_inside(*options) -> float:
        shares.append(inside(*options))
        return shares[-1]

    def recorded_likeness(*options) -> float:
        likenesses.append(likeness(*options))
        return likenesses[-1]

    monkeypatch.setattr(product, "inside", recorded_inside)
    monkeypatch.setattr(product, "likeness", recorded_likeness)
    for index in range(40):
        generator.line(index)
        assert shares[-1] >= 0.5
        assert likenesses[-1] >= 0.57
    assert min(shares) < 0.5
    assert min(likenesses) < 0.4


def test_a_product_without_a_legible_line_has_lines_all_the_same(
    generator: ProductGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(product, "likeness", lambda *options: 0.0)
    image, text = generator.line(0)
    assert image.shape[0] == 32
    assert text.startswith("LOT ")
