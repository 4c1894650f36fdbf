"""Sources of a conversion: the graphs of runs, and samples of pictures."""
