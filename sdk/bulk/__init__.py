"""Reading of whole archives: `fots-lite bulk`, see docs/scale.md. Needs the extra `cluster`.

The photos of a source, sorted by name, are cut into chunks. A chunk is done exactly if its part
file is in the output, so a run that was ended in any way goes on where it was.
"""
