"""Open and check a model bundle, and write its manifest."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

from sdk.errors import ModelError
from sdk.files import open_regular, write_atomically
from sdk.model.manifest import GraphSpec, Manifest, file_digest
from sdk.model.store import PACKAGED, find_named, installed, resolve, search_path

__all__ = [
    "DEFAULT_BUNDLE",
    "MANIFEST_NAME",
    "Bundle",
    "BundleGraph",
    "Combination",
    "ModelPath",
    "ModelSource",
    "read_manifest",
    "write_manifest",
]

MANIFEST_NAME = "model.json"

LARGEST_MANIFEST = 1 << 24
"""Size limit of `model.json` in bytes."""

DEFAULT_BUNDLE = PACKAGED / "default"
"""Folder of the bundle that comes with the package."""

ModelPath = str | os.PathLike[str] | None
"""Folder or name of a bundle. None stands for the packaged bundle."""


@dataclass(frozen=True, slots=True)
class Combination:
    """A bundle that reads lines, with the detector of another bundle.

    Attributes:
        reader: Gives the line graph, the charset and the settings of reading.
        detector: Gives the detector and the settings of detection.
    """

    reader: ModelPath
    detector: ModelPath


ModelSource = ModelPath | Combination
"""What `Bundle.open` opens."""


@dataclass(frozen=True, slots=True)
class BundleGraph:
    """A TFLite file and the description of its tensors.

    Attributes:
        path: Path of the file.
        spec: The file's entry in the manifest.
    """

    path: Path
    spec: GraphSpec


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model bundle, one variant of which passed the checksum test.

    Attributes:
        folder: Folder of the bundle.
        manifest: Contents of its `model.json`.
        variant: The variant that was checked. `graph` returns the graphs of this variant.
        lender: The bundle whose detector is used. None for a bundle's own detector, or for none.
    """

    folder: Path
    manifest: Manifest
    variant: str
    lender: Bundle | None = None

    @classmethod
    def open(cls, source: ModelSource = None, variant: str | None = None) -> Bundle:
        """Open a bundle and check the files of a variant against their checksums.

        Args:
            source: Folder or name of the bundle, or a combination of two. None opens the packaged
                bundle. A bundle without a detector may itself name the bundle that lends one.
            variant: Name of the variant, such as "int8" or "fp32". None opens the bundle's default.
                A bundle that lends its detector opens the same variant, or its default.

        Raises:
            ModelError: The folder, its manifest or a file is missing or damaged, the bundle is
                newer than this SDK, the bundle has no such variant, or the bundle that should lend
                its detector has none.
        """
        if isinstance(source, Combination):
            own = cls._open_own(source.reader, variant)
            return own._with_detector_of(source.detector, str(source.detector or "default"))
        own = cls._open_own(source, variant)
        name = own.manifest.detector_of
        if not name or "detector" in own.roles:
            return own
        lender = find_named(name)
        if lender is None:
            raise ModelError(
                f"The bundle {own.folder} uses the detector of the bundle {name!r}, which is not "
                f"installed. Installed are: {', '.join(installed()) or 'none'}. Put it into one of "
                f"{', '.join(map(str, search_path()))}."
            )
        return own._with_detector_of(lender, name)

    def _with_detector_of(self, lender: ModelPath, name: str) -> Bundle:
        """Return this bundle with the detector of another."""
        _, manifest = read_manifest(lender)
        variant = self.variant if self.variant in manifest.variants else None
        lent = Bundle._open_own(lender, variant)
        if lent.folder.resolve() == self.folder.resolve():
            return self
        if "detector" not in lent.roles:
            raise ModelError(
                f"The bundle {name!r} ({lent.folder}) has no detector to lend. "
                f"It has {', '.join(lent.roles)}. Name a bundle with a detector."
            )
        # a recognizer reads the features of its own detector only
        lines = {v: {"line": graphs["line"]} for v, graphs in self.manifest.variants.items()}
        decode = replace(self.manifest.decode, detect=lent.manifest.decode.detect)
        own = replace(self.manifest, variants=lines, decode=decode)
        return Bundle(self.folder, own, self.variant, lent)

    @classmethod
    def _open_own(cls, path: ModelPath, variant: str | None) -> Bundle:
        """Open a bundle with its own graphs."""
        folder, manifest = read_manifest(path)
        chosen = manifest.default_variant if variant is None else variant
        if chosen not in manifest.variants:
            raise ModelError(
                f"The bundle {folder} has no variant {chosen!r}. "
                f"Use one of {', '.join(manifest.variants)}."
            )
        bundle = cls(folder, manifest, chosen)
        for role in manifest.variants[chosen]:
            _check_file(bundle.graph(role))
        return bundle

    @property
    def roles(self) -> tuple[str, ...]:
        """Roles of the variant's graphs, a lent detector included."""
        lent = () if self.lender is None else ("detector",)
        return (*self.manifest.variants[self.variant], *lent)

    def graph(self, role: str) -> BundleGraph:
        """Return a graph of the variant.

        Args:
            role: "detector", "recognizer" or "line".

        Raises:
            ModelError: The variant has no such graph.
        """
        if role == "detector" and self.lender is not None:
            return self.lender.graph(role)
        graphs = self.manifest.variants[self.variant]
        if role not in graphs:
            raise ModelError(
                f"Variant {self.variant} of the bundle {self.folder} has no {role} graph; "
                f"it has {', '.join(graphs)}. Use a bundle exported with one."
            )
        return BundleGraph(self.folder / graphs[role].file, graphs[role])


