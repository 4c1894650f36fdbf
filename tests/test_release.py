"""The package has one version, and what speaks of a release speaks of that one."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from sdk import __version__
from sdk.model.bundle import DEFAULT_BUNDLE

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
MODEL = json.loads((DEFAULT_BUNDLE / "model.json").read_text(encoding="utf-8"))["version"]


def test_package_takes_its_version_from_the_runtime() -> None:
    about = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" not in about["project"]
    assert about["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "sdk.__version__"}
    # setuptools reads it without an import, and buildozer by this expression
    source = (ROOT / "sdk" / "__init__.py").read_text(encoding="utf-8")
    assert re.findall(r'^__version__ = "(.*)"$', source, re.MULTILINE) == [__version__]


def test_newest_release_of_the_changelog_is_this_one() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = re.findall(r"^## \[(\d.*?)\] - \d{4}-\d\d-\d\d$", text, re.MULTILINE)
    assert releases[0] == __version__
    assert releases == sorted(releases, key=lambda r: [*map(int, r.split("."))], reverse=True)


def test_model_card_is_of_the_packaged_model() -> None:
    card = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
    assert card.startswith(f"# The default model: fots-lite {MODEL}\n")
    [row] = re.findall(rf"^\| {re.escape(MODEL)} \|(.*?)\|", card, re.MULTILINE)
    assert __version__ in row
