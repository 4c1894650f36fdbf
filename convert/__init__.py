"""Convert a training run to verified TFLite graphs in a model bundle that the SDK reads.

``python -m convert export RUN --precision int8 --out BUNDLE`` freezes the graphs of a run
(`convert.source`), calibrates each graph (`convert.quantize`), converts each graph in its own
process (`convert.tflite`), compares the files with the Keras models in the SDK's engine
(`convert.verify`) and moves the finished bundle into place (`convert.export`).
"""
