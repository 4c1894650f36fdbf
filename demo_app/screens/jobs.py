"""The jobs screen: the required texts of each product, edited as a form."""

from __future__ import annotations

from functools import partial
from typing import Any

from kivy.clock import Clock
from kivy.properties import BooleanProperty, ObjectProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from demo_app.language import tr
from demo_app.models.draft import FieldDraft, JobDraft, RuleDraft, rule_kinds
from demo_app.models.jobs import Entry
from demo_app.models.words import field_name, rule_name
from demo_app.screens.labeled import labeled
from demo_app.screens.page import Page, load_layout
from demo_app.screens.region import RegionSheet
from demo_app.screens.specialist import open_specialist
from demo_app.ui.widgets import Caption, Card, Chip, Choice, Field, Push, Row, Sheet, Text
from sdk.region import Shares


class JobRow(Row):
    """A job in the list."""

    text = StringProperty("")
    in_use = BooleanProperty(False)
    broken = BooleanProperty(False)


class RuleCard(Card):
    """The form of a rule."""

    page = ObjectProperty()
    field = ObjectProperty()
    rule = ObjectProperty()
    title = StringProperty("")


class JobsPage(Page):
    """Shows the jobs model."""

    editing = BooleanProperty(False)
    problem = StringProperty("")

    def on_pre_enter(self, *_: Any) -> None:
        """Show the jobs and the current job."""
        jobs = self.app.work.jobs
        if jobs.draft is None:
            entry = next((e for e in jobs.entries() if e.name == self.app.work.job_name), None)
            if entry is not None and entry.job is not None:
                jobs.edit(entry)
        self.show()

    def teach(self) -> None:
        """Create a job from the latest reading."""
        if self.app.guard(self.app.work.teach):
            self.show()

    def create(self) -> None:
        """Start an empty job."""
        self.app.work.jobs.create()
        self.show()

    def save(self) -> None:
        """Save the draft and make it the current job."""
        if self.app.guard(self.app.work.save_job):
            self.show()
            name = self.app.work.job_name
            self.app.say(tr("Saved. The job is now {name}.").format(name=name), "save")

    def discard(self) -> None:
        """Drop the changes of the draft."""
        self.app.work.jobs.draft = None
        self.on_pre_enter()

    def ask_delete(self) -> None:
        """Delete the job's file after a confirmation."""
        jobs = self.app.work.jobs
        entry = next((e for e in jobs.entries() if e.path == jobs.draft.path), None)
        if entry is None:
            self.discard()
            return
        sheet = Sheet(title=tr("Delete the job {name}?").format(name=entry.name))
        sheet.action(tr("Keep"), icon="close")
        sheet.action(tr("Delete"), lambda: self._delete(entry), kind="danger", icon="delete")
        sheet.open()

    def remove_rule(self, field: FieldDraft, rule: RuleDraft) -> None:
        """Remove a rule from a field of the draft."""
        field.rules.remove(rule)
        self.show_draft()

    def add_rule(self, field: FieldDraft, kind: str) -> None:
        """Add a new rule to a field of the draft."""
        field.rules.append(RuleDraft.empty(kind))
        self.show_draft()
        self._scroll_to(next(card for card in self._cards() if card.rule is field.rules[-1]))

    def add_field(self) -> None:
        """Add a field to the draft, and let the user draw its region."""
        field = self.app.work.jobs.draft.add_field()
        self.show_draft()
        self.ids.scroll.scroll_y = 0
        if self.app.work.live.latest is not None:
            self.choose_region(field)

    def remove_field(self, field: FieldDraft) -> None:
        """Remove a field from the draft."""
        self.app.work.jobs.draft.remove_field(field)
        self.show_draft()

    def choose_region(self, field: FieldDraft) -> None:
        """Let the user draw the region of a field on the newest picture."""
        latest = self.app.work.live.latest
        if latest is None:
            self.app.say(tr("There is no picture of the camera yet."), "warning")
            return
        others = [
            other.region
            for other in self.app.work.jobs.draft.fields
            if other is not field and other.region is not None
        ]
        RegionSheet(latest[0].image, field.region, others, partial(self._set_region, field)).open()

    def make_reader(self) -> None:
        """Open the dialog of a reader for the product of the saved job."""
        work = self.app.work
        entry = next((e for e in work.jobs.entries() if e.path == work.jobs.draft.path), None)
        if entry is None and work.specialist.state == "idle":
            self.app.say(tr("Save the job first."), "warning")
            return
        open_specialist("" if entry is None else entry.name)

    def show(self) -> None:
        """Show the list and the draft."""
        self._show_list()
        self.show_draft()

    def show_draft(self) -> None:
        """Show the draft as a form."""
        draft = self.app.work.jobs.draft
        self.editing, self.problem = draft is not None, ""
        self.editor.clear_widgets()
        if draft is None:
            self.editor.add_widget(
                Caption(text=tr("Choose a job, or teach one from a good product."), height=60)
            )
            return
        for widget in self._form(draft):
            self.editor.add_widget(widget)
        self._check()

    def _show_list(self) -> None:
        work = self.app.work
        self.list.clear_widgets()
        for entry in work.jobs.entries():
            row = JobRow(
                text=entry.name,
                in_use=entry.name == work.job_name,
                broken=entry.job is None,
                active=work.jobs.draft is not None and work.jobs.draft.path == entry.path,
            )
            row.bind(on_release=lambda _row, e=entry: self._choose(e))
            self.list.add_widget(row)

    def _choose(self, entry: Entry) -> None:
        if self.app.guard(lambda: self.app.work.jobs.edit(entry)):
            self.show()

    def _delete(self, entry: Entry) -> None:
        if self.app.guard(lambda: self.app.work.delete_job(entry)):
            self.discard()

    def _set_region(self, field: FieldDraft, region: Shares | None) -> None:
        field.region = region
        self.show_draft()

    def _cards(self) -> list[RuleCard]:
        return [widget for widget in self.editor.children if isinstance(widget, RuleCard)]

    def _scroll_to(self, widget: Widget) -> None:
        # a new widget has its place in the next frame
        Clock.schedule_once(lambda _: self.ids.scroll.scroll_to(widget))

    def _form(self, draft: JobDraft) -> list[Widget]:
        rows: list[Widget] = [
            labeled(tr("Name"), self._field(draft, "name")),
            labeled(tr("Description"), self._field(draft, "description")),
            labeled(tr("Own reader"), self._own_reader()),
        ]
        for field in draft.fields:
            rows += self._field_form(draft, field)
        more = Push(text=tr("Add a field"), icon="plus")
        more.bind(on_release=lambda _: self.add_field())
        return [*rows, labeled(tr("Fields"), more)]

    def _field_form(self, draft: JobDraft, field: FieldDraft) -> list[Widget]:
        """Return the form of a field. Its name is shown if the job has several fields."""
        rows: list[Widget] = []
        if field.name or len(draft.fields) > 1:
            remove = Push(kind="bare", icon="delete", size_hint_x=None, width=self.app.u * 48)
            remove.bind(on_release=lambda _: self.remove_field(field))
            rows.append(labeled(tr("Field"), self._field(field, "name"), remove))
        rows += [
            labeled(tr("Number of lines"), self._field(field, "lines", hint=tr("any, 3 or 2-4"))),
            labeled(tr("Least confidence"), *self._confidence(field)),
            labeled(tr("Region"), self._region(field)),
            labeled(tr("Model"), self._model(field)),
        ]
        for number, rule in enumerate(field.rules, 1):
            rows.append(self._rule_card(field, number, rule))
        rows.append(Caption(text=tr("Add a rule"), size_hint_y=None, height=self.app.u * 22))
        kinds = BoxLayout(size_hint_y=None, height=self.app.u * 48, spacing=self.app.u * 6)
        for kind, name in rule_kinds():
            button = Push(text=name)
            button.bind(on_release=lambda _button, k=kind: self.add_rule(field, k))
            kinds.add_widget(button)
        return [*rows, kinds]

    def _field(self, draft: Any, name: str, hint: str = "") -> Field:
        field = Field(text=getattr(draft, name), hint_text=hint)
        field.bind(text=partial(self._set, draft, name))
        return field

    def _set(self, draft: Any, name: str, _field: Any, value: Any) -> None:
        if isinstance(draft, RuleDraft):
            draft.values[name] = value
        else:
            setattr(draft, name, value)
        self._check()

    def _check(self) -> None:
        self.problem = self.app.work.jobs.problem()

    def _confidence(self, field: FieldDraft) -> list[Widget]:
        shown = Text(text=f"{field.confidence} %", halign="center", bold=True)

        def change(by: int) -> None:
            field.confidence = min(100, max(0, field.confidence + by))
            shown.text = f"{field.confidence} %"
            self._check()

        less, more = Push(icon="minus"), Push(icon="plus")
        less.bind(on_release=lambda _: change(-5))
        more.bind(on_release=lambda _: change(5))
        return [less, shown, more]

    def _region(self, field: FieldDraft) -> Push:
        if field.region is None:
            text = tr("Whole picture")
        else:
            text = tr("{w:.0f} x {h:.0f} % of the picture").format(
                w=100 * field.region[2], h=100 * field.region[3]
            )
        button = Push(text=text, icon="fit")
        button.bind(on_release=lambda _: self.choose_region(field))
        return button

    def _model(self, field: FieldDraft) -> Choice:
        values = [("", tr("As in the settings"))]
        values += [(word, word.rpartition("/")[2]) for word in self.app.work.jobs.models()]
        if field.model not in dict(values):
            values.append((field.model, field.model))
        choice = Choice(title=tr("Model"), values=values, value=field.model)
        choice.bind(value=partial(self._set, field, "model"))
        return choice

    def _own_reader(self) -> Push:
        names = {"running": tr("Training …"), "done": tr("Compare reader")}
        name = names.get(self.app.work.specialist.state, tr("Make a reader"))
        button = Push(text=name, icon="teach")
        button.bind(on_release=lambda _: self.make_reader())
        return button

    def _rule_card(self, field: FieldDraft, number: int, rule: RuleDraft) -> RuleCard:
        title = f"{number}. {rule_name(rule.kind)}"
        card = RuleCard(page=self, field=field, rule=rule, title=title)
        for name, what in rule.fields().items():
            card.add_widget(labeled(field_name(name), self._value(rule, name, what)))
        return card

    def _value(self, rule: RuleDraft, name: str, what: Any) -> Widget:
        choices = rule.choices(name)
        if choices:
            choice = Choice(
                title=field_name(name),
                values=[(text, text.upper()) for text in choices],
                value=rule.values[name],
            )
            choice.bind(value=partial(self._set, rule, name))
            return choice
        if what is bool:
            chip = Chip(active=rule.values[name])
            chip.text = tr("Yes") if chip.active else tr("No")
            chip.bind(on_release=lambda c: self._toggle(rule, name, c))
            return chip
        hints = {
            "formats": "YYYY-MM-DD; MM/YY",
            "earliest": "today, 90 days ahead",
            "latest": "today, 2 years ahead",
            "line": tr("any"),
        }
        field = Field(text=rule.values[name], hint_text=hints.get(name, ""))
        if name in ("text", "pattern", "prefix", "formats"):
            field.font_name = "RobotoMono-Regular"
        field.bind(text=partial(self._set, rule, name))
        return field

    def _toggle(self, rule: RuleDraft, name: str, chip: Chip) -> None:
        chip.active = not chip.active
        chip.text = tr("Yes") if chip.active else tr("No")
        self._set(rule, name, chip, chip.active)


load_layout(__file__)
