from __future__ import annotations

import numpy as np

from training.synth.fonts import default_library
from training.synth.generator import fit_line
from training.synth.pens.outline import OutlineStyle
from training.synth.signs import sign


def test_only_a_word_alone_is_bent_or_inclined() -> None:
    blocks = [sign(np.random.default_rng(seed), default_library(), 32.0) for seed in range(60)]
    alone = [block.lines[0] for block in blocks if len(block.lines) == 1]
    assert len(alone) > 20
    assert sum(line.bend != 0 for line in alone) > 4
    assert sum(line.bend == 0 and line.tilt != 0 for line in alone) > 4
    assert not any(x.arc() for block in blocks if len(block.lines) > 1 for x in block.lines)


def test_type_is_squeezed_within_the_given_scales() -> None:
    rng = np.random.default_rng(1)
    scales = [OutlineStyle.sample(rng, x_scale=(0.5, 0.8)).x_scale for _ in range(200)]
    assert 0.5 <= min(scales) < 0.55
    assert 0.75 < max(scales) <= 0.8


def test_some_lines_are_seen_from_the_side() -> None:
    block = sign(np.random.default_rng(4), default_library(), 32.0)
    x0, y0, x1, y1 = block.lines[0].box()
    ends = np.array([[x0, y0, 1], [x0, y1, 1], [x1, y0, 1], [x1, y1, 1]])
    ratios = []
    for seed in range(100):
        fitted = fit_line(np.random.default_rng(seed), block, 0, alone=False)
        if fitted is None:
            continue
        shown = ends @ fitted[0].T
        rows = shown[:, 1] / shown[:, 2]
        start, end = rows[1] - rows[0], rows[3] - rows[2]
        ratios.append(max(start, end) / min(start, end))
    assert np.median(ratios) < 1.25
    assert np.mean(np.array(ratios) > 1.4) > 0.04
