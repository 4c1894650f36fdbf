"""Convert a training run to verified TFLite graphs in a model bundle that the SDK reads.

``python -m convert export RUN --precision int8 --out BUNDLE`` freezes the graphs of a run
(`graphs`), calibrates (`calibrate`) and converts each of them in a process of its own (`tflite`),
compares the files with the Keras models through the SDK's own engine (`verify`), and moves the
finished bundle into place (`export`).
"""
