"""The Kivy app: the window, the navigation and what all screens reach through it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kivy.app import App
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.lang import Builder
from kivy.properties import NumericProperty, ObjectProperty
from kivy.uix.floatlayout import FloatLayout

from demo_app import language
from demo_app.screens.about import AboutPage
from demo_app.screens.history import HistoryPage
from demo_app.screens.jobs import JobsPage
from demo_app.screens.live import LivePage
from demo_app.screens.settings import SettingsPage
from demo_app.screens.still import StillPage
from demo_app.ui.theme import Theme, scale_for
from demo_app.ui.widgets import RailItem
from sdk.errors import SdkError

if TYPE_CHECKING:
    from demo_app.models.workplace import Workplace

logger = logging.getLogger("demo_app")

PAGES = {
    "live": LivePage,
    "still": StillPage,
    "history": HistoryPage,
    "jobs": JobsPage,
    "settings": SettingsPage,
    "about": AboutPage,
}
