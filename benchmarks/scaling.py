"""How time falls with the number of machines, calculated: ``python -m benchmarks.scaling``.

Training is synchronous and data-parallel: the gradients of W processes are summed after each step,
in a ring (each process sends 2 (W - 1) / W of their bytes, in 2 (W - 1) messages) or in a tree
(2 log2 W rounds). A part of this hides behind the backward pass, and the slowest of W processes
decides. Bulk reading has no such sum: what costs is the start, the last chunk, and the network of
the store. The functions hold the assumptions as arguments; docs/results/scale.md compares them with
what was measured.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

from benchmarks.scaling_picture import Chart, Series, draw_charts

__all__ = ["all_reduce_s", "bulk_s", "step_s"]

WORLDS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
CORES = (1, 2, 8, 32, 100, 320, 1000)
PARAMETERS = {"line": 1.54e6, "fots": 4.7e6}
LINKS = ((1, 50e-6), (10, 30e-6), (25, 15e-6), (100, 5e-6))
"""Gigabits a second and seconds of delay of a message."""


def all_reduce_s(world: int, size: float, gigabits: float, delay_s: float, *, tree: bool) -> float:
    """Return the seconds in which ``world`` processes sum ``size`` bytes each.

    Args:
        world: Number of processes, one on each link.
        size: Bytes of the gradients.
        gigabits: Speed of each process's link, 1e9 bits a second.
        delay_s: Delay of a message.
        tree: Whether rounds are those of a tree, not of a ring.
    """
    if world == 1:
        return 0.0
    rounds = 2 * math.log2(world) if tree else 2 * (world - 1)
    return 2 * (world - 1) / world * size / (gigabits * 1e9 / 8) + rounds * delay_s


def step_s(
    world: int,
    alone_s: float,
    sum_s: float,
    *,
    overlap: float = 0.5,
    backward: float = 0.6,
    jitter: float = 0.03,
) -> float:
    """Return the seconds of a step of ``world`` processes with equal batches each.

    Args:
        world: Number of processes.
        alone_s: Seconds of the step of one process.
        sum_s: Seconds of the sum of the gradients.
        overlap: Share of the sum that hides behind the backward pass.
        backward: Share of the step that is the backward pass.
        jitter: Standard deviation of a process's step, as a share of it.
    """
    hidden = min(overlap * sum_s, backward * alone_s)
    # expected greatest of W normal values, its leading term
    waiting = jitter * alone_s * math.sqrt(2 * math.log(world)) if world > 1 else 0.0
    return alone_s + sum_s - hidden + waiting


def bulk_s(
    cores: int,
    photos: float,
    *,
    photo_s: float,
    photo_bytes: float = 125e3,
    chunk: int = 50,
    task_s: float = 0.02,
    start_s: float = 15.0,
    submit_s: float = 0.0005,
    node_cores: int = 16,
    node_gigabits: float = 10.0,
    store_gigabits: float = 100.0,
) -> float:
    """Return the seconds in which an archive is read.

    Args:
        cores: Number of cores, a reader on each.
        photos: Number of photos.
        photo_s: Seconds of a core for a photo.
        photo_bytes: Bytes of a photo.
        chunk: Photos in a chunk.
        task_s: Seconds that the engine adds to a chunk, on the node.
        start_s: Seconds until all readers are open.
        submit_s: Seconds that the head needs for a chunk.
        node_cores: Cores of a node.
        node_gigabits: Network of a node, 1e9 bits a second.
        store_gigabits: Network of the store.
    """
    nodes = -(-cores // node_cores)
    link = min(nodes * node_gigabits, store_gigabits) * 1e9 / 8
    compute = photos * (photo_s + task_s / chunk) / cores
    # whichever is narrowest: cores, network, head; then the last chunk
    return (
        start_s
        + max(compute, photos * photo_bytes / link, photos / chunk * submit_s)
        + (chunk * photo_s if cores > 1 else 0.0)
    )


def _charts(alone_s: float, photo_s: float) -> list[Chart]:
    """Return the charts of training and of bulk reading."""
    training = []
    for name, (gigabits, delay_s), tree in (
        ("line", LINKS[0], False),
        ("line", LINKS[1], False),
        ("line", LINKS[1], True),
        ("fots", LINKS[2], False),
        ("fots", LINKS[3], True),
    ):
        points = []
        for world in WORLDS:
            sum_s = all_reduce_s(world, 4 * PARAMETERS[name], gigabits, delay_s, tree=tree)
            points.append((world, alone_s / step_s(world, alone_s, sum_s)))
        label = f"{name}, {gigabits} Gb/s, {'tree' if tree else 'ring'}"
        training.append(Series(label, points))
    reading = []
    for photos in (1e4, 1e6, 1e7):
        points = []
        for cores in CORES:
            seconds = bulk_s(cores, photos, photo_s=photo_s)
            points.append((cores, photos * photo_s / seconds / cores))
        reading.append(Series(f"{photos:,.0f} photos", points))
    shares = [share / 5 for share in range(6)]
    return [
        Chart(
            f"Training: efficiency at a step of {alone_s * 1e3:g} ms (calculated)",
            "processes",
            WORLDS[::2],
            shares,
            training,
        ),
        Chart(
            f"Bulk reading: efficiency at {photo_s:g} CPU s a photo (calculated)",
            "cores",
            (1, 10, 100, 1000),
            shares,
            reading,
        ),
    ]


def main(argv: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument(
        "--photo-s", type=float, default=0.35, help="CPU seconds for a photo (default: %(default)s)"
    )
    parser.add_argument(
        "--step-ms", type=float, default=30.0, help="step of one process (default: %(default)s)"
    )
    parser.add_argument("--picture", type=Path, metavar="FILE.png", help="draw a picture as well")
    options = parser.parse_args(argv)
    if options.picture is not None:
        draw_charts(_charts(options.step_ms / 1e3, options.photo_s), options.picture)
    print(f"Training: efficiency at a step of {options.step_ms:g} ms")
    print("network  link Gb/s  sum   " + "".join(f"{world:>6}" for world in WORLDS))
    for name, parameters in PARAMETERS.items():
        for gigabits, delay_s in LINKS:
            for tree in (False, True):
                cells = []
                for world in WORLDS:
                    total = all_reduce_s(world, 4 * parameters, gigabits, delay_s, tree=tree)
                    alone_s = options.step_ms / 1e3
                    cells.append(f"{alone_s / step_s(world, alone_s, total):6.2f}")
                kind = "tree" if tree else "ring"
                print(f"{name:8} {gigabits:>9}  {kind}  {''.join(cells)}")
    print(f"\nBulk reading at {options.photo_s:g} CPU seconds a photo: hours (efficiency)")
    print("photos    " + "".join(f"{f'{cores} cores':>17}" for cores in CORES))
    for photos in (1e4, 1e6, 1e7):
        cells = []
        for cores in CORES:
            seconds = bulk_s(cores, photos, photo_s=options.photo_s)
            best = photos * options.photo_s / cores
            cells.append(f"{f'{seconds / 3600:.2f} ({best / seconds:.2f})':>17}")
        print(f"{photos:<10.0f}{''.join(cells)}")


if __name__ == "__main__":
    main()
