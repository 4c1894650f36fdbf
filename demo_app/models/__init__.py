"""What the screens show and do, without Kivy: every module here is tested without a display."""
