"""The command line: ``python -m training``, one module for each command or group of commands."""
