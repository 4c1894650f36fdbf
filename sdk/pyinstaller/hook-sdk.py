"""PyInstaller: include the model, and the interpreter, which is imported by name."""

from importlib.util import find_spec

from PyInstaller.utils.hooks import collect_data_files, copy_metadata

from sdk.engine.interpreter import CANDIDATES

datas = collect_data_files("sdk")
hiddenimports = []
for name, module in CANDIDATES:
    if find_spec(module.partition(".")[0]):
        hiddenimports.append(module)
        datas += copy_metadata(name)  # `describe` returns its version
