"""Small shards drawn with a built-in font, and configurations that train in seconds."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from training.data.shards import shard_path, write_shard

LINE_TOML = """
[model]
kind = "line"
charset = "0123456789 ABCDEF"
[model.line]
stem = [8, 8, 16]
blocks = 1
[model.recognizer]
widths = [16, 16, 32]
blocks = 1
kernel = 5
columns = 32
[data]
buckets = [32, 64, 96]
columns = 512
validation = 16
workers = 1
[train]
steps = 40
learning_rate = 5e-3
warmup = 5
log_every = 5
rescan_steps = 0
"""

FOTS_TOML = LINE_TOML.replace('"line"', '"fots"').replace("steps = 40", "steps = 14")
FOTS_TOML = FOTS_TOML.replace(
    "[data]",
    """[model.detector]
features = 16
neck = [16, 16, 16]
[data]
crop = 96
batch = 2
rois = 3
""",
).replace("validation = 16", "validation = 2")


def draw_text(text, height):
    """Return a picture of dark text on a light background, and its inner width."""
    font = ImageFont.load_default(int(height * 0.8))
    width = max(8, int(np.ceil(font.getlength(text))) + 4)
    picture = Image.new("RGB", (width, height), (235, 230, 220))
    ImageDraw.Draw(picture).text((2, 0), text, fill=(20, 20, 30), font=font)
    return np.array(picture)


def line_samples(rng, count):
    for i in range(count):
        text = "".join(rng.choice(list("0123456789"), rng.integers(1, 4)))
        yield i, draw_text(text, 32), {"text": text}


def photo_samples(rng, count, size=160):
    for i in range(count):
        image = np.full((size, size, 3), rng.integers(140, 220, 3), np.uint8)
        texts = []
        for row in range(2):
            text = "".join(rng.choice(list("0123456789"), 4))
            line = draw_text(text, 28)
            x, y = int(rng.integers(0, size - line.shape[1])), 20 + 70 * row
            image[y : y + 28, x : x + line.shape[1]] = line
            w = line.shape[1]
            quad = [[x, y], [x + w, y], [x + w, y + 28], [x, y + 28]]
            texts.append({"text": text, "quad": quad, "ignore": False, "chars": []})
        yield i, image, {"width": size, "height": size, "texts": texts}


@pytest.fixture(scope="session")
def line_shards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lines")
    rng = np.random.default_rng(0)
    for n in range(3):
        write_shard(shard_path(folder, n), line_samples(rng, 40))
    return folder


@pytest.fixture(scope="session")
def photo_shards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(1)
    for n in range(2):
        write_shard(shard_path(folder, n), photo_samples(rng, 6))
    return folder


@pytest.fixture(scope="session")
def line_run(line_shards, tmp_path_factory):
    # keras takes seconds to import, and most tests need none
    from training.loop.trainer import Trainer

    folder = tmp_path_factory.mktemp("line_run")
    Trainer(LINE_TOML.replace("steps = 40", "steps = 3"), [line_shards], folder).run()
    return folder
