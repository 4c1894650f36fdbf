"""A process of a group: ``member.py RANK WORLD COORDINATOR FOLDER KIND:STEPS:DATA ...``.

For each KIND the chief trains alone first, into FOLDER/KIND/alone, while the others wait; then all
train together, into FOLDER/KIND/together. A process of WORLD 1 trains together only: by the code of
several processes. `KERAS_BACKEND=… python -m tests.training.loop.member` for each rank.

KIND is line or fots; parted, the line network whose runs go on after half of the steps, each with
the number of processes of the other one; or uneven, a small network without data.
"""

import sys
from pathlib import Path

from tests.training.conftest import FOTS_TOML, LINE_TOML
from tests.training.loop.uneven import train_uneven
from training.data.share import Share
from training.loop.group import Group, joined_group
from training.loop.trainer import Trainer


def train(group: Group, text: str, data: str, folder: Path, steps: int) -> None:
    text = text.replace("log_every = 5", "log_every = 1")
    text = text.replace("buckets = [32, 64, 96]", "buckets = [64]")  # one shape to compile
    if group.is_chief and group.share.world > 1:
        with group.alone():
            Trainer(text, [data], folder / "alone").run(steps)
    Trainer(text, [data], folder / "together", group=group).run(steps)


def exchange(group: Group, folder: Path) -> None:
    if group.is_chief:
        (folder / "alone").rename(folder / "other")
        (folder / "together").rename(folder / "alone")
        (folder / "other").rename(folder / "together")
    group.agree([0])


def main(rank: int, world: int, coordinator: str, folder: Path, kinds: list[str]) -> None:
    with joined_group(Share(rank, world), coordinator) as group:
        for job in kinds:
            kind, steps, data = job.split(":")
            if kind == "uneven":
                train_uneven(group, int(steps), folder / kind)
                continue
            text = FOTS_TOML if kind == "fots" else LINE_TOML
            if kind == "parted":
                train(group, text, data, folder / kind, int(steps) // 2)
                exchange(group, folder / kind)
            train(group, text, data, folder / kind, int(steps))


if __name__ == "__main__":
    rank, world, coordinator, folder, *kinds = sys.argv[1:]
    main(int(rank), int(world), coordinator, Path(folder), kinds)
