"""PyInstaller: take the interpreter's libraries along, and TensorFlow not."""

from PyInstaller.utils.hooks import collect_dynamic_libs

# without the plugins for processors of other makers, which bring libraries of their own
binaries = [b for b in collect_dynamic_libs("ai_edge_litert") if "vendors" not in b[1]]
# imported by name, for a GPU
hiddenimports = ["ai_edge_litert.compiled_model", "ai_edge_litert.hardware_accelerator"]
# only TensorFlow's own copy of the interpreter imports it
excludedimports = ["tensorflow", "tflite"]
