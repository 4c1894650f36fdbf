"""Versions that decide what is computed: nodes whose versions differ must not share work."""

from __future__ import annotations

import hashlib
import platform
import socket
from collections.abc import Mapping

from sdk.errors import ClusterError
from sdk.model.bundle import MANIFEST_NAME, Bundle

__all__ = ["check_same", "reader_origin", "versions"]


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


def reader_origin(model: str | None, variant: str | None) -> dict[str, str]:
    """Return the versions and the model that decide what a `Reader` of this process reads.

    Args:
        model: Name or folder of a bundle; None for the packaged one.
        variant: Variant of the bundle; None for the one that fits the CPU.

    Raises:
        ModelError: The bundle is missing or damaged, or has no such variant.
        DeviceError: No interpreter is installed.
    """
    from sdk.engine.interpreter import find_interpreter

    interpreter = find_interpreter().name
    return {**versions(), "interpreter": interpreter, "model": _model_digest(model, variant)}


def _model_digest(model: str | None, variant: str | None) -> str:
    """Return the SHA-256 of a bundle: of its manifest, and of its graphs or those it borrows."""
    bundle = Bundle.open(model, variant)  # compares the graphs with the manifest
    digest = hashlib.sha256((bundle.folder / MANIFEST_NAME).read_bytes())
    for role in sorted(bundle.roles):
        digest.update(bundle.graph(role).spec.sha256.encode())
    return digest.hexdigest()


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
