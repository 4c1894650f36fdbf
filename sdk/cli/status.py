"""Exit codes that the commands share."""

OK = 0
FAILED = 1
USAGE = 2
UNUSABLE = 3
