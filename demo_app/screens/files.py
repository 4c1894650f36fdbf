"""A dialog for picture files, with rows large enough for a finger."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kivy.properties import StringProperty

from demo_app.language import tr
from demo_app.models.files import FileEntry, list_folder
from demo_app.screens.page import load_layout
from demo_app.ui.widgets import Row, Sheet
from sdk.errors import SdkError


class FileRow(Row):
    """A folder or a picture."""

    text = StringProperty("")
    icon = StringProperty("file")


class FileSheet(Sheet):
    """Shows folders and pictures, and calls `done` with the selected picture."""

    def __init__(self, folder: Path, done: Callable[[Path], object], **options: Any) -> None:
        """Show a folder.

        Args:
            folder: The first folder.
            done: Called with the selected picture.
            **options: Options of `Sheet`.
        """
        super().__init__(**options)
        self._done = done
        self.action(tr("Cancel"), icon="close")
        self.show(folder)

    def show(self, folder: Path) -> None:
        """Show a folder. If it cannot be opened, keep the present folder."""
        try:
            entries = list_folder(folder)
        except SdkError:
            return
        self.title = str(folder)
        self.body.clear_widgets()
        for entry in entries:
            icon = "folder" if entry.is_folder else "still"
            row = FileRow(text=entry.name, icon=icon)
            row.bind(on_release=lambda _row, e=entry: self._take(e))
            self.add(row)

    def _take(self, entry: FileEntry) -> None:
        if entry.is_folder:
            self.show(entry.path)
        else:
            self.dismiss()
            self._done(entry.path)


load_layout(__file__)
