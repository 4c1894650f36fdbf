"""A process of a group: ``member.py RANK WORLD COORDINATOR KIND DATA FOLDER STEPS``.

The chief trains alone first, into FOLDER/alone, while the others wait; then all train together,
into FOLDER/together. KIND is line or fots; `python -m tests.training.loop.member` for each rank.
"""

import os
import sys

os.environ["JAX_PLATFORMS"] = "cpu"

from tests.training.conftest import FOTS_TOML, LINE_TOML
from training.data.share import Share
from training.loop.group import Group, ended_with_the_others
from training.loop.trainer import Trainer


def main(rank: int, world: int, coordinator: str, kind: str, data: str, folder: str, steps: str):
    text = LINE_TOML if kind == "line" else FOTS_TOML
    text = text.replace("log_every = 5", "log_every = 1")
    text = text.replace("buckets = [32, 64, 96]", "buckets = [64]")  # one shape to compile
    with ended_with_the_others():
        group = Group(Share(rank, world), coordinator)
        if rank == 0:
            with group.alone():
                Trainer(text, [data], f"{folder}/alone").run(int(steps))
        Trainer(text, [data], f"{folder}/together", group=group).run(int(steps))


if __name__ == "__main__":
    rank, world, *rest = sys.argv[1:]
    main(int(rank), int(world), *rest)
