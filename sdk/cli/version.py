"""`fots-lite --version`: the versions of the program, the packaged model and the interpreter."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from sdk import __version__
from sdk.errors import SdkError

__all__ = ["ShowVersions"]


class ShowVersions(argparse.Action):
    """Prints the versions and ends the program."""

    def __init__(self, option_strings: Sequence[str], dest: str, **options: Any) -> None:
        """Declare an option without a value."""
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, **options)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print the versions, or the reason why a part is missing, and exit."""
        print(f"fots-lite {__version__}")
        print(f"model {_model()}")
        print(f"interpreter {_interpreter()}")
        parser.exit()


def _model() -> str:
    from sdk.model.bundle import read_manifest

    try:
        _, manifest = read_manifest(None)
    except SdkError as error:
        return f"missing: {error}"
    return f"{manifest.name} {manifest.version}"


def _interpreter() -> str:
    from sdk.engine.interpreter import find_interpreter

    try:
        return find_interpreter().name
    except SdkError as error:
        return f"missing: {error}"
