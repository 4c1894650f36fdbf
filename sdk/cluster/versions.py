"""Versions that decide what is computed: nodes whose versions differ must not share work."""

from __future__ import annotations

import platform
import socket
from collections.abc import Mapping

from sdk.errors import ClusterError

__all__ = ["check_same", "versions"]


def versions() -> dict[str, str]:
    """Return the versions of the program and its libraries in this process."""
    import cv2
    import numpy as np
    import PIL

    from sdk import __version__

    return {
        "fots-lite": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "pillow": PIL.__version__,
    }


def check_same(wanted: Mapping[str, str], found: Mapping[str, str]) -> None:
    """Refuse this node if it would compute with something else than the head.

    Raises:
        ClusterError: A value differs; the message names the node and all differences.
    """
    other = [
        f"{name} is {found.get(name)!r}, not {value!r}"
        for name, value in wanted.items()
        if found.get(name) != value
    ]
    if other:
        raise ClusterError(
            f"The node {socket.gethostname()} differs from the head: {'; '.join(other)}. "
            "Install the same on every node; what is done is kept."
        )
