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

# The bundle of the job in use, and that of the job that is chosen next.
_MOST = 2


class JobReaders(Closing):
    """Opens the bundle that a job names when it is needed.

    A bundle of lines alone that names no other bundle for its detector uses the station's detector.

    Attributes:
        default: Reader of the jobs that name no bundle.
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
        self._model = beside(folder, config.model) if config.model else None
        self.default = self._open(self._model)

    def of(self, job: Job) -> Reader:
        """Return the reader of a job.

        Raises:
            JobError: The job's bundle is missing or cannot be used.
            DeviceError: The device cannot run it.
        """
        if not job.model:
            return self.default
        with self._lock:
            reader = self._named.pop(job.model, None)
            if reader is None:
                reader = self._open_named(job)
            self._named[job.model] = reader  # the newest is last
            while len(self._named) > _MOST:
                self._named.pop(next(iter(self._named))).close()
        return reader

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

    def _open_named(self, job: Job) -> Reader:
        model = beside(self._jobs, job.model)
        try:
            if "detector" in Bundle.open(model).roles:
                return self._open(model)
            return self._open(model, detector=self._model or DEFAULT_BUNDLE)
        except ModelError as error:
            raise JobError(
                f"The job {job.name!r} names the model {job.model!r}, which cannot be used: {error}"
            ) from error

    def _open(self, model: str | Path | None, detector: str | Path | None = None) -> Reader:
        reader = Reader(model, detector=detector, device=self._device, threads=self._threads)
        # the first product shall not wait
        reader.warm_up()
        return reader
