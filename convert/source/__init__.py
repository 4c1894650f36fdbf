"""What a conversion starts from: the graphs of runs, and samples of pictures."""
