"""Export of runs as a model bundle."""
