"""The about screen: facts on the station, and a self-check."""

from __future__ import annotations

from typing import Any

from kivy.properties import BooleanProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from demo_app.models.check import Check
from demo_app.screens.page import Page, load_layout


class FactRow(BoxLayout):
    """A name and a value."""

    name = StringProperty("")
    value = StringProperty("")


class CheckRow(BoxLayout):
    """The result of a check."""

    mark = StringProperty("ok")
    name = StringProperty("")
    detail = StringProperty("")


class AboutPage(Page):
    """Shows the facts and runs the check."""

    running = BooleanProperty(False)

    def on_pre_enter(self, *_: Any) -> None:
        """Show the facts."""
        self.facts.clear_widgets()
        for name, value in self.app.work.facts():
            self.facts.add_widget(FactRow(name=name, value=value))

    def run(self) -> None:
        """Run the check in the background."""
        self.running = True
        self.app.busy(self.app.work.self_check, self._show, self._stop)

    def _show(self, checks: list[Check]) -> None:
        self._stop()
        self.checks.clear_widgets()
        for check in checks:
            self.checks.add_widget(CheckRow(mark=check.mark, name=check.name, detail=check.detail))

    def _stop(self, _message: str = "") -> None:
        self.running = False


load_layout(__file__)
