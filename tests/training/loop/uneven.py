"""A batch whose rows are shared unevenly: 3 for one process, 5 for the other one.

A small network with every loss and with batch normalization; see `member.py`.
"""

from pathlib import Path

import keras
import numpy as np

from sdk.charset import Charset
from training.loop.group import Group
from training.loop.losses import CtcLoss, geometry_loss, score_loss
from training.models.batch_norm import BatchNormalization

ROWS, WIDTH = 8, 6
PARTS = [range(3), range(3, 8)]


def network():
    image = keras.Input((1, WIDTH, 3))
    x = BatchNormalization(name="norm")(keras.layers.Conv2D(8, 1, use_bias=False)(image))
    x = keras.ops.relu(x)
    heads = {"score": (1, None), "geometry": (6, "softplus"), "logits": (4, None)}
    return keras.Model(
        image,
        {n: keras.layers.Conv2D(c, 1, activation=a, name=n)(x) for n, (c, a) in heads.items()},
    )


def batch(step, rows):
    rng = np.random.default_rng(step)
    # rows of another size each, so that a mean of the processes' means is far off
    image = rng.normal(size=(ROWS, 1, WIDTH, 3)) * np.arange(1, ROWS + 1).reshape(-1, 1, 1, 1)
    weight = rng.uniform(size=(ROWS, 1, WIDTH, 2)) ** 3
    text = np.concatenate([rng.integers(0, 2, (ROWS, 1, WIDTH, 1)), weight[..., :1]], -1)
    angle = rng.uniform(-3, 3, (ROWS, 1, WIDTH, 1))
    sides = rng.uniform(1, 3, (ROWS, 1, WIDTH, 4))
    boxes = np.concatenate([weight[..., 1:], sides, np.cos(angle), np.sin(angle)], -1)
    labels = np.zeros((ROWS, 3 + 2), np.int32)
    labels[:, 0], labels[:, 1] = WIDTH, (1, 0, 0, 2, 1, 2, 2, 1)  # lines of length 0 do not count
    labels[:, 3:] = rng.integers(1, 4, (ROWS, 2))
    target = {"score": text, "geometry": boxes, "logits": labels}
    to_float = {n: np.asarray(v, "float32")[rows] for n, v in target.items()}
    return np.asarray(image, "float32")[rows], to_float


def train_uneven(group: Group, steps: int, folder: Path) -> None:
    """Write losses and weights into alone.npz, of the chief, and into together.npz."""
    folder.mkdir(exist_ok=True, parents=True)
    if group.is_chief:
        with group.alone():
            save(folder / "alone.npz", *train(Group(), range(ROWS), steps))
    found = train(group, PARTS[group.share.rank], steps)
    if group.is_chief:
        save(folder / "together.npz", *found)


def train(group, rows, steps):
    keras.utils.set_random_seed(1)
    model = network()
    # clipped by the norm of all gradients; its step is in proportion to them, unlike that of Adam
    optimizer = keras.optimizers.SGD(0.1, global_clipnorm=5.0)
    group.share_gradients(optimizer)
    losses = {"score": score_loss, "geometry": geometry_loss, "logits": CtcLoss(Charset("123"))}
    model.compile(optimizer, losses)
    found = [model.train_on_batch(*batch(step, rows), return_dict=True) for step in range(steps)]
    return [[float(value) for value in step.values()] for step in found], model.get_weights()


def save(path, losses, weights):
    np.savez(path, losses=losses, **{f"weight{i}": value for i, value in enumerate(weights)})
