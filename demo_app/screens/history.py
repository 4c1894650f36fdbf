"""The history screen: all verdicts, their pictures, and corrections."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from kivy.clock import Clock
from kivy.core.clipboard import Clipboard
from kivy.properties import NumericProperty, ObjectProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from demo_app.language import tr
from demo_app.models.history import HistoryRow
from demo_app.models.picture import scaled
from demo_app.models.product import product_boxes
from demo_app.models.reasons import explain, main_reason
from demo_app.models.words import clock, status_name
from demo_app.screens.page import Page, load_layout
from demo_app.ui.photo import PhotoView  # noqa: F401 the layout names it
from demo_app.ui.widgets import Push, Row, Sheet
from sdk.station import Record


class RecordRow(Row):
    """A verdict in the list."""

    text = StringProperty("")
    detail = StringProperty("")
    mark = StringProperty("ok")


class StatColumn(BoxLayout):
    """The products of an hour, as shares of the largest hour's products."""

    hour = StringProperty("")
    ok = NumericProperty(0.0)
    ng = NumericProperty(0.0)
    unreadable = NumericProperty(0.0)


class JobStat(BoxLayout):
    """A job and its share of OK products."""

    name = StringProperty("")
    share = NumericProperty(0.0)
    text = StringProperty("")


class StatisticsPanel(BoxLayout):
    """The statistics of the line."""

    total = StringProperty("0")
    ok = StringProperty("0")
    ng = StringProperty("0")
    unreadable = StringProperty("0")


class RecordPanel(BoxLayout):
    """The chosen verdict."""

    page = ObjectProperty()
    mark = StringProperty("ok")
    title = StringProperty("")
    detail = StringProperty("")
    reasons = StringProperty("")
    text = StringProperty("")


