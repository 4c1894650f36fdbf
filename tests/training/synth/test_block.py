import numpy as np

from training.synth.block import Block, PrintedLine, paint
from training.synth.pens import segments
from training.synth.process import lcd


def test_ink_stays_sharp_under_a_perspective_that_is_singular_in_one_point():
    ink = segments.draw("0123456", 24.0, np.random.default_rng(1))
    line = PrintedLine(ink, 0.0, 0.0, lcd, seed=1)
    # y' = 100 / (1 - y / 100): the upper left 2x2 part is singular, the scale on the line 1 to 2
    matrix = np.array([[1.0, 0.0, 20.0], [0.0, 0.0, 100.0], [0.0, -0.01, 1.0]])
    canvas = np.full((200, 400, 3), 220, np.float32)
    (text,) = paint(canvas, Block([line]), matrix)
    assert not text.ignore
    # segments keep their depth, and the ground between them stays as it was
    (x0, y0), (x1, y1) = text.quad.min(0), text.quad.max(0)
    changed = np.abs(canvas - 220).max(2)[int(y0) : int(y1), int(x0) : int(x1)]
    assert changed.max() > 50
    assert np.mean(changed < 1) > 0.4
