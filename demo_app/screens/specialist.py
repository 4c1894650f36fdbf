"""Dialogs of a reader for one product: start, progress, and the comparison with the present one."""

from __future__ import annotations

from typing import Any

from kivy.app import App
from kivy.clock import Clock
from kivy.uix.boxlayout import BoxLayout

from demo_app.language import tr
from demo_app.models.specialist import Score
from demo_app.screens.labeled import labeled
from demo_app.ui.widgets import Bar, Caption, Choice, Paragraph, Sheet, Text
from sdk.errors import SdkError

__all__ = ["open_specialist"]

_MINUTES = (10, 30, 60, 120)
_REFRESH_S = 0.5


def open_specialist(job: str) -> Sheet:
    """Open the dialog for the state of the training.

    Args:
        job: Name of the job that a new training is for.
    """
    model = App.get_running_app().work.specialist
    sheets = {"running": _running, "failed": _failed, "done": _done}
    sheet = sheets[model.state]() if model.state in sheets else _start(job)
    sheet.open()
    return sheet


def _start(job: str) -> Sheet:
    app: Any = App.get_running_app()
    sheet = Sheet(title=tr("A reader for {job}").format(job=job))
    sheet.action(tr("Close"), icon="close")
    try:
        plan = app.work.plan_specialist(job)
    except SdkError as error:
        return sheet.add(_paragraph(str(error)))
    minutes = Choice(
        title=tr("Training"),
        values=[(n, tr("{n} minutes").format(n=n)) for n in _MINUTES],
        value=60,
    )
    sheet.add(
        _paragraph(
            tr(
                "Trains on {photos} pictures of the history, {corrected} of them corrected. The "
                "inspection goes on, but reads slower. Nothing leaves this machine."
            ).format(photos=plan.photos, corrected=plan.corrected)
        ),
        _paragraph(tr("Lines of the product:") + "\n" + "\n".join(plan.patterns)),
        labeled(tr("Training"), minutes),
    )

    def start() -> None:
        if app.guard(lambda: app.work.start_specialist(job, minutes.value)):
            open_specialist(job)

    sheet.action(tr("Start"), start, icon="teach", kind="primary")
    return sheet


def _running() -> Sheet:
    app: Any = App.get_running_app()
    model = app.work.specialist
    job = model.job_name
    sheet = Sheet(title=tr("A reader for {job}").format(job=job))
    stage, message = Text(size_hint_y=None, height=app.u * 30), Caption()
    message.size_hint_y, message.height = None, app.u * 40
    bar = Bar(size_hint_y=None, height=app.u * 14, tint=app.theme.marks["ok"])
    sheet.add(stage, bar, message)

    def refresh(*_: Any) -> None:
        if model.state != "running":
            sheet.dismiss()
            if model.state != "idle":
                open_specialist(job)
            return
        now = model.progress()
        stage.text = tr("{stage}, {minutes:.0f} minutes since the start").format(
            stage=now.stage, minutes=now.seconds / 60
        )
        bar.share, message.text = now.share, now.message

    def stop() -> None:
        app.busy(model.cancel, lambda _: app.say(tr("The training was stopped"), "close"))

    refresh()
    clock = Clock.schedule_interval(refresh, _REFRESH_S)
    sheet.bind(on_dismiss=lambda *_: clock.cancel())
    sheet.action(tr("Go on in the background"), icon="check")
    sheet.action(tr("Stop training"), stop, icon="delete", kind="danger")
    return sheet


def _failed() -> Sheet:
    model = App.get_running_app().work.specialist
    sheet = Sheet(title=tr("No new reader for {job}").format(job=model.job_name))
    sheet.add(_paragraph(model.error))
    sheet.action(tr("Close"), model.discard, icon="close")
    return sheet


def _done() -> Sheet:
    app: Any = App.get_running_app()
    model = app.work.specialist
    sheet = Sheet(title=tr("New reader for {job}").format(job=model.job_name))
    try:
        scores = model.scores()
    except SdkError as error:
        sheet.add(_paragraph(str(error)))
        sheet.action(tr("Discard"), model.discard, icon="delete")
        return sheet
    sheet.add(_line(tr("Lines read right"), tr("packaged"), tr("new"), bold=True))
    for score in scores:
        sheet.add(_line(score.name, _share(score.before, score), _share(score.after, score)))
    sheet.add(_paragraph(_advice(scores)))

    def take() -> None:
        def taken(job: Any) -> None:
            model = job.parts[0].model
            app.say(tr("{job} is now read by {model}.").format(job=job.name, model=model))
            if app.page_name == "jobs":
                app.page.show()

        app.busy(app.work.take_specialist, taken)

    sheet.action(tr("Later"), icon="close")
    sheet.action(tr("Discard"), model.discard, icon="delete", kind="danger")
    sheet.action(tr("Take over"), take, icon="save", kind="primary")
    return sheet


def _line(name: str, before: str, after: str, *, bold: bool = False) -> BoxLayout:
    app: Any = App.get_running_app()
    row = BoxLayout(size_hint_y=None, height=app.u * 30)
    for text in (name, before, after):
        row.add_widget(Text(text=text, bold=bold))
    return row


def _share(right: int, score: Score) -> str:
    share = 100 * right / max(1, score.lines)
    return tr("{right} of {lines} ({share:.1f} %)").format(
        right=right, lines=score.lines, share=share
    )


def _advice(scores: list[Score]) -> str:
    """Return what the numbers mean."""
    gained = sum(score.after - score.before for score in scores)
    if gained > 0:
        verdict = tr("The new reader reads more lines right.")
    elif gained < 0:
        verdict = tr("The new reader reads fewer lines right. Discard it, or train longer.")
    else:
        verdict = tr("Both read as many lines right. Train longer, or keep the packaged reader.")
    known = tr(
        "Generated lines are like those of the training: corrected pictures in the history show "
        "what to expect."
    )
    return f"{verdict}\n{known}"


def _paragraph(text: str) -> Paragraph:
    return Paragraph(text=text)
