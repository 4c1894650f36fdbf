"""The Kivy app: window, navigation, and functions for all screens."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kivy.app import App
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.lang import Builder
from kivy.properties import NumericProperty, ObjectProperty
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.widget import Widget

from demo_app import language
from demo_app.screens.about import AboutPage
from demo_app.screens.history import HistoryPage
from demo_app.screens.jobs import JobsPage
from demo_app.screens.live import LivePage
from demo_app.screens.settings import SettingsPage
from demo_app.screens.still import StillPage
from demo_app.ui.theme import Theme, scale_for
from demo_app.ui.widgets import Field, RailItem
from sdk.errors import SdkError

if TYPE_CHECKING:
    from demo_app.models.workplace import Workplace

logger = logging.getLogger("demo_app")

_WATCH_S = 2.0

PAGES = {
    "live": LivePage,
    "still": StillPage,
    "history": HistoryPage,
    "jobs": JobsPage,
    "settings": SettingsPage,
    "about": AboutPage,
}


class Root(FloatLayout):
    """The navigation rail, the screens, and the messages on top."""


class StationApp(App):
    """The inspection station.

    Attributes:
        work: The workplace, that is, all parts except the screens.
        u: Pixels per unit of the layout.
        theme: The current colors.
        tr: Translates a text. The function is replaced when the language changes.
    """

    kv_file = ""
    title = "FOTS-lite"
    u = NumericProperty(1.0)
    theme = ObjectProperty(None)
    tr = ObjectProperty(language.tr)

    def __init__(self, work: Workplace, **options: Any) -> None:
        """Prepare the app.

        Args:
            work: The workplace.
            **options: Options of Kivy's `App`.
        """
        self.work = work
        self.theme = Theme()
        self._training = "idle"
        super().__init__(**options)

    def build(self) -> Root:
        """Create the content of the window."""
        self.take_settings()
        self._measure()
        Window.bind(size=self._measure)
        root = Root()
        for name, page in PAGES.items():
            root.pages.add_widget(page(name=name))
        self.root = root
        self._fill_rail()
        return root

    def on_start(self) -> None:
        """Show the first screen."""
        # after Kivy's binding of F1, because the last binding is called first
        Window.bind(on_keyboard=self._on_keyboard)
        self.go("live")
        Clock.schedule_interval(self._watch_training, _WATCH_S)
        for message in self.work.warnings:
            self.say(message, "warning")

    def on_stop(self) -> None:
        """Stop the station after it has written its results."""
        Clock.unschedule(self._watch_training)
        Window.unbind(size=self._measure, on_keyboard=self._on_keyboard)
        self.work.close()

    @property
    def page_name(self) -> str:
        """The name of the screen that is shown."""
        return str(self.root.pages.current)

    @property
    def page(self) -> Any:
        """The screen that is shown."""
        return self.root.pages.current_screen

    def go(self, name: str) -> None:
        """Show a screen."""
        self.root.pages.current = name
        for item in self.root.rail.children:
            if isinstance(item, RailItem):
                item.active = item.icon == name

    def open_record(self, record: int) -> None:
        """Show a verdict in the history."""
        self.go("history")
        self.page.open(record)

    def say(self, text: str, icon: str = "about") -> None:
        """Show a message for a while."""
        self.root.toast.show(text, icon)

    def guard(self, act: Callable[[], object]) -> bool:
        """Run an action, show the error if it fails, and return whether it succeeded."""
        try:
            act()
        except (SdkError, OSError) as error:
            self.say(str(error), "warning")
            return False
        return True

    def busy(
        self,
        work: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[str], None] | None = None,
    ) -> None:
        """Run work in the background, then call `done` with its result, or show the error."""

        def fail(message: str) -> None:
            self.say(message, "warning")
            if failed is not None:
                failed(message)

        self.work.background.run(work, done, fail)

    def take_settings(self) -> None:
        """Apply language and look of the settings."""
        settings = self.work.settings
        language.set_language(settings.screen.language)
        self.theme.look = settings.screen.look
        # a new function object, so that all widgets translate their texts again
        self.tr = lambda message: language.tr(message)
        if self.root is not None:
            self._fill_rail()
            self.go(self.page_name)

    def _watch_training(self, *_: Any) -> None:
        """Tell the end of a training, whatever screen is shown."""
        before, self._training = self._training, self.work.specialist.state
        if before == "running" and self._training in ("done", "failed"):
            name = self.work.specialist.job_name
            self.say(
                language.tr("The training for {job} has ended. See Jobs.").format(job=name), "teach"
            )

    def _fill_rail(self) -> None:
        names = {
            "live": language.tr("Live"),
            "still": language.tr("Still"),
            "history": language.tr("History"),
            "jobs": language.tr("Jobs"),
            "settings": language.tr("Settings"),
            "about": language.tr("About"),
        }
        self.root.rail.clear_widgets()
        for name, text in names.items():
            item = RailItem(text=text, icon=name, active=name == self.page_name)
            item.bind(on_release=lambda _item, n=name: self.go(n))
            self.root.rail.add_widget(item)
        self.root.rail.add_widget(Widget())

    def _measure(self, *_: Any) -> None:
        self.u = scale_for(*Window.size)

    def _on_keyboard(
        self, _window: Any, key: int, _code: int, text: str | None, modifiers: list[str]
    ) -> bool:
        """Handle a key that the widget with the focus did not handle."""
        name = _KEYS.get(key, text or "")
        if name in _PAGE_KEYS:
            self.go(_PAGE_KEYS[name])
            return True
        if name == "f11":
            Window.fullscreen = False if Window.fullscreen else "auto"
            return True
        if Field.focused is None and not modifiers and self.page.on_key(name):
            return True
        return name == "escape"  # otherwise Escape would end the program


Builder.load_file(str(Path(__file__).with_suffix(".kv")))

# SDL's codes of the keys that all screens handle.
_KEYS = {13: "enter", 271: "enter", 32: "spacebar", 27: "escape", 292: "f11"} | {
    281 + n: f"f{n}" for n in range(1, 7)
}
_PAGE_KEYS = {f"f{n}": name for n, name in enumerate(PAGES, 1)}
