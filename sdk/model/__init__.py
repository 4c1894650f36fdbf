"""Model bundles: a folder with `model.json` and the TFLite graphs it describes."""
