"""Contents and actions of the screens, without Kivy and testable without a display."""
