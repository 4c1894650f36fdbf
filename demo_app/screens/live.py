"""Live: the camera's picture, what is read in it, and the verdict."""

from __future__ import annotations

from typing import Any

from kivy.clock import Clock
from kivy.properties import (
    BooleanProperty,
    ListProperty,
    NumericProperty,
    ObjectProperty,
    StringProperty,
)
from kivy.uix.boxlayout import BoxLayout

from demo_app.language import tr
from demo_app.models.live import LiveView
from demo_app.models.words import verdict_title
from demo_app.screens.page import Page, load_layout
from demo_app.ui import widgets  # noqa: F401 the layout names them
from demo_app.ui.photo import PhotoView  # noqa: F401

_TICKS_PER_SECOND = 30


class LineView(BoxLayout):
    """A line: its cut-out and its text."""

    text = StringProperty("")
    mark = StringProperty("")


class RuleView(BoxLayout):
    """A rule and its result."""

    mark = StringProperty("ok")
    name = StringProperty("")
    reason = StringProperty("")
    detailed = BooleanProperty(True)


class LivePage(Page):
    """Shows the newest view of the live model, thirty times a second."""

    job = ObjectProperty(None, allownone=True)
    jobs = ListProperty([])
    record = ObjectProperty(None, allownone=True)
    running = BooleanProperty(False)
    line_count = NumericProperty(2)
    ok = NumericProperty(0)
    ng = NumericProperty(0)
    unreadable = NumericProperty(0)
    speed = StringProperty("")
    state_icon = StringProperty("pause")
    state_text = StringProperty("")
    alert = StringProperty("")
    state_mark = StringProperty("waiting")

    def __init__(self, **options: Any) -> None:
        """Show nothing yet."""
        self._shown: LiveView | None = None
        super().__init__(**options)
        self.bind(size=self._choose_line_count)

    def on_pre_enter(self, *_: Any) -> None:
        """Begin to look at the model."""
        self.load_jobs()
        self._shown = None
        Clock.unschedule(self.refresh)
        Clock.schedule_interval(self.refresh, 1 / _TICKS_PER_SECOND)
        self.refresh()

    def on_leave(self, *_: Any) -> None:
        """Look no longer: the station goes on."""
        Clock.unschedule(self.refresh)

    def load_jobs(self) -> None:
        """Take the names of the jobs that can be chosen."""
        work = self.app.work
        names = [entry.name for entry in work.jobs.entries() if entry.job is not None]
        self.job = work.job_name
        self.jobs = [(name, name) for name in names]

    def refresh(self, *_: Any) -> None:
        """Show what is new."""
        work = self.app.work
        view = work.live.view
        self.running = work.running
        counters = work.counters
        self.ok, self.ng = counters["ok"], counters["ng"]
        self.unreadable = counters["unreadable"]
        if view is self._shown:
            return
        self._shown = view
        self.photo.show(view.picture, view.boxes)
        self.record = view.record
        self._show_lines(view)
        self._show_rules(view)
        self.band.status, self.band.title = view.status, verdict_title(view.status)
        self._show_state(view)

    def start_or_pause(self) -> None:
        """Start the station, or pause it."""
        work = self.app.work
        self.app.guard(work.pause if work.running else work.start)
        self._shown = None
        self.refresh()

    def single_shot(self) -> None:
        """Read and judge one picture."""
        self.app.guard(self.app.work.single_shot)

    def teach(self) -> None:
        """Make a job from what is read now."""
        if self.app.guard(self.app.work.teach):
            self.app.go("jobs")

    def review(self) -> None:
        """Open the last verdict in the history, to correct it."""
        if self.record is not None:
            self.app.open_record(self.record)

    def choose_job(self, name: str | None) -> None:
        """Inspect for another job from now on."""
        if name and name != self.app.work.job_name:
            self.app.guard(lambda: self.app.work.choose_job(name))

    def on_key(self, key: str) -> bool:
        """Space starts and pauses, Enter takes a single shot, T teaches."""
        act = {
            "spacebar": self.start_or_pause,
            "enter": self.single_shot,
            "t": self.teach,
        }.get(key)
        if act is None:
            return False
        act()
        return True

    def _choose_line_count(self, *_: Any) -> None:
        self.line_count = 2 if self.height < 600 else 3
        self.lines.clear_widgets()
        for _row in range(self.line_count):
            self.lines.add_widget(LineView())
        self._shown = None

    def _show_lines(self, view: LiveView) -> None:
        views = self.lines.children[::-1]
        for widget, line in zip(views, view.lines, strict=False):
            widget.text, widget.mark = line.text, line.mark
            widget.ids.strip.show(line.strip, used=line.used)
            widget.opacity = 1
        for widget in views[len(view.lines) :]:
            widget.opacity = 0

    def _show_rules(self, view: LiveView) -> None:
        while len(self.rules.children) > len(view.rules):
            self.rules.remove_widget(self.rules.children[0])
        while len(self.rules.children) < len(view.rules):
            self.rules.add_widget(RuleView())
        for widget, rule in zip(self.rules.children[::-1], view.rules, strict=True):
            widget.mark, widget.name, widget.reason = rule.mark, rule.name, rule.reason
            widget.detailed = rule.mark != "ok"

    def _show_state(self, view: LiveView) -> None:
        work = self.app.work
        self.alert = "\n".join(
            text for text in (view.message if view.state == "lost" else "", view.problem) if text
        )
        lost = work.losses()
        if view.state == "lost":
            look = ("warning", tr("No camera"), "ng")
        elif lost:
            look = ("warning", lost, "unreadable")
        elif view.state == "ended":
            look = ("check", tr("All pictures are read"), "waiting")
        elif work.running:
            look = ("live", work.camera_name, "ok")
        else:
            look = ("pause", tr("Paused"), "waiting")
        self.state_icon, self.state_text, self.state_mark = look
        self.speed = (
            tr("{ms:.0f} ms a photo, {rate:.1f}/s").format(ms=view.ms, rate=view.rate)
            if view.ms
            else ""
        )


load_layout(__file__)
