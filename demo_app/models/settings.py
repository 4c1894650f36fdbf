"""What the station remembers between two starts, in one TOML file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from demo_app.language import LANGUAGES
from sdk.engine import DEVICES
from sdk.errors import OptionError
from sdk.files import write_atomically
from sdk.station.tables import build, dump_toml, parse_toml, read_text, to_table

__all__ = ["DEMO", "Settings", "load_settings", "save_settings"]

DEMO = "demo"
"""Name of the camera that shows the sample pictures."""

LOOKS = ("dark", "light")
PICTURES = ("none", "ng", "all")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user chose.

    Attributes:
        camera: Source as `sdk.camera.open_camera` takes it, or "demo".
        job: Name of the job, "" for none yet.
        device: Where the model runs.
        model: Folder of a model bundle, "" for the packaged one.
        threads: CPU threads, 0 for the usable cores.
        pictures: Which full pictures the history keeps: "none", "ng" or "all".
        quota_mb: Space for them in megabytes.
        look: "dark" or "light".
        language: Code of `LANGUAGES`, "" for the system's.
        touch_keyboard: Whether fields bring up a keyboard on the screen.
    """

    camera: str = DEMO
    job: str = ""
    device: str = "auto"
    model: str = ""
    threads: int = 0
    pictures: str = "ng"
    quota_mb: int = 500
    look: str = "dark"
    language: str = ""
    touch_keyboard: bool = False

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            OptionError: One is not legal.
        """
        for name, value, legal in (
            ("device", self.device, tuple(DEVICES)),
            ("pictures", self.pictures, PICTURES),
            ("look", self.look, LOOKS),
            ("language", self.language, ("", *LANGUAGES)),
        ):
            if value not in legal:
                raise OptionError(f"{name} is {value!r}. Give one of {', '.join(legal)}.")
        if self.threads < 0 or self.quota_mb < 1:
            raise OptionError(
                f"threads is {self.threads}, quota_mb is {self.quota_mb}. "
                "Give at least 0 threads and 1 megabyte."
            )


def load_settings(path: Path) -> Settings:
    """Return the settings in a file, those of a new station if there is no file.

    Raises:
        SdkError: The file is damaged, or a value is not legal.
    """
    if not path.exists():
        return Settings()
    return build(Settings, parse_toml(read_text(path), str(path)), str(path))


def save_settings(settings: Settings, path: Path) -> None:
    """Write the settings, wholly or not at all.

    Raises:
        SdkError: The folder is missing or not writable, or the disk is full.
    """
    write_atomically(path, dump_toml(to_table(settings)).encode())
