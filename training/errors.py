"""Errors of training that the command line reports in one line."""


class TrainingError(Exception):
    """A configuration, data folder or run folder cannot be used as asked."""
