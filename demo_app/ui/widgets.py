"""The widgets of the screens. Their layouts are in `widgets.kv`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from kivy.clock import Clock
from kivy.core.text import Label as CoreLabel
from kivy.lang import Builder
from kivy.properties import (
    BooleanProperty,
    ColorProperty,
    ListProperty,
    NumericProperty,
    ObjectProperty,
    OptionProperty,
    StringProperty,
)
from kivy.uix.behaviors import ButtonBehavior, FocusBehavior
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.label import Label
from kivy.uix.modalview import ModalView
from kivy.uix.scrollview import ScrollView
from kivy.uix.textinput import TextInput
from kivy.uix.widget import Widget

from demo_app.ui.icons import ICONS, icon_texture
from demo_app.ui.theme import NONE, VERDICTS

__all__ = [
    "Bar",
    "Caption",
    "Card",
    "Chip",
    "Choice",
    "Field",
    "FitText",
    "FitWords",
    "Icon",
    "Pages",
    "Paragraph",
    "Push",
    "Row",
    "Sheet",
    "Stat",
    "Text",
    "Toast",
    "VerdictBand",
]


class Text(Label):
    """A text in the theme's ink, shortened by an ellipsis if it is too long."""


class Caption(Text):
    """A small text in the muted ink."""


class Paragraph(Label):
    """A text in the muted ink, of any number of lines."""


class FitText(Label):
    """A text on one line, as large as its space and `largest` allow.

    Attributes:
        largest: Largest font size in pixels.
        smallest: Smallest font size in pixels. A longer text is shortened by an ellipsis.
        natural: Width of the text at the largest size, pixels.
    """

    largest = NumericProperty(30)
    smallest = NumericProperty(10)
    natural = NumericProperty(0)

    def __init__(self, **options: Any) -> None:
        """Fit whenever something changes."""
        self._fit = Clock.create_trigger(self._choose_size, -1)
        super().__init__(**options)
        for name in ("text", "size", "largest", "smallest", "font_name", "bold", "padding"):
            self.fbind(name, self._fit)
        self._fit()

    def _choose_size(self, *_: Any) -> None:
        at = max(self.largest, 1)
        ruler = CoreLabel(font_size=at, font_name=self.font_name, bold=self.bold)
        width, height = ruler.get_extents(self.text)
        left, top, right, bottom = self.padding
        self.natural = width + left + right + 4 if self.text else 0
        if not self.text or self.width <= 1 or self.height <= 1:
            return
        share = min(
            1.0,
            # text shrinks less than its font size, because letters are aligned to whole pixels
            (self.width - left - right) / (1.03 * width + 2),
            (self.height - top - bottom) / (height + 1),
        )
        self.font_size = max(self.smallest, int(at * share))


class FitWords(Label):
    """A few words on one or more lines, as large as their space and `largest` allow.

    Attributes:
        words: The text.
        largest: Largest font size in pixels.
        smallest: Smallest font size in pixels. Last words that do not fit are left out.
    """

    words = StringProperty("")
    largest = NumericProperty(30)
    smallest = NumericProperty(24)

    def __init__(self, **options: Any) -> None:
        """Fit whenever something changes."""
        self._fit = Clock.create_trigger(self._choose_size, -1)
        super().__init__(**options)
        for name in ("words", "size", "largest", "smallest", "bold"):
            self.fbind(name, self._fit)

    def _choose_size(self, *_: Any) -> None:
        words, size = self.words.split(), self.largest
        text, count = self.words, len(words)
        while count and not self._fits(text, size):
            if size > self.smallest:
                size = max(self.smallest, size - 1)
            else:
                count -= 1
                text = " ".join([*words[:count], "\N{HORIZONTAL ELLIPSIS}"])
        self.font_size, self.text = size, text

    def _fits(self, text: str, size: float) -> bool:
        look = {"font_size": size, "font_name": self.font_name, "bold": self.bold}
        block = CoreLabel(text=text, text_size=(self.width, None), **look)
        block.refresh()
        if size > self.smallest:  # a smaller size is better than a divided word
            ruler = CoreLabel(**look)
            if max(ruler.get_extents(word)[0] for word in text.split()) > self.width:
                return False
        return bool(block.texture.height <= self.height)


class Icon(Widget):
    """A drawn icon, as large as the smaller side of the widget and `largest` allow."""

    icon = OptionProperty("about", options=sorted(ICONS))
    color = ColorProperty("#ffffff")
    texture = ObjectProperty(None, allownone=True)
    largest = NumericProperty(1000)
    side = NumericProperty(0)

    def __init__(self, **options: Any) -> None:
        """Draw whenever something changes."""
        super().__init__(**options)
        for name in ("icon", "size", "largest"):
            self.fbind(name, self._draw)
        self._draw()

    def _draw(self, *_: Any) -> None:
        self.side = max(8, int(min(*self.size, self.largest)))
        self.texture = icon_texture(self.icon, self.side)


class Card(BoxLayout):
    """A panel with its own background."""

    fill = ColorProperty("#ffffff00")


class Pressable(FocusBehavior, ButtonBehavior, BoxLayout):
    """A widget that is pressed by finger, mouse, or Enter and Space if it has the focus."""

    def keyboard_on_key_down(
        self, window: Any, keycode: tuple[int, str], text: str, modifiers: Sequence[str]
    ) -> bool:
        """Press on Enter or Space. Other keys move the focus."""
        if keycode[1] in ("enter", "numpadenter", "spacebar") and not self.disabled:
            self.trigger_action(0.05)
            return True
        return bool(super().keyboard_on_key_down(window, keycode, text, modifiers))


