"""Damage to bytes, and what must not come of it."""

from __future__ import annotations

from collections import Counter

import numpy as np

FAULT = "FAULT"
"""What the name of an outcome holds that must not be."""

_EDGES = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\1\0\0\0")


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """Return data with one to four kinds of damage: bits, numbers, parts lost, moved or put in."""
    content = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        if not content:
            break
        at = int(rng.integers(len(content)))
        length = int(min(2 ** rng.uniform(0, 11), len(content) - at))
        kind = rng.integers(8)
        if kind < 3:
            content[at] ^= 1 << int(rng.integers(8))
        elif kind == 3:
            edge = _EDGES[int(rng.integers(len(_EDGES)))]
            content[at : at + 4] = edge[: len(content) - at]
        elif kind == 4:
            content[at : at + length] = rng.bytes(length)
        elif kind == 5:
            content[at : at + length] = bytes(length)
        elif kind == 6:
            part = content[at : at + length]
            other = int(rng.integers(len(content)))
            content[other : other + length] = part[: len(content) - other]
        elif rng.random() < 0.5:
            del content[at:]
        else:
            del content[at : at + length]
    return bytes(content)


def checked(outcomes: Counter[str]) -> Counter[str]:
    """Return outcomes of which none is a fault.

    Raises:
        AssertionError: One is.
    """
    assert not any(FAULT in outcome for outcome in outcomes), outcomes
    return outcomes