def write_manifest(folder: str | os.PathLike[str], manifest: Manifest) -> Path:
    """Write `model.json` into a folder that already holds the graph files.

    Args:
        folder: Folder of the bundle.
        manifest: Contents of `model.json`.

    Returns:
        Path of the written file.

    Raises:
        ModelError: A file of the manifest is missing or has a different checksum.
        SdkError: The file cannot be written.
    """
    target = Path(folder) / MANIFEST_NAME
    for graphs in manifest.variants.values():
        for spec in graphs.values():
            _check_file(BundleGraph(Path(folder) / spec.file, spec))
    text = json.dumps(manifest.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
    write_atomically(target, (text + "\n").encode())
    return target


def read_manifest(model: ModelSource = None) -> tuple[Path, Manifest]:
    """Return a bundle's folder and its `model.json`. The graph files are not checked.

    Args:
        model: Folder or name of the bundle. None reads the packaged bundle. Of a combination the
            bundle that reads lines is taken.

    Raises:
        ModelError: The folder or the file is missing, damaged, or newer than this SDK.
    """
    if isinstance(model, Combination):
        model = model.reader
    folder = DEFAULT_BUNDLE if model is None else resolve(model)
    path = folder / MANIFEST_NAME
    try:
        with open_regular(path) as file:
            data = file.read(LARGEST_MANIFEST + 1)
        if len(data) > LARGEST_MANIFEST:
            raise OSError(errno.EFBIG, f"it is larger than {LARGEST_MANIFEST} bytes")
    except (OSError, ValueError) as error:
        advice = (
            "Install the package again, or name a bundle."
            if model is None
            else f"Name a folder that holds {MANIFEST_NAME}, or one of the installed bundles: "
            f"{', '.join(installed()) or 'none'}."
        )
        reason = getattr(error, "strerror", None) or error  # a ValueError: a NUL in the name
        if isinstance(error, FileNotFoundError):
            reason = "not found"
        raise ModelError(
            f"Cannot open the model bundle {folder}: {path}: {reason}. {advice}"
        ) from error
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"Cannot open the model bundle {folder}: {path} is not valid JSON ({error}). "
            "Export or download the bundle again."
        ) from error
    try:
        return folder, Manifest.from_dict(parsed)
    except ModelError as error:
        raise ModelError(f"Cannot open the model bundle {folder}: {error}") from error


def _check_file(graph: BundleGraph) -> None:
    path, spec = graph.path, graph.spec
    again = "Export or download the bundle again."
    try:
        size = path.stat().st_size
        digest = file_digest(path) if size == spec.bytes else ""
    except OSError as error:
        reason = "is missing" if isinstance(error, FileNotFoundError) else f"{error.strerror}"
        raise ModelError(f"The model file {path} {reason}. {again}") from error
    if size != spec.bytes:
        raise ModelError(
            f"The model file {path} is damaged: {size} bytes instead of {spec.bytes}. {again}"
        )
    if digest != spec.sha256:
        raise ModelError(
            f"The model file {path} is damaged: SHA-256 {digest[:12]}… instead of "
            f"{spec.sha256[:12]}…. {again}"
        )
