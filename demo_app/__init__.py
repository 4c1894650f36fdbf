"""The operator's screen: camera, reading, inspection and history. Imports `sdk` only."""
