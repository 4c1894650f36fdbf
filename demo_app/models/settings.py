"""The settings of the station, in two TOML files of its folder.

`station.toml` is a `StationConfig`, so that the same folder also works without a screen.
`screen.toml` has the settings of the screen alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from demo_app.language import LANGUAGES
from sdk.errors import OptionError
from sdk.files import write_atomically
from sdk.station.config import StationConfig, load_config, save_config
from sdk.station.tables import build, dump_toml, parse_toml, read_text, to_table

__all__ = [
    "DEMO",
    "DEMO_JOB",
    "LOOKS",
    "SAMPLES",
    "Screen",
    "Settings",
    "load_settings",
    "save_settings",
]

SAMPLES = Path(__file__).parent.parent / "samples"
DEMO = f"{SAMPLES}?loop&fps=0.6"
"""The sample pictures as a camera, slow enough to read the screen."""

DEMO_JOB = "Steripad"
LOOKS = ("dark", "light")
_STATION = "station.toml"
_SCREEN = "screen.toml"


@dataclass(frozen=True, slots=True)
class Screen:
    """Settings of the screen.

    Attributes:
        look: "dark" or "light".
        language: Code of `LANGUAGES`, "" for the system's language.
        touch_keyboard: Whether fields open a keyboard on the screen, from the next start on.
    """

    look: str = "dark"
    language: str = ""
    touch_keyboard: bool = False

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            OptionError: A value is not legal.
        """
        for name, value, legal in (
            ("look", self.look, LOOKS),
            ("language", self.language, ("", *LANGUAGES)),
        ):
            if value not in legal:
                raise OptionError(f"{name} is {value!r}. Give one of {', '.join(legal)}.")


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of the user. The name of a value decides between the two parts."""

    station: StationConfig = field(default_factory=lambda: StationConfig(camera=DEMO))
    screen: Screen = field(default_factory=Screen)

    def get(self, name: str) -> Any:
        """Return a value."""
        return getattr(self.screen if name in _SCREEN_NAMES else self.station, name)

    def changed(self, **values: Any) -> Settings:
        """Return settings with other values.

        Raises:
            SdkError: A value is not legal.
        """
        screen = {name: value for name, value in values.items() if name in _SCREEN_NAMES}
        station = {name: value for name, value in values.items() if name not in _SCREEN_NAMES}
        return Settings(replace(self.station, **station), replace(self.screen, **screen))


_SCREEN_NAMES = {f.name for f in fields(Screen)}


def load_settings(folder: Path) -> Settings:
    """Return the settings of a folder. A missing file has the settings of a new station.

    Raises:
        SdkError: A file is damaged, or a value is not legal.
    """
    settings = Settings()
    if (folder / _STATION).exists():
        settings = replace(settings, station=load_config(folder / _STATION))
    path = folder / _SCREEN
    if path.exists():
        table = parse_toml(read_text(path), str(path))
        settings = replace(settings, screen=build(Screen, table, str(path)))
    return settings


def save_settings(settings: Settings, folder: Path) -> None:
    """Write both files, each completely or not at all.

    Raises:
        SdkError: The folder is missing or not writable, or the disk is full.
    """
    save_config(settings.station, folder / _STATION)
    write_atomically(folder / _SCREEN, dump_toml(to_table(settings.screen)).encode())
