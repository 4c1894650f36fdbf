"""Readers of a station's jobs: the station's own, and those of the bundles that jobs name."""

from __future__ import annotations

import threading
from pathlib import Path

from sdk.closing import Closing
from sdk.errors import JobError, ModelError
from sdk.model.bundle import DEFAULT_BUNDLE, Bundle
from sdk.model.store import beside
from sdk.reader import Reader
from sdk.station.config import StationConfig
from sdk.station.job import Job

__all__ = ["JobReaders"]

# The bundles of the job in use, and those of the job that is chosen next.
_MOST_JOBS = 2


class JobReaders(Closing):
    """Opens the bundles that a job names when they are needed.

    A bundle of lines alone that names no other bundle for its detector uses the station's detector.

    Attributes:
        default: Reader of the fields that name no bundle.
    """

    def __init__(self, config: StationConfig, folder: Path) -> None:
        """Open the station's reader.

        Args:
            config: Settings with model, device, threads and the folder of jobs.
            folder: Start of the configuration's relative paths.

        Raises:
            SdkError: The model or the device cannot be used.
        """
        self._device, self._threads = config.device, config.threads or None
        self._jobs = folder / config.jobs
        self._lock = threading.Lock()
        self._named: dict[str, Reader] = {}
        self._recent: list[set[str]] = []  # the bundles of the last jobs, the newest last
        self._model = beside(folder, config.model) if config.model else None
        self.default = self._open(self._model)

    def of(self, job: Job) -> tuple[Reader, ...]:
        """Return the readers of a job, one for each of its `parts`.

        Raises:
            JobError: A bundle is missing or cannot be used.
            DeviceError: The device cannot run it.
        """
        models = {part.model for part in job.parts if part.model}
        if not models:
            return (self.default,) * len(job.parts)
        with self._lock:
            for model in models - self._named.keys():
                self._named[model] = self._open_named(job, model)
            others = [recent for recent in self._recent if recent != models]
            self._recent = [*others, models][-_MOST_JOBS:]
            for model in self._named.keys() - set().union(*self._recent):
                self._named.pop(model).close()
            return tuple(
                self._named[part.model] if part.model else self.default for part in job.parts
            )

    def forget(self, model: str) -> None:
        """Open a bundle again when a job needs it, because its files have changed."""
        with self._lock:
            reader = self._named.pop(model, None)
            if reader is not None:
                reader.close()

    def close(self) -> None:
        """Close all readers."""
        with self._lock:
            for reader in (self.default, *self._named.values()):
                reader.close()
            self._named.clear()

    def _open_named(self, job: Job, model: str) -> Reader:
        bundle = beside(self._jobs, model)
        try:
            if "detector" in Bundle.open(bundle).roles:
                return self._open(bundle)
            return self._open(bundle, detector=self._model or DEFAULT_BUNDLE)
        except ModelError as error:
            raise JobError(
                f"The job {job.name!r} names the model {model!r}, which cannot be used: {error}"
            ) from error

    def _open(self, model: str | Path | None, detector: str | Path | None = None) -> Reader:
        reader = Reader(model, detector=detector, device=self._device, threads=self._threads)
        # the first product shall not wait
        reader.warm_up()
        return reader
