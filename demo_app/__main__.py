"""`python -m demo_app`: the inspection station on a screen.

Exit codes: 0 closed by the user, 1 a file, a camera or the display cannot be used, 2 wrong usage, 3
the model or the device cannot be used.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from demo_app.language import LANGUAGES, set_language
from demo_app.models.settings import DEMO, DEMO_JOB, LOOKS, Settings, load_settings
from sdk.errors import DeviceError, ModelError, OptionError, SdkError
from sdk.native_notes import native_notes_to_log

FAILED, USAGE, UNUSABLE = 1, 2, 3
# Starts of warnings of Kivy: on its new settings file, on optional libraries, and on a missing
# window, which `open_window` reports itself.
_NO_NEWS = ("Config:", "Cutbuffer:", "Input: MTDev", "Window: Unable to find")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the station until its window is closed, and return the exit code."""
    args = _parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        _run(args)
    except OptionError as error:
        return _fail(error, USAGE)
    except (ModelError, DeviceError) as error:
        return _fail(error, UNUSABLE)
    except (SdkError, OSError) as error:
        return _fail(error, FAILED)
    return 0


def _fail(error: Exception, code: int) -> int:
    print(f"ERROR: {error}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m demo_app",
        description="An inspection station: read and judge products in front of a camera.",
    )
    what = parser.add_argument_group("what to inspect")
    what.add_argument(
        "--camera", metavar="SOURCE", help="0, rtsp://..., a video, a folder, basler, ... or demo"
    )
    what.add_argument("--job", metavar="JOB", help="name of a job, or .toml file of a job")
    what.add_argument("--start", action="store_true", help="start at once")
    what.add_argument("--demo", action="store_true", help="inspect sample pictures, start at once")
    kept = parser.add_argument_group("storage")
    kept.add_argument(
        "--folder", type=Path, metavar="FOLDER", help="folder of settings, jobs, history, exports"
    )
    kept.add_argument("--history", type=Path, metavar="FILE", help="other file of the history")
    screen = parser.add_argument_group("screen")
    screen.add_argument("--size", type=_size, metavar="WxH", help="size of the window")
    screen.add_argument("--fullscreen", action="store_true", help="fill the screen")
    screen.add_argument("--look", choices=LOOKS, help="dark or light")
    screen.add_argument("--language", choices=LANGUAGES, help="language of the screen")
    screen.add_argument(
        "--screenshots", type=Path, metavar="FOLDER", help="save pictures of all screens and exit"
    )
    return parser


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{3,4})x(\d{3,4})", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 800x480")
    return int(found[1]), int(found[2])


@native_notes_to_log()
def _run(args: argparse.Namespace) -> None:
    folder = args.folder or _default_folder()
    folder.mkdir(parents=True, exist_ok=True)
    settings = _with_arguments(load_settings(folder), args)
    set_language(settings.screen.language)
    prepare_kivy(
        folder,
        size=args.size,
        fullscreen=args.fullscreen,
        touch_keyboard=settings.screen.touch_keyboard,
    )
    open_window()
    from demo_app.app import StationApp
    from demo_app.models.workplace import Workplace
    from demo_app.post import to_screen_thread

    work = Workplace(folder, settings, to_screen_thread)
    try:
        if args.job:
            work.take_job(args.job)
        app = StationApp(work)
        if args.demo or args.start or args.screenshots:
            try:
                work.start()
            except SdkError as error:
                # the user can select another camera on the screen
                work.warnings.append(str(error))
        if args.screenshots:
            from demo_app.screenshots import take_all

            take_all(app, args.screenshots)
        app.run()
    finally:
        work.close()


def _with_arguments(settings: Settings, args: argparse.Namespace) -> Settings:
    """Return the settings, changed by the arguments of the command line."""
    given = {"camera": args.camera, "look": args.look, "language": args.language}
    if args.history:
        given["history"] = str(args.history.absolute())
    if args.demo or args.camera == "demo":
        given["camera"] = DEMO
    if args.demo:
        given["job"] = DEMO_JOB
    return settings.changed(**{name: value for name, value in given.items() if value})


def _default_folder() -> Path:
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "fots-lite"


def prepare_kivy(
    folder: Path,
    *,
    size: tuple[int, int] | None = None,
    fullscreen: bool = False,
    touch_keyboard: bool = False,
) -> None:
    """Set the options that Kivy reads at its first import. No effect without Kivy.

    Args:
        folder: Folder for Kivy's own files.
        size: Width and height of the window, pixels.
        fullscreen: Whether the window fills the screen.
        touch_keyboard: Whether fields open a keyboard on the screen.
    """
    home = folder / "kivy"
    home.mkdir(exist_ok=True)
    os.environ.setdefault("KIVY_HOME", str(home))
    # no arguments, log file and log handlers of Kivy
    os.environ.setdefault("KIVY_NO_ARGS", "1")
    os.environ.setdefault("KIVY_NO_FILELOG", "1")
    os.environ.setdefault("KIVY_LOG_MODE", "PYTHON")
    # the only window provider that the screens are tested with
    os.environ.setdefault("KIVY_WINDOW", "sdl2")
    if sys.platform == "linux":
        # without these drivers, SDL would draw invisibly into memory if there is no display
        os.environ.setdefault("SDL_VIDEODRIVER", "x11,wayland,kmsdrm")
    logging.getLogger("kivy").addFilter(_is_news)
    try:
        from kivy.config import Config
    except ImportError:
        return  # `open_window` reports a missing Kivy
    width, height = size or (1280, 800)
    for section, name, value in (
        ("graphics", "width", width),
        ("graphics", "height", height),
        ("graphics", "fullscreen", "auto" if fullscreen else 0),
        # edges are drawn smoothly anyway, and multisampling would draw every pixel twice
        ("graphics", "multisamples", 0),
        ("input", "mouse", "mouse,disable_multitouch"),
        ("kivy", "log_level", "warning"),
        ("kivy", "exit_on_escape", 0),
        ("kivy", "keyboard_mode", "systemanddock" if touch_keyboard else "system"),
    ):
        Config.set(section, name, str(value))


def open_window() -> None:
    """Open the window, after `prepare_kivy`.

    Raises:
        SdkError: Kivy is missing, or there is no display.
    """
    try:
        from kivy.core.window import Window
    except ImportError as error:
        raise SdkError(
            f"The screen needs Kivy, which is missing ({error}). Install it: "
            "pip install 'fots-lite[demo]'"
        ) from error
    if Window is None:
        tried = os.environ.get("SDL_VIDEODRIVER", "the system's")
        raise SdkError(
            f"There is no display for the window (tried: {tried}). Start the station on a desktop, "
            "or under a compositor such as cage, or use `fots-lite station`, which needs no screen."
        )


def _is_news(record: logging.LogRecord) -> bool:
    """Tell whether a record of Kivy's log matters to the user."""
    if record.levelno < logging.WARNING:
        return False
    return not record.getMessage().startswith(_NO_NEWS)


if __name__ == "__main__":
    sys.exit(main())
