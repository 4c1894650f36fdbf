"""Deprecated name of `sdk.live`."""

from sdk.deprecated import moved_names

_NAMES = ("EachFrame", "StreamEvent", "Tracker", "VotedLine", "tracker_for", "vote_line")

__getattr__ = moved_names(__name__, dict.fromkeys(_NAMES, "sdk.live"))