class Push(Pressable):
    """A button: an icon, a text, or both."""

    text = StringProperty("")
    icon = StringProperty("")
    kind = OptionProperty("plain", options=["plain", "primary", "danger", "bare"])
    fill = ColorProperty("#00000000")
    ink = ColorProperty("#ffffff")
    dressed = StringProperty("plain")  # the kind that is shown; a disabled button differs

    @staticmethod
    def fill_for(kind: str, state: str, *colors: Any) -> Any:
        """Return the background color of a kind of button, up or down."""
        primary, primary_pressed, raised, pressed = colors
        down = state == "down"
        if kind == "primary":
            return primary_pressed if down else primary
        if kind == "danger":
            return "#8f161d" if down else VERDICTS["ng"][0]
        if kind == "bare" and not down:
            return NONE
        return pressed if down else raised


class Chip(Pressable):
    """One of a few visible choices. `active` marks the selected choice."""

    text = StringProperty("")
    value = ObjectProperty(None, allownone=True)
    icon = StringProperty("")
    tint = ColorProperty("#ffffff")
    active = BooleanProperty(False)


class RailItem(Pressable):
    """An entry of the navigation rail."""

    text = StringProperty("")
    icon = StringProperty("about")
    active = BooleanProperty(False)


class Field(TextInput):
    """A field for one line of text, or several.

    Attributes:
        focused: The field with the focus, None if no field has it.
    """

    focused: ClassVar[Field | None] = None

    def on_focus(self, _field: Field, has_focus: bool) -> None:
        """Take the keyboard input, or leave it to the shortcuts."""
        if has_focus:
            Field.focused = self
        elif Field.focused is self:
            Field.focused = None


class Row(Pressable):
    """An entry of a list."""

    active = BooleanProperty(False)


class Bar(Widget):
    """A horizontal bar that shows a share 0..1."""

    share = NumericProperty(0.0)
    tint = ColorProperty("#ffffff")


class Stat(BoxLayout):
    """A number with its meaning below."""

    value = StringProperty("0")
    caption = StringProperty("")
    icon = StringProperty("")
    tint = ColorProperty("#ffffff")


class Pages(ScrollView):
    """A column that scrolls if it does not fit."""


class VerdictBand(BoxLayout):
    """The verdict by color, shape and word, visible from two meters, and the main reason.

    Attributes:
        status: "ok", "ng", "unreadable", or "waiting" before the first product.
        title: Word for the verdict.
        reason: Why the product is not OK, in a few words.
    """

    status = OptionProperty("waiting", options=sorted(VERDICTS))
    title = StringProperty("")
    reason = StringProperty("")
    fill = ColorProperty(VERDICTS["waiting"][0])
    ink = ColorProperty(VERDICTS["waiting"][1])

    def on_status(self, _band: VerdictBand, status: str) -> None:
        """Set the colors of the status."""
        self.fill, self.ink = VERDICTS[status]


class Sheet(ModalView):
    """A dialog: a title, content, and buttons below."""

    title = StringProperty("")
    pages = ObjectProperty(None)
    body = ObjectProperty(None)
    actions = ObjectProperty(None)

    def add(self, *widgets: Widget) -> Sheet:
        """Add widgets to the content."""
        for widget in widgets:
            self.body.add_widget(widget)
        return self

    def action(self, text: str, done: Callable[[], object] | None = None, **look: Any) -> Push:
        """Add a button that closes the sheet, then calls `done`."""

        def press(*_: Any) -> None:
            self.dismiss()
            if done is not None:
                done()

        button = Push(text=text, on_release=press, **look)
        self.actions.add_widget(button)
        return button


class Choice(Push):
    """A button that shows the selected value and opens a list of all values.

    Attributes:
        values: Pairs (value, text on the screen).
        value: The selected value.
        title: Heading of the list.
    """

    values = ListProperty([])
    value = ObjectProperty(None, allownone=True)
    title = StringProperty("")

    def __init__(self, **options: Any) -> None:
        """Show the text of the value."""
        super().__init__(**options)
        for name in ("value", "values"):
            self.fbind(name, self._show)
        self._show()

    def _show(self, *_: Any) -> None:
        self.text = next((shown for value, shown in self.values if value == self.value), "")

    def on_release(self) -> None:
        """Open the list."""
        sheet = Sheet(title=self.title)

        def choose(value: Any) -> Callable[..., None]:
            def press(*_: Any) -> None:
                sheet.dismiss()
                self.value = value

            return press

        for value, shown in self.values:
            kind = "primary" if value == self.value else "plain"
            sheet.add(Push(text=shown, kind=kind, on_release=choose(value)))
        sheet.open()


class Toast(BoxLayout):
    """A short message at the lower edge that disappears after a while."""

    text = StringProperty("")
    icon = StringProperty("about")
    shown = NumericProperty(0.0)

    def show(self, text: str, icon: str = "about", seconds: float = 4.0) -> None:
        """Show a message for a while."""
        self.text, self.icon, self.shown = text, icon, 1.0
        Clock.unschedule(self.hide)
        Clock.schedule_once(self.hide, seconds)

    def hide(self, *_: Any) -> None:
        """Hide the message."""
        self.shown = 0.0


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
