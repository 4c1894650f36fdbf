"""The operator's screen: camera, reading, inspection and history. It imports `sdk` only."""
