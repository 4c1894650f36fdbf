"""Folders that all nodes must see at the same place."""

from __future__ import annotations

from pathlib import Path

from sdk.errors import ClusterError

__all__ = ["check_seen"]


def check_seen(path: Path) -> None:
    """Refuse this node if it does not see a folder or a file of the head.

    Raises:
        ClusterError: There is nothing at this path.
    """
    if not path.exists():
        raise ClusterError(
            f"It does not see {path}. Mount the folder at the same place on every node."
        )
