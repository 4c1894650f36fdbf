"""Live reading: lines are followed over frames and settled by a vote over each character.

from sdk import Reader

for event in Reader().stream("rtsp://192.168.0.20/stream1"):
    print(event.kind, event.reading.text)
"""

from sdk.live.event import StreamEvent
from sdk.live.rover import VotedLine, vote_line
from sdk.live.tracker import EachFrame, Tracker, tracker_for

__all__ = [
    "EachFrame",
    "StreamEvent",
    "Tracker",
    "VotedLine",
    "tracker_for",
    "vote_line",
]
