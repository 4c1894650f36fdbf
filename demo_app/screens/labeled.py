"""A row of a form: a name with widgets beside it."""

from __future__ import annotations

from kivy.properties import StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from demo_app.screens.page import load_layout

__all__ = ["Labeled", "labeled"]


class Labeled(BoxLayout):
    """A name with widgets beside it."""

    text = StringProperty("")


def labeled(text: str, *widgets: Widget) -> Labeled:
    """Return a row with a name and widgets beside it."""
    row = Labeled(text=text)
    if len(widgets) == 1:
        widgets[0].size_hint_x = 0.64
        row.add_widget(widgets[0])
        return row
    inner = BoxLayout(size_hint_x=0.64, spacing=6)
    for widget in widgets:
        inner.add_widget(widget)
    row.add_widget(inner)
    return row


load_layout(__file__)
