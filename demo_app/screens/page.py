"""The base class of all screens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kivy.app import App
from kivy.lang import Builder
from kivy.uix.screenmanager import Screen


class Page(Screen):
    """A screen of the station."""

    @property
    def app(self) -> Any:
        """The running app."""
        return App.get_running_app()

    def on_key(self, key: str) -> bool:
        """Handle a key that no field handled, and return whether this screen uses the key."""
        return False


def load_layout(module_file: str) -> None:
    """Load the layout beside a screen's module."""
    Builder.load_file(str(Path(module_file).with_suffix(".kv")))
