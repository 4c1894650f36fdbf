"""Which stage lost each line that was not read: ``python -m training diagnose``."""
