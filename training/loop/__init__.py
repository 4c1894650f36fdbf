"""The training loop: tasks, losses, schedule, moving average of the weights."""
