"""PyInstaller: include the libraries of the interpreter, exclude TensorFlow."""

from PyInstaller.utils.hooks import collect_dynamic_libs

# without the vendors' plugins for special processors, which need additional libraries
binaries = [b for b in collect_dynamic_libs("ai_edge_litert") if "vendors" not in b[1]]
# imported by name when a GPU is used
hiddenimports = ["ai_edge_litert.compiled_model", "ai_edge_litert.hardware_accelerator"]
# only TensorFlow's own copy of the interpreter imports it
excludedimports = ["tensorflow", "tflite"]
