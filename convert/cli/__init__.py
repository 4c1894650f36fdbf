"""The command line: ``python -m convert``, one module for each command."""