class HistoryPage(Page):
    """Shows the history model."""

    status = ObjectProperty(None, allownone=True)
    summary = StringProperty("")
    first = NumericProperty(0)
    last = NumericProperty(0)
    total = NumericProperty(0)

    def __init__(self, **options: Any) -> None:
        """Start without content."""
        # a pause in typing starts the search, not every key
        self._list_soon = Clock.create_trigger(lambda _: self.show_rows(), 0.25)
        super().__init__(**options)

    def on_pre_enter(self, *_: Any) -> None:
        """Show the newest verdicts."""
        self.show_rows()
        self.show_side()

    def choose_status(self, status: str | None) -> None:
        """List the verdicts of one status, or all."""
        self.app.work.history.filter(status=status, text=self.ids.search.text)
        self.show_rows()

    def search(self, text: str) -> None:
        """List the verdicts with a text."""
        model = self.app.work.history
        model.filter(status=model.status, text=text)
        self._list_soon()

    def turn(self, pages: int) -> None:
        """Go to older or newer verdicts."""
        self.app.work.history.turn(pages)
        self.show_rows()

    def open(self, record_id: int | None) -> None:
        """Show a verdict, or the statistics with None."""
        if self.app.guard(lambda: self.app.work.history.choose(record_id)):
            self._mark_chosen()
            self.show_side()

    def copy(self, text: str) -> None:
        """Copy the text."""
        Clipboard.copy(text)
        self.app.say(tr("Copied"), "copy")

    def correct(self, text: str) -> None:
        """Record the corrected text of the product."""
        if self.app.guard(lambda: self.app.work.history.correct(text)):
            self.app.say(tr("Correction saved"), "save")
            self.show_rows()
            self.show_side()

    def choose_export(self) -> None:
        """Let the user choose the format of an export."""
        sheet = Sheet(title=tr("Export the listed verdicts"))
        kinds = {
            "csv": tr("Table (CSV)"),
            "json": tr("Data (JSON)"),
            "zip": tr("With pictures (ZIP)"),
            "labels": tr("Corrections as labelled photos"),
        }
        for kind, text in kinds.items():
            button = Push(text=text, icon="export")
            button.bind(on_release=partial(self._export, sheet, kind))
            sheet.add(button)
        sheet.action(tr("Cancel"), icon="close")
        sheet.open()

    def show_rows(self) -> None:
        """Show the page of verdicts."""
        self.rows.clear_widgets()
        self.app.guard(self._fill_rows)

    def show_side(self) -> None:
        """Show the chosen verdict, or the statistics."""
        self.side.clear_widgets()
        self.app.guard(self._fill_side)

    def on_key(self, key: str) -> bool:
        """Escape closes the verdict, E exports."""
        act = {"escape": lambda: self.open(None), "e": self.choose_export}.get(key)
        if act is None:
            return False
        act()
        return True

    def _fill_rows(self) -> None:
        model = self.app.work.history
        self.status = model.status
        rows = model.rows()
        self.total = model.count()
        self.first, self.last = model.offset, model.offset + len(rows)
        self.summary = tr("{first}-{last} of {total}").format(
            first=min(self.first + 1, self.last), last=self.last, total=self.total
        )
        for row in rows:
            self.rows.add_widget(self._row(row))
        self.ids.scroll.scroll_y = 1
        self._mark_chosen()

    def _fill_side(self) -> None:
        record = self.app.work.history.chosen
        self.side.add_widget(self._statistics() if record is None else self._details(record))

    def _row(self, row: HistoryRow) -> RecordRow:
        verdict = row.record.verdict
        about = [clock(verdict.time), verdict.job]
        if row.record.correction is not None:
            about.append(tr("corrected"))
        searched = self.app.work.history.text
        if searched:
            about.append(row.line_with(searched))
        widget = RecordRow(
            text=main_reason(verdict) or status_name(verdict.status),
            detail=" · ".join(about),
            mark=verdict.status,
        )
        widget.record_id = row.record.id
        widget.ids.thumbnail.show(row.thumbnail)
        widget.bind(on_release=lambda w: self.open(w.record_id))
        return widget

    def _mark_chosen(self) -> None:
        chosen = self.app.work.history.chosen
        for widget in self.rows.children:
            widget.active = chosen is not None and widget.record_id == chosen.id

    def _details(self, record: Record) -> RecordPanel:
        verdict = record.verdict
        reasons = [explain(result) for result in verdict.results if result.ok is not True]
        panel = RecordPanel(
            page=self,
            mark=verdict.status,
            title=main_reason(verdict) or status_name(verdict.status),
            detail=f"{verdict.job} · {clock(verdict.time, date=True)}",
            reasons="\n".join(reasons),
            text=record.correction if record.correction is not None else verdict.reading.text,
        )
        picture = self.app.work.history.picture()
        if picture is not None:
            picture = scaled(picture, 1280, 960)
        panel.ids.photo.show(picture, product_boxes(verdict.reading, verdict))
        panel.ids.photo.labels = False
        panel.ids.correction.cursor = (0, 0)
        return panel

    def _statistics(self) -> StatisticsPanel:
        panel = StatisticsPanel()
        hours = self.app.work.history.by_hour()
        tallest = max((hour.total for hour in hours), default=1)
        for hour in hours:
            column = StatColumn(hour=hour.key[11:13], size_hint_x=None, width=self.app.u * 26)
            column.ok, column.ng = hour.ok / tallest, hour.ng / tallest
            column.unreadable = hour.unreadable / tallest
            panel.ids.hours.add_widget(column)
        jobs = self.app.work.history.by_job()
        for name in ("total", "ok", "ng", "unreadable"):
            setattr(panel, name, str(sum(getattr(job, name) for job in jobs)))
        for job in jobs:
            panel.ids.jobs.add_widget(
                JobStat(
                    name=job.key,
                    share=job.ok / max(1, job.total),
                    text=f"{job.ok} / {job.total}  ({100 * job.ok / max(1, job.total):.1f} %)",
                )
            )
        return panel

    def _export(self, sheet: Sheet, kind: str, *_: Any) -> None:
        sheet.dismiss()
        self.app.busy(lambda: self.app.work.history.export(kind), self._exported)

    def _exported(self, result: tuple[Path, int]) -> None:
        path, count = result
        self.app.say(tr("{count} exported to {path}").format(count=count, path=path), "export")


load_layout(__file__)
