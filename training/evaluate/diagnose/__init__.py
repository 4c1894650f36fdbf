"""Errors by the stage that caused them: ``python -m training diagnose``."""
