"""The names users import from `sdk`, each loaded when it is first asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import sdk


@pytest.mark.parametrize("name", sdk.__all__)
def test_every_public_name_is_there(name: str) -> None:
    value = getattr(sdk, name)
    assert name in dir(sdk)
    assert name == "__version__" or value is getattr(sdk, name)


def test_names_know_where_they_live() -> None:
    assert sdk.Reader.__module__ == "sdk.reader"
    assert sdk.Reading.__module__ == "sdk.results"
    assert issubclass(sdk.OptionError, sdk.SdkError)
    assert issubclass(sdk.OptionError, ValueError)
    assert all(issubclass(e, sdk.SdkError) for e in (sdk.ModelError, sdk.DeviceError))


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="module 'sdk' has no attribute 'Raeder'"):
        _ = sdk.Raeder  # type: ignore[attr-defined]
    with pytest.raises(ImportError):
        exec("from sdk import Raeder")


def test_results_and_errors_load_without_numpy() -> None:
    code = (
        "import sys, sdk\n"
        "sdk.Reading, sdk.SdkError\n"
        "assert not {'numpy', 'cv2', 'PIL'} & set(sys.modules), sorted(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
