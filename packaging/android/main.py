"""What Android starts: the station, in the app's own folder."""

import os
import sys
from pathlib import Path

from demo_app.__main__ import main

sys.exit(main(["--folder", str(Path(os.environ["ANDROID_PRIVATE"]) / "station"), "--fullscreen"]))
