"""Training data: shards, labeled folders, and the batches made of them."""
