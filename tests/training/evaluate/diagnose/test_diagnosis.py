import numpy as np
import pytest

from sdk.geometry import reverse
from training.evaluate.diagnose.diagnosis import diagnose_line, diagnose_photo, unlabeled
from training.evaluate.diagnose.raw_reading import RawReading
from training.evaluate.reading import LineReading


def box(x, y, w, h, turn=0.0):
    """A quad around (x + w / 2, y + h / 2), turned by degrees."""
    a = np.deg2rad(turn)
    u, v = np.array([np.cos(a), np.sin(a)]), np.array([-np.sin(a), np.cos(a)])
    middle = np.array([x + w / 2, y + h / 2])
    corners = [(-w, -h), (w, -h), (w, h), (-w, h)]
    return np.array([middle + s * u / 2 + t * v / 2 for s, t in corners], np.float32)


def label(text, quad, ignore=False):
    return {"text": text, "quad": None if quad is None else quad.tolist(), "ignore": ignore}


def judge(labels, lines, boxes=None, scale=1.0, bound=0.5):
    boxes = [line.quad for line in lines] if boxes is None else boxes
    raw = RawReading(np.array(boxes, np.float32).reshape(-1, 4, 2), lines, scale)
    return diagnose_photo("p.jpg", labels, raw, bound)


HERE = box(100, 100, 120, 20)
LABEL = label("AB-1234", HERE)


@pytest.mark.parametrize(
    ("lines", "stage", "reading"),
    [
        ([LineReading("ab 1234", HERE, 0.9)], "read", "ab 1234"),
        ([LineReading("LOT AB1234", box(60, 100, 160, 20), 0.9)], "read", "LOT AB1234"),
        ([LineReading("AB-1234", HERE, 0.4)], "rejected", "AB-1234"),
        ([LineReading("AB-I234", HERE, 0.9)], "wrong characters", "AB-I234"),
        ([LineReading("XY", box(400, 400, 80, 20), 0.9)], "not detected", ""),
        ([LineReading("B-1234", box(130, 100, 90, 20), 0.9)], "box off", "B-1234"),
        ([LineReading("AB-12", box(100, 100, 84, 20), 0.9)], "box off", "AB-12"),
        ([LineReading("W", box(100, 100, 120, 20, 35), 0.9)], "box off", "W"),
        ([LineReading("W", box(100, 60, 120, 70), 0.9)], "box off", "W"),
        ([LineReading("W", box(100, 111, 120, 20), 0.9)], "box off", "W"),
        ([LineReading("W", box(20, 100, 300, 20), 0.9)], "box off", "W"),
        (
            [LineReading("X AB-I234 Y", box(20, 100, 300, 20), 0.9)],
            "wrong characters",
            "X AB-I234 Y",
        ),
        ([LineReading("hEZI-8V", reverse(HERE), 0.9)], "box off", "hEZI-8V"),
    ],
)
def test_a_label_goes_to_the_stage_that_lost_it(lines, stage, reading):
    (found,) = judge([LABEL], lines)
    assert (found.stage, found.reading) == (stage, reading)
    assert found.height_px == pytest.approx(20) and found.quad == pytest.approx(HERE)


def test_faults_of_boxes_are_named():
    cases = {
        "start truncated by 25%": box(130, 100, 90, 20),
        "end truncated by 30%": box(100, 100, 84, 20),
        "turned by 35 degrees": box(100, 100, 120, 20, 35),
        "turned by -180 degrees": reverse(HERE),
        "heights too long": box(20, 100, 300, 20),
        "3.5 times as high": box(100, 75, 120, 70),
        "off by 0.6 heights": box(100, 111, 120, 20),
    }
    for fault, quad in cases.items():
        (found,) = judge([LABEL], [LineReading("W", quad, 0.9)])
        assert fault in found.detail


def test_a_box_over_neighboring_words_is_good():
    words = [label("BEST", box(20, 100, 70, 20)), LABEL, label("###", box(230, 100, 90, 20), True)]
    found = judge(words, [LineReading("BEST AB-1Z34 x", box(20, 100, 300, 20), 0.9)])
    assert [v.stage for v in found] == ["read", "wrong characters"]
    assert found[1].part


def test_a_box_without_text():
    (found,) = judge([LABEL], [], boxes=[HERE])
    assert found.stage == "nothing read" and found.iou == pytest.approx(1)


def test_words_read_apart():
    quad = box(100, 100, 200, 20)
    halves = [
        LineReading("1234", box(200, 100, 90, 20), 0.9),
        LineReading("LOT", box(100, 100, 60, 20), 0.9),
    ]
    (found,) = judge([label("LOT 1234", quad)], halves)
    assert found.stage == "order"
    (found,) = judge([label("LOT 1234", quad)], halves[::-1])
    assert (found.stage, found.detail) == ("read", "in several lines")


@pytest.mark.parametrize(
    ("scale", "lines", "stage"),
    [
        (0.3, [], "too small"),
        (0.5, [], "not detected"),
        (0.3, [LineReading("W", box(100, 100, 60, 20), 0.9)], "too small"),
        # the second reading takes the photo's own pixels
        (0.3, [LineReading("W", HERE, 0.9)], "wrong characters"),
    ],
)
def test_small_text(scale, lines, stage):
    (found,) = judge([LABEL], lines, scale=scale)
    assert found.stage == stage and found.frame_px == pytest.approx(20 * scale)


def test_small_text_in_a_good_box():
    (found,) = judge(
        [label("AB1", box(10, 10, 30, 6))], [LineReading("A8", box(10, 10, 30, 6), 0.9)], scale=3
    )
    assert found.stage == "too small"


def test_ignored_and_empty_labels_do_not_count():
    assert judge([label("AB", HERE, True), label("--", HERE)], []) == []


def test_labels_without_quad():
    first, second = judge([label("AB1", None), label("CD2", None)], [LineReading("ab1", HERE, 0.9)])
    assert (first.stage, second.stage) == ("read", "not detected")


def test_lines_beside_the_labels():
    lines = [LineReading("a", HERE, 0.9), LineReading("b", box(300, 300, 50, 20), 0.9)]
    lines += [
        LineReading("c", box(300, 400, 50, 20), 0.1),
        LineReading("d", box(10, 10, 40, 20), 0.9),
    ]
    raw = RawReading(np.zeros((0, 4, 2), np.float32), lines, 1.0)
    ignored = label("###", box(0, 0, 80, 50), True)
    assert unlabeled([LABEL, ignored], raw, 0.5) == 1
    assert unlabeled([LABEL, ignored], raw, 0.0) == 2
    assert unlabeled([], raw, 0.5) == 3


@pytest.mark.parametrize(
    ("wanted", "read", "height", "stage", "detail"),
    [
        ("AB-12", "ab12", 32, "read", ""),
        ("LOT 12", "12 LOT", 32, "order", ""),
        ("AB12", "A812", 32, "wrong characters", ""),
        ("AB12", "B12", 32, "wrong characters", "part missing"),
        ("AB12", "NY AB12", 32, "wrong characters", "text added"),
        ("AB12", "", 32, "nothing read", ""),
        ("AB12", "A812", 6, "too small", "6 px"),
    ],
)
def test_pictures_of_one_line(wanted, read, height, stage, detail):
    found = diagnose_line("s.png", wanted, LineReading(read, HERE, 0.8), height)
    assert (found.stage, found.detail, found.confidence) == (stage, detail, 0.8)
