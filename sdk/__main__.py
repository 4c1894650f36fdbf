"""`python -m sdk ...` runs `fots-lite ...`."""

import sys

from sdk.cli import main

if __name__ == "__main__":
    sys.exit(main())
