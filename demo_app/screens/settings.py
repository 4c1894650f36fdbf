"""The settings screen: camera, reader, storage, outputs and screen."""

from __future__ import annotations

from functools import partial
from typing import Any

from kivy.properties import BooleanProperty, StringProperty

from demo_app.language import LANGUAGES, tr
from demo_app.models.settings import DEMO, Settings
from demo_app.screens.labeled import labeled
from demo_app.screens.page import Page, load_layout
from demo_app.ui.widgets import Card, Choice, Field, Paragraph


class Group(Card):
    """A group of settings."""

    title = StringProperty("")


class SettingsPage(Page):
    """Edits a copy of the settings and applies it as a whole."""

    changed = BooleanProperty(False)
    is_wide = BooleanProperty(False)
    note = StringProperty("")

    def __init__(self, **options: Any) -> None:
        """Start without a change."""
        self._draft = Settings()
        super().__init__(**options)

    def on_pre_enter(self, *_: Any) -> None:
        """Show the settings in use."""
        self.discard()

    def discard(self) -> None:
        """Show the settings in use."""
        self._draft = self.app.work.settings
        self.changed = False
        self.show()

    def apply(self) -> None:
        """Apply and save the settings."""
        draft = self._draft
        if self.app.guard(lambda: self.app.work.apply(draft)):
            self.app.take_settings()
            self.discard()
            self.app.say(tr("Settings applied"), "save")

    def show(self) -> None:
        """Show the draft."""
        self.note = tr("Kept in {folder}").format(folder=self.app.work.folder)
        self.first.clear_widgets()
        for group in (self._camera(), self._reader()):
            self.first.add_widget(group)
        self.second.clear_widgets()
        for group in (self._storage(), self._screen(), self._outputs()):
            self.second.add_widget(group)

    def _camera(self) -> Group:
        known = [
            (DEMO, tr("Sample pictures")),
            ("0", tr("USB camera {n}").format(n=0)),
            ("1", tr("USB camera {n}").format(n=1)),
            ("picamera2", tr("Raspberry Pi camera")),
            ("basler", tr("Basler camera")),
        ]
        camera = self._draft.get("camera")
        if camera not in dict(known):
            known.append((camera, camera))
        return self._group(
            tr("Camera"),
            labeled(tr("Source"), self._choice("camera", tr("Source"), known)),
            labeled(tr("Pace"), self._pace()),
            labeled(tr("Other source"), self._field("camera", tr("rtsp://…, a file, a folder"))),
        )

    def _pace(self) -> Choice:
        paces = [(0.0, tr("As fast as it reads"))]
        paces += [(s, tr("Every {seconds:g} s").format(seconds=s)) for s in (0.2, 0.5, 1.0, 2.0)]
        every = self._draft.get("every")
        if every not in dict(paces):
            paces.append((every, tr("Every {seconds:g} s").format(seconds=every)))
        return self._choice("every", tr("Pace"), paces)

    def _reader(self) -> Group:
        devices = [(name, name) for name in _DEVICES]
        device = self._draft.get("device")
        if device not in _DEVICES:
            devices.append((device, device))
        threads = [(0, tr("All cores, at most 4")), *((n, str(n)) for n in (1, 2, 3, 4))]
        return self._group(
            tr("Reader"),
            labeled(tr("Device"), self._choice("device", tr("Device"), devices)),
            labeled(tr("Threads"), self._choice("threads", tr("Threads"), threads)),
            labeled(tr("Model"), self._field("model", tr("the packaged one"))),
        )

    def _storage(self) -> Group:
        policies = [("none", tr("None")), ("ng", tr("NG only")), ("all", tr("All"))]
        sizes = [(n, f"{n} MB" if n < 1000 else f"{n // 1000} GB") for n in _SIZES]
        quota = self._draft.get("quota_mb")
        if quota not in dict(sizes):
            sizes.append((quota, f"{quota:g} MB"))
        return self._group(
            tr("Storage"),
            labeled(tr("Full pictures"), self._choice("pictures", tr("Full pictures"), policies)),
            labeled(tr("Space"), self._choice("quota_mb", tr("Space"), sizes)),
        )

    def _screen(self) -> Group:
        languages = [("", tr("As the system")), *LANGUAGES.items()]
        looks = [("dark", tr("Dark")), ("light", tr("Light"))]
        yes_no = [(False, tr("No")), (True, tr("Yes"))]
        return self._group(
            tr("Screen"),
            labeled(tr("Language"), self._choice("language", tr("Language"), languages)),
            labeled(tr("Look"), self._choice("look", tr("Look"), looks)),
            labeled(
                tr("Keyboard on screen"),
                self._choice("touch_keyboard", tr("Keyboard on screen"), yes_no),
            ),
        )

    def _outputs(self) -> Group:
        texts = [
            tr("{name}: {sent} sent, {failed} failed, {dropped} dropped").format(
                name=row.name, sent=row.sent, failed=row.failed, dropped=row.dropped
            )
            + (f"\n{row.error}" if row.error else "")
            for row in self.app.work.outputs()
        ]
        file = self.app.work.folder / "station.toml"
        texts.append(tr("Outputs are set up in {file}.").format(file=file))
        return self._group(tr("Outputs"), *(Paragraph(text=text) for text in texts))

    def _group(self, title: str, *rows: Any) -> Group:
        group = Group(title=title)
        for row in rows:
            group.add_widget(row)
        return group

    def _choice(self, name: str, title: str, values: list[tuple[Any, str]]) -> Choice:
        choice = Choice(title=title, values=values, value=self._draft.get(name))
        choice.bind(value=partial(self._set, name))
        return choice

    def _field(self, name: str, hint: str) -> Field:
        value = self._draft.get(name)
        field = Field(text="" if value == DEMO else value, hint_text=hint)
        field.bind(text=partial(self._set, name))
        return field

    def _set(self, name: str, _widget: Any, value: Any) -> None:
        if name == "camera":
            value = value.strip() or DEMO
        self._draft = self._draft.changed(**{name: value})
        self.changed = self._draft != self.app.work.settings


_DEVICES = ("auto", "cpu", "gpu", "edgetpu")
_SIZES = (100, 500, 2000, 10_000, 50_000)

load_layout(__file__)
