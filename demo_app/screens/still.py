"""The still screen: one photo, its lines and their characters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kivy.core.clipboard import Clipboard
from kivy.core.window import Window
from kivy.properties import (
    BooleanProperty,
    ColorProperty,
    NumericProperty,
    ObjectProperty,
    StringProperty,
)
from kivy.uix.boxlayout import BoxLayout

from demo_app.language import tr
from demo_app.models.picture import confidence_color, scaled
from demo_app.models.still import Photo
from demo_app.screens.files import FileSheet
from demo_app.screens.page import Page, load_layout
from demo_app.ui.photo import PhotoView  # noqa: F401 the layout names it
from demo_app.ui.widgets import Row

# Small GPUs may not support larger textures.
_LARGEST = 2048


class CharView(BoxLayout):
    """A character and its confidence in percent."""

    text = StringProperty("")
    confidence = NumericProperty(0.0)
    tint = ColorProperty("#ffffff")


class FoundRow(Row):
    """A line that was found."""

    text = StringProperty("")
    confidence = NumericProperty(0.0)
    tint = ColorProperty("#ffffff")


class LinePanel(BoxLayout):
    """The chosen line."""

    page = ObjectProperty()
    summary = StringProperty("")
    text = StringProperty("")


class LinesPanel(BoxLayout):
    """All lines."""

    page = ObjectProperty()
    summary = StringProperty("")


class StillPage(Page):
    """Shows the still model."""

    title = StringProperty("")
    labels = BooleanProperty(True)

    def __init__(self, **options: Any) -> None:
        """Accept photos that are dropped on the window."""
        super().__init__(**options)
        Window.bind(on_drop_file=self._take_dropped)

    def on_pre_enter(self, *_: Any) -> None:
        """Show the model."""
        self.show()

    def choose_file(self) -> None:
        """Let the user choose a photo."""
        FileSheet(self.app.work.photo_folder, self.open_file).open()

    def open_file(self, path: Path) -> None:
        """Read a photo in the background, then show it."""
        still = self.app.work.still
        self.app.busy(lambda: still.load(path, path.name), self._take)

    def take_live(self) -> None:
        """Read the newest picture of the camera."""
        latest = self.app.work.live.latest
        if latest is None:
            self.app.say(tr("There is no picture of the camera yet."), "warning")
            return
        still, picture = self.app.work.still, latest[0].image
        name = latest[0].name or tr("Camera picture")
        self.app.busy(lambda: still.load(picture, name), self._take)

    def choose(self, index: int) -> None:
        """Choose a line."""
        self.app.work.still.choose(index)
        self.show()

    def copy(self) -> None:
        """Copy the chosen line, or all lines."""
        Clipboard.copy(self.app.work.still.text)
        self.app.say(tr("Copied"), "copy")

    def correct(self, text: str) -> None:
        """Correct the line, and record the photo with the correction in the history."""
        work, still = self.app.work, self.app.work.still
        if self.app.guard(lambda: still.correct(text)):
            photo, texts = still.photo, "\n".join(still.texts)
            self.app.busy(lambda: work.keep_photo(photo, texts), self._kept)

    def show(self) -> None:
        """Show the model."""
        still = self.app.work.still
        photo = still.photo
        if photo is None:
            self.photo.show(None)
            self.title = ""
        else:
            self.title = photo.name
            self.photo.show(scaled(photo.picture, _LARGEST, _LARGEST), still.boxes)
        self.photo.chosen = still.chosen
        self.side.clear_widgets()
        self.side.add_widget(self._lines_panel() if still.chosen < 0 else self._line_panel())

    def on_key(self, key: str) -> bool:
        """O opens, plus and minus zoom, 0 fits, Escape closes the line, C copies."""
        act = {
            "o": self.choose_file,
            "+": lambda: self.photo.zoom_by(1.5),
            "-": lambda: self.photo.zoom_by(1 / 1.5),
            "0": self.photo.fit,
            "c": self.copy,
            "escape": lambda: self.choose(-1),
        }.get(key)
        if act is None:
            return False
        act()
        return True

    def _take(self, photo: Photo) -> None:
        self.app.work.still.show(photo)
        self.photo.fit()
        self.show()

    def _take_dropped(self, _window: Any, path: bytes, *_: Any) -> None:
        if self.app.page_name == "still":
            self.open_file(Path(path.decode(errors="surrogateescape")))

    def _kept(self, _record: int) -> None:
        self.app.say(tr("Correction saved in the history"), "save")
        self.show()

    def _lines_panel(self) -> LinesPanel:
        still = self.app.work.still
        lines = () if still.photo is None else still.photo.reading.lines
        panel = LinesPanel(page=self, summary=tr("Lines found: {n}").format(n=len(lines)))
        for index, line in enumerate(lines):
            row = FoundRow(
                text=still.texts[index],
                confidence=line.confidence,
                tint=(*confidence_color(line), 1),
                on_release=lambda _row, i=index: self.choose(i),
            )
            panel.ids.rows.add_widget(row)
        panel.ids.copy_all.disabled = not lines
        return panel

    def _line_panel(self) -> LinePanel:
        still = self.app.work.still
        line = still.photo.reading[still.chosen]
        panel = LinePanel(
            page=self,
            text=still.texts[still.chosen],
            summary=tr("Confidence {percent:.0f} %").format(percent=100 * line.confidence),
        )
        panel.ids.crop.show(still.crop())
        for char in still.chars():
            tint = (*confidence_color(char), 1)
            panel.ids.chars.add_widget(
                CharView(text=char.text, confidence=char.confidence, tint=tint)
            )
        return panel


load_layout(__file__)
