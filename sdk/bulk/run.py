"""`bulk`: read the photos of a source into part files, on this machine or on a cluster."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from sdk.bulk.parts import KILLED, Counts, count, encode, part_name, part_numbers
from sdk.bulk.plan import MANIFEST, SUCCESS, Options, Plan
from sdk.bulk.progress import Progress
from sdk.bulk.store import Store
from sdk.bulk.worker import Terms, check_part, environment, read_part, read_rows
from sdk.cluster.dispatch import Finished, Lost, dispatch
from sdk.cluster.session import Cluster, joined
from sdk.errors import OptionError, SdkError
from sdk.image.files import is_picture
from sdk.model.bundle import read_manifest
from sdk.recognize.options import ReadOptions

__all__ = ["Interrupted", "bulk"]

logger = logging.getLogger("sdk")


class Interrupted(SdkError):  # noqa: N818 (an end, not a failure)
    """The run was stopped; complete parts are kept."""


def bulk(
    source: str,
    output: str,
    options: Options,
    *,
    chunk: int = 50,
    address: str | None = None,
    processes: int | None = None,
    resume: bool = False,
    stop: threading.Event | None = None,
    tell: Callable[[str], None] = logger.info,
) -> Counts:
    """Read all photos of a source; write a part for each chunk, then `_SUCCESS` with the counts.

    Args:
        source: Folder, or address such as ``s3://bucket/photos``; folders in it are read too.
        output: Folder or address of the part files.
        options: How the photos are read.
        chunk: Photos in a chunk, at least 1.
        address: HOST:PORT of a Ray cluster; None uses the cores of this machine.
        processes: Without an address, the number of processes; None for one on each core.
        resume: Whether an unfinished output is finished.
        stop: Ends the run; complete parts are kept.
        tell: Called with lines on the progress.

    Returns:
        The counts of the whole output.

    Raises:
        OptionError: An option is not legal, or the output holds something else.
        ClusterError: The cluster cannot be reached, or a node differs or fails.
        SdkError: The source cannot be listed, the output not written, or photos are missing in it.
        Interrupted: `stop` was set.
    """
    if options.model is not None and Path(options.model).is_dir():  # otherwise a name
        options = replace(options, model=str(Path(options.model).absolute()))
    _, manifest = read_manifest(options.model)
    ReadOptions.of(manifest.charset, options.charset, 0, options.pattern)  # checks them
    files, parts = Store(source), Store(output)
    keys = [key for key in files.list_files() if _is_photo(key)]
    if not keys:
        raise OptionError(f"{source} holds no picture files.")
    found = environment(options)
    plan = Plan(files.absolute, parts.absolute, keys, chunk, options, found)
    done = _claim(plan, parts, resume)
    if done is not None:
        tell(f"{output} is complete already: {done.photos} photos")
        return done
    terms = Terms(plan.source, plan.output, options, found)
    with joined(address, processes) as cluster:
        run = _Run(plan, parts, terms, cluster, stop or threading.Event(), tell)
        return run.finish()


def _is_photo(key: str) -> bool:
    folders, _, name = key.rpartition("/")
    return is_picture(name) and not any(part.startswith(".") for part in folders.split("/"))


def _claim(plan: Plan, parts: Store, resume: bool) -> Counts | None:
    """Write the manifest, or compare it; return the counts if the output is complete."""
    there = parts.names()
    visible = {name for name in there if not name.startswith(".")}
    if MANIFEST not in there:
        if visible:
            raise OptionError(
                f"{plan.output} is not empty (it holds {min(visible)}), and was not written by "
                "fots-lite bulk. Choose another --output."
            )
        parts.write(MANIFEST, json.dumps(plan.manifest(), indent=1).encode())
        return None
    plan.check_manifest(parts.read(MANIFEST))
    if SUCCESS in there:
        record = json.loads(parts.read(SUCCESS))
        return Counts(**{name: record[name] for name in asdict(Counts())})
    if not resume and part_numbers(there, plan.options.form):
        raise OptionError(
            f"{plan.output} holds an unfinished run of the same photos. Give --resume to finish it."
        )
    return None


class _Run:
    """The chunks that are left of a plan."""

    def __init__(
        self,
        plan: Plan,
        parts: Store,
        terms: Terms,
        cluster: Cluster,
        stop: threading.Event,
        tell: Callable[[str], None],
    ) -> None:
        self._plan, self._parts, self._terms, self._cluster = plan, parts, terms, cluster
        self._stop, self._tell = stop, tell
        self._form = plan.options.form
        self._counts: dict[int, Counts] = {}
        self._bytes = 0

    def finish(self) -> Counts:
        """Do what is missing, check what is there, and write `_SUCCESS`."""
        self._parts.remove_unfinished()
        try:
            self._check_existing()
            missing = [n for n in range(self._plan.chunks) if n not in self._counts]
            if len(missing) < self._plan.chunks:
                self._tell(
                    f"{self._plan.chunks} chunks, {self._plan.chunks - len(missing)} there already"
                )
            killers = self._read(missing)
            for number in killers:
                self._read_one_by_one(number)
        finally:
            self._parts.remove_unfinished()
        return self._conclude()

    def _dispatch(
        self, function: Callable[..., Any], jobs: Iterator[tuple[str, tuple[Any, ...]]]
    ) -> Iterator[Finished | Lost | None]:
        yield from dispatch(self._cluster, function, jobs, self._stop)
        if self._stop.is_set():
            raise Interrupted(
                f"Interrupted after {len(self._counts)} of {self._plan.chunks} chunks, which are "
                "kept. Run the same command with --resume to finish."
            )

    def _job(self, number: int) -> tuple[str, tuple[Any, ...]]:
        name = part_name(number, self._form)
        return name, (self._terms, name, list(self._plan.keys_of(number)))

    def _note(self, outcome: Finished) -> Counts:
        counts: Counts = outcome.value[0]
        number = int(outcome.job.partition(".")[0].rpartition("-")[2])
        self._counts[number] = counts
        self._bytes += outcome.value[1]
        return counts

    def _check_existing(self) -> None:
        """Count the parts of earlier starts; remove those that are damaged."""
        there = part_numbers(self._parts.names(), self._form)
        for outcome in self._dispatch(check_part, map(self._job, sorted(there))):
            if isinstance(outcome, Lost):
                raise SdkError(f"{outcome.job} cannot be checked: the process {outcome.reason}.")
            if outcome is None:
                continue
            if outcome.value is None:
                logger.warning("%s is damaged and is made again.", outcome.job)
                self._parts.remove(outcome.job)
            else:
                self._note(outcome)

    def _read(self, missing: Sequence[int]) -> list[int]:
        """Read chunks; return the numbers of those that killed their process every time."""
        killers = []
        photos = sum(len(self._plan.keys_of(number)) for number in missing)
        progress = Progress(self._cluster, photos, self._tell)
        for outcome in self._dispatch(read_part, map(self._job, missing)):
            if isinstance(outcome, Finished):
                progress.add(outcome.node, self._note(outcome).photos)
            elif isinstance(outcome, Lost):
                number = int(outcome.job.partition(".")[0].rpartition("-")[2])
                killers.append(number)
            progress.tick()
        return killers

    def _read_one_by_one(self, number: int) -> None:
        """Read the photos of a chunk as tasks of their own, and write the part."""
        keys = self._plan.keys_of(number)
        logger.warning("%s is read photo by photo.", part_name(number, self._form))
        found: dict[str, list[dict[str, Any]]] = {}
        for outcome in self._dispatch(read_rows, ((key, (self._terms, key)) for key in keys)):
            if isinstance(outcome, Finished):
                found[outcome.job] = outcome.value
            elif isinstance(outcome, Lost):
                row = {"key": outcome.job, "error": f"{KILLED}: its process {outcome.reason}"}
                found[outcome.job] = [row]
        rows = [row for key in keys for row in found[key]]
        data = encode(rows, self._form)
        name = part_name(number, self._form)
        self._parts.write(name, data)
        self._counts[number] = count(rows)[0]
        self._bytes += len(data)

    def _conclude(self) -> Counts:
        total = sum(self._counts.values(), Counts())
        there = part_numbers(self._parts.names(), self._form)
        wanted = set(range(self._plan.chunks))
        if there != wanted or total.photos != len(self._plan.keys):
            raise SdkError(
                f"{self._plan.output} holds {len(there & wanted)} of {len(wanted)} parts with "
                f"{total.photos} of {len(self._plan.keys)} photos. Was something removed or "
                "added while it was written? Run the same command with --resume."
            )
        manifest = hashlib.sha256(self._parts.read(MANIFEST)).hexdigest()
        record = {
            **asdict(total),
            "parts": len(wanted),
            "bytes": self._bytes,
            "manifest_sha256": manifest,
        }
        self._parts.write(SUCCESS, json.dumps(record, indent=1).encode())
        return total
