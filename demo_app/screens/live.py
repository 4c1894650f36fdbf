"""The live screen: the camera's picture, its reading, and the verdict."""

from __future__ import annotations

import time
from typing import Any

from kivy.clock import Clock
from kivy.properties import (
    BooleanProperty,
    ColorProperty,
    ListProperty,
    NumericProperty,
    ObjectProperty,
    StringProperty,
)
from kivy.uix.boxlayout import BoxLayout

from demo_app.language import tr
from demo_app.models.live import LiveView
from demo_app.models.product import CROP_SIZE, LineRow
from demo_app.models.reasons import explain, headline, main_reason
from demo_app.models.shift import Shift
from demo_app.models.words import clock, result_name, since, verdict_title
from demo_app.screens.page import Page, load_layout
from demo_app.ui.photo import PhotoView  # noqa: F401 the layout names it
from demo_app.ui.widgets import Paragraph, Sheet

_TICKS_PER_SECOND = 30


class LineView(BoxLayout):
    """A line with its crop, its text and its faults, or a missing line."""

    mark = StringProperty("")
    text = StringProperty("")
    rules = StringProperty("")
    reason = StringProperty("")
    stands_out = BooleanProperty(False)
    tint = ColorProperty("#ffffff")
    crop_shape = NumericProperty(CROP_SIZE[0] / CROP_SIZE[1])

    def show(self, row: LineRow) -> None:
        """Show a row of the model."""
        is_missing = row.crop is None
        self.mark, self.stands_out = row.mark, bool(row.broken)
        self.text = headline(row.results[0]) if is_missing else row.text
        # a missing line shows its rule in place of a text
        self.rules = "" if is_missing else ", ".join(map(result_name, row.results))
        self.reason = "\n".join(explain(result, with_lines=False) for result in row.broken)
        self.ids.crop.show(row.crop, used=row.used)


class LivePage(Page):
    """Shows the newest view of the live model, thirty times a second."""

    job = ObjectProperty(None, allownone=True)
    jobs = ListProperty([])
    record = ObjectProperty(None, allownone=True)
    running = BooleanProperty(False)
    ok = NumericProperty(0)
    ng = NumericProperty(0)
    unreadable = NumericProperty(0)
    share_ok = StringProperty("")
    pace = StringProperty("")
    since = StringProperty("")
    now = StringProperty("")
    state_icon = StringProperty("pause")
    state_text = StringProperty("")
    alert = StringProperty("")
    state_mark = StringProperty("waiting")

    def __init__(self, **options: Any) -> None:
        """Start without content."""
        self._shown: LiveView | None = None
        super().__init__(**options)

    def on_pre_enter(self, *_: Any) -> None:
        """Start to show the model."""
        self.load_jobs()
        self._shown = None
        Clock.unschedule(self.refresh)
        Clock.schedule_interval(self.refresh, 1 / _TICKS_PER_SECOND)
        self.refresh()

    def on_leave(self, *_: Any) -> None:
        """Stop showing the model. The station continues."""
        Clock.unschedule(self.refresh)

    def load_jobs(self) -> None:
        """Load the names of the jobs that can be chosen."""
        work = self.app.work
        names = [entry.name for entry in work.jobs.entries() if entry.job is not None]
        self.job = work.job_name
        self.jobs = [(name, name) for name in names]

    def refresh(self, *_: Any) -> None:
        """Show a new view completely, so that two products are never mixed."""
        work = self.app.work
        view = work.live.view
        self.running = work.running
        self.now = clock(time.time())
        self.pace = f"{work.live.pace():.0f}"
        if view is self._shown:
            return
        if self._shown is None or view.verdict is not self._shown.verdict:
            self.rows.parent.scroll_y = 1  # faults are at the top
        self._shown = view
        self.photo.show(view.picture, view.boxes)
        self.record = view.record
        self._show_rows(view)
        self._show_shift(view.shift)
        self.band.status, self.band.title = view.status, verdict_title(view.status)
        self.band.reason = "" if view.verdict is None else main_reason(view.verdict)
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
        """Create a job from the latest reading."""
        if self.app.guard(self.app.work.teach):
            self.app.go("jobs")

    def review(self) -> None:
        """Open the last verdict in the history, for a correction."""
        if self.record is not None:
            self.app.open_record(self.record)

    def ask_for_shift(self) -> None:
        """Let the user count from 0 again."""
        sheet = Sheet(title=tr("Shift since {time}").format(time=self.since))
        sheet.add(Paragraph(text=tr("A new shift counts from 0. The history keeps all verdicts.")))
        sheet.action(tr("Cancel"), icon="close")
        sheet.action(tr("New shift"), self._begin_shift, icon="reset", kind="primary")
        sheet.open()

    def choose_job(self, name: str | None) -> None:
        """Change the current job."""
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

    def _begin_shift(self) -> None:
        if self.app.guard(self.app.work.begin_shift):
            self.app.say(tr("A new shift has begun"), "reset")

    def _show_rows(self, view: LiveView) -> None:
        while len(self.rows.children) > len(view.rows):
            self.rows.remove_widget(self.rows.children[0])
        while len(self.rows.children) < len(view.rows):
            self.rows.add_widget(LineView())
        for widget, row in zip(self.rows.children[::-1], view.rows, strict=True):
            widget.show(row)

    def _show_shift(self, shift: Shift) -> None:
        self.ok, self.ng, self.unreadable = shift.ok, shift.ng, shift.unreadable
        share = shift.share_ok
        self.share_ok = "\N{EN DASH}" if share is None else f"{100 * share:.0f} %"
        self.since = since(shift.since)

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


load_layout(__file__)
