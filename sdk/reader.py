"""`Reader`: reads the text in pictures."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from functools import partial
from os import PathLike
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from sdk.closing import Closing
from sdk.engine import Device, Engine, Placement, check_options, place
from sdk.errors import OptionError, SdkError
from sdk.forking import is_forked
from sdk.image.load import MAX_PIXELS, Picture, load_image, load_picture, open_document
from sdk.model.bundle import Bundle, Combination, ModelSource
from sdk.notes import note_gaps
from sdk.order import reading_order
from sdk.pipeline import Pipeline
from sdk.recognize.options import ReadOptions
from sdk.region import Region, moved
from sdk.results import Reading, TextLine, Timing

if TYPE_CHECKING:
    from sdk.image.load import ImageSource, Pages
    from sdk.live.camera.base import Camera
    from sdk.live.event import StreamEvent
    from sdk.recognize.pattern.automaton import Pattern

logger = logging.getLogger("sdk")

__all__ = ["Reader"]


class Reader(Closing):
    """Reads text in pictures.

    Several threads may use a reader at the same time. The detector runs for one thread at a time.
    A forked child process may use the reader too. The child sets up its own interpreters, but
    cannot use the parent's GPU or Edge TPU. Use the reader as a context manager, or call `close`,
    to free the model early.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        *,
        reader: str | os.PathLike[str] | None = None,
        detector: str | os.PathLike[str] | None = None,
        device: str = "auto",
        threads: int | None = None,
        variant: str | None = None,
    ) -> None:
        """Open a model.

        Args:
            model: Folder of a model bundle, or the name of an installed one, see
                `fots-lite models`. None opens the packaged bundle. Open only bundles from sources
                that you trust: the checksums in a bundle detect damage, but do not show who made
                the bundle, and a malicious graph can do the same harm as a program.
            reader: The same as `model`, to be named beside `detector`.
            detector: Folder or name of the bundle whose detector finds the lines. None uses the
                detector of `model`. Lines are then read from the picture's pixels.
            device: "cpu"; "gpu", or "gpu:<library>" for your own TFLite GPU delegate; "edgetpu", or
                "edgetpu:usb", "edgetpu:pci", "edgetpu:<number>" to select one of several. "auto"
                selects the best usable device. `describe` states why other devices were not
                selected. The detector runs on the device, the graphs of single lines on the CPU.
            threads: Number of CPU threads, at least 1. None uses the available cores, at most 4,
                and does not change OpenCV's setting. A number applies to OpenCV in the whole
                process too, except in a forked child. The graphs of single lines use one thread
                per line crop, for two line crops at a time.
            variant: Variant of the bundle, such as "int8" or "fp32". None selects the variant that
                fits the device.

        Raises:
            ModelError: The bundle is missing, damaged, or newer than this SDK.
            DeviceError: The device or an interpreter is not usable on this machine.
            OptionError: `device` or `threads` is not legal, or `model` and `reader` are both given.
        """
        if model is not None and reader is not None:
            raise OptionError(f"model is {model!r} and reader is {reader!r}. Give one of them.")
        lines = reader if model is None else model
        source: ModelSource = lines if detector is None else Combination(lines, detector)
        # options are checked first: an illegal value must not cost the time of reading files
        placement = place(source, check_options(device, threads), threads, variant)
        # in a forked child OpenCV has no threads, and would wait for the parent's threads
        if threads is not None and not is_forked():
            cv2.setNumThreads(threads)
        self._assemble(placement)

    @classmethod
    def of_parts(cls, bundle: Bundle, engines: Mapping[str, Engine]) -> Reader:
        """Return a reader of given engines, for tools that share or observe engines.

        Args:
            bundle: The bundle, whose manifest holds the settings.
            engines: One engine for each role of the bundle's variant. `close` closes them.
        """
        reader = cls.__new__(cls)
        kind = engines.get("detector", engines["line"]).describe()["device"]
        reader._assemble(Placement(bundle, Device(kind), engines))
        return reader

    def _assemble(self, placement: Placement) -> None:
        self._placement, self._bundle = placement, placement.bundle
        self._engines = placement.engines
        self._pipeline = Pipeline(self._bundle, self._engines)
        self._closed = False
        manifest = self._bundle.manifest
        self._model = f"{manifest.name} {manifest.version}"
        self._device = str(placement.device)

    def close(self) -> None:
        """Free the model. The reader cannot read afterwards. A second call has no effect."""
        self._closed = True
        self._pipeline.close()

    def describe(self) -> dict[str, Any]:
        """Return model, variant, device, interpreter, threads and files as plain values.

        "passed_over" maps the name of each device that "auto" did not select to the reason.
        """
        manifest = self._bundle.manifest
        engines = {role: engine.describe() for role, engine in self._engines.items()}
        shape = None
        if "detector" in engines:
            shape = list(self._bundle.graph("detector").spec.input("image").shape[1:3])
        return {
            "model": manifest.name,
            "version": manifest.version,
            "created": manifest.created,
            "folder": str(self._bundle.folder),
            "detector_folder": self._detector_folder(),
            "variant": self._bundle.variant,
            "variants": list(manifest.variants),
            "charset": manifest.charset.symbols,
            "frame": shape,
            "device": self._device,
            "passed_over": dict(self._placement.passed_over),
            "interpreter": engines["line"]["interpreter"],
            "threads": engines.get("detector", engines["line"])["threads"],
            "graphs": {
                role: {key: engine[key] for key in ("file", "bytes", "device")}
                for role, engine in engines.items()
            },
        }

    def _detector_folder(self) -> str | None:
        if "detector" not in self._engines:
            return None
        return str((self._bundle.lender or self._bundle).folder)

    def warm_up(self, width: int = 640, height: int = 480) -> None:
        """Run every graph once, so that the first picture takes little longer than later pictures.

        The line graph is set up for one width only. Its other widths are set up by the first line
        that needs them.

        Args:
            width: Width of the expected pictures in pixels.
            height: Height of the expected pictures in pixels. Only the detector's frame for this
                aspect ratio is set up.

        Raises:
            OptionError: A size is not a whole number of at least 1.
            SdkError: The reader is closed.
        """
        self._check_open()
        if not all(type(side) is int and side > 0 for side in (width, height)):
            raise OptionError(f"The size is {width!r} x {height!r}. Give whole numbers of pixels.")
        if self._pipeline.detector is not None:
            self._pipeline.detector.warm_up(width, height)
        for role, engine in self._engines.items():
            if role != "detector":
                specs = self._bundle.graph(role).spec.inputs
                engine.run({t.name: np.zeros(t.shape, t.dtype) for t in specs})

    def read(
        self,
        image: ImageSource,
        *,
        min_confidence: float | None = None,
        charset: str | None = None,
        pattern: Pattern | Sequence[Pattern] | None = None,
        beam: int = 0,
        channels: str = "rgb",
        max_lines: int | None = None,
        max_pixels: int = MAX_PIXELS,
        region: Sequence[float] | None = None,
        lattice: bool = False,
        words: bool = True,
        cells: bool = True,
    ) -> Reading:
        """Return all text in a picture.

        Args:
            image: A path, the bytes of an image file, a binary file object, a PIL image, an array
                or a `Picture`, see `load_image`. Of a file with several pages only the first page
                is read. `read_pages` reads all pages.
            min_confidence: Lines with a lower confidence are left out, 0..1. None uses the model's
                bound, 0 keeps all lines.
            charset: Characters that may occur, such as "0123456789". None allows all.
            pattern: Pattern of whole lines: a regular expression, a `Template`, or a list of
                alternatives. A line that fits gets the likeliest fitting text and
                `pattern_ok=True`. Other lines keep their text and get `pattern_ok=False`.
            beam: 0 takes the best character in every place (greedy). n > 0 runs a prefix beam
                search of width n, which is slower and slightly better on lines of low confidence.
            channels: Channel order of an array with color, "rgb" or "bgr".
            max_lines: Largest number of lines to read, detections with the highest scores first.
                None uses the model's limit. A line that wide gaps divide counts once.
            max_pixels: Largest number of pixels of a picture. Larger pictures are refused, because
                they may need more memory than the machine has.
            region: x, y, width, height of the part to read, as shares of the picture, 0 to 1. None
                reads the whole picture. Coordinates of the result refer to the whole picture.
            lattice: Whether the lines keep the probabilities of their characters over time, for
                `TextLine.lattice`. A line of 64 columns then takes 24 kB more memory.
            words: Whether a known word may replace a similar unknown one that was hardly less
                likely, see docs/accuracy.md. False reads what is printed, misprints too. A charset
                or a pattern implies False.
            cells: Whether the cells of a row, which wide gaps divide, are lines of their own, see
                docs/accuracy.md. A charset or a pattern implies False.

        Returns:
            The lines in reading order, none if there is no text, and notes on text left out.

        Raises:
            ImageError: The picture cannot be loaded.
            ModelError: The model has no detector and reads single lines only, or the interpreter
                cannot run the detector.
            OptionError: An argument is not legal.
        """
        started = time.perf_counter()
        self._check_open()
        options = ReadOptions.of(
            self._pipeline.charset, charset, beam, pattern, bool(lattice), bool(words), bool(cells)
        )
        settings = self._pipeline.settings
        if min_confidence is None:
            min_confidence = settings.recognize.min_confidence
        _check_share("min_confidence", min_confidence)
        if max_lines is not None and (type(max_lines) is not int or max_lines < 0):
            raise OptionError(f"max_lines is {max_lines!r}. Give a whole number, or None.")
        part = Region.of((0, 0, 1, 1) if region is None else region)
        picture = load_picture(image, channels, max_pixels=max_pixels)
        pixels, corner = part.cut(picture.pixels)
        loaded = time.perf_counter()
        load_ms = picture.load_ms if isinstance(image, Picture) else 1e3 * (loaded - started)

        found = self._pipeline.detect(pixels)
        detected = time.perf_counter()
        chosen = found[: settings.detect.max_lines][:max_lines]
        lines = self._pipeline.recognize(pixels, chosen, options)
        recognized = time.perf_counter()
        kept = [x for x in lines if x.text.strip() and x.confidence >= min_confidence]
        order = reading_order(np.array([line.quad for line in kept], np.float32))
        ordered = tuple(moved(kept[i], *corner) for i in order)

        return Reading(
            ordered,
            picture.pixels.shape[1],
            picture.pixels.shape[0],
            Timing(
                load_ms,
                1e3 * (detected - loaded),
                1e3 * (recognized - detected),
                load_ms + 1e3 * (time.perf_counter() - loaded),
            ),
            self._model,
            self._device,
            picture.page,
            (*picture.notes, *note_gaps(found, chosen, ordered, settings.detect.max_lines)),
        )

    def read_pages(
        self,
        image: ImageSource,
        pages: Pages = "all",
        *,
        channels: str = "rgb",
        max_pixels: int = MAX_PIXELS,
        **options: Any,
    ) -> Iterator[Reading]:
        """Read the pages of a TIFF or PDF file one by one.

        Each page is loaded when its reading is requested. Any other picture has one page. PDF files
        need the extra `pdf`.

        Args:
            image: As for `read`.
            pages: "all", a page number, or several page numbers. The first page is 1.
            channels: As for `read`.
            max_pixels: As for `read`, for each page.
            **options: Further options of `read`, the same for all pages.

        Yields:
            One reading per page. Its `page` is the page's number.

        Raises:
            OptionError: An argument is not legal.
            SdkError: A page cannot be read, see `read`. The iteration ends.
        """
        with open_document(image, channels, max_pixels=max_pixels) as document:
            for number in document.select(pages):
                yield self.read(document.load(number), **options)

    def read_batch(self, images: Iterable[ImageSource], **options: Any) -> Iterator[Reading]:
        """Read several pictures one by one.

        Each picture is loaded when its reading is requested.

        Args:
            images: Pictures of the types that `read` accepts, not a single picture.
            **options: As for `read`, the same for all pictures.

        Yields:
            One reading per picture, in the given order.

        Raises:
            OptionError: `images` is a single picture.
            SdkError: A picture cannot be read, see `read`. The iteration ends.
        """
        one_array = isinstance(images, np.ndarray) and images.ndim < 4
        if one_array or isinstance(images, (str, bytes, PathLike)):
            raise OptionError("read_batch takes several pictures. Give a list, or call read().")
        for image in images:
            yield self.read(image, **options)

    def stream(
        self,
        source: str | int | os.PathLike[str] | Camera,
        *,
        every: float = 0.0,
        vote: int = 3,
        region: Sequence[float] | None = None,
        stop: threading.Event | None = None,
        **options: Any,
    ) -> Generator[StreamEvent, None, None]:
        """Read a camera, and report when the reading of a product settles, changes or ends.

        Only the newest frame is read, so a slow reader skips frames and has no delay. Files and
        folders are read completely, in order. Every picture of a folder and every frame of a
        triggered camera shows a separate product and gives an event without a vote.

        Args:
            source: A camera, or the word for a camera, see `sdk.live.camera.source`.
            every: Least time between two readings, in seconds.
            vote: Number of frames that must agree before a reading is settled, at least 1.
            region: x, y, width, height of the part to read, as shares of the picture, 0 to 1. None
                reads the whole picture.
            stop: Ends the stream when set, by any thread or a signal handler.
            **options: As for `read`.

        Yields:
            Events, see `StreamEvent`. The stream ends with the file or folder, when `stop` is set,
            or when the generator is closed. Until then a lost camera is opened again.

        Raises:
            CameraError: The camera cannot be opened at the start.
            SdkError: A frame cannot be read, see `read`.
        """
        from sdk.live.camera.source import make_camera
        from sdk.live.loop import events
        from sdk.live.tracker import tracker_for

        self._check_open()
        if not isinstance(every, (int, float)) or not 0 <= every < math.inf:
            raise OptionError(f"every is {every!r}. Give seconds, 0 or more.")
        if isinstance(source, (str, int, os.PathLike)):
            source = make_camera(source)
        part = None if region is None else Region.of(region)
        return events(
            partial(self.read, region=part, **options),
            source,
            tracker_for(source, vote),
            every=every,
            stop=stop or threading.Event(),
        )

    def read_line(
        self,
        image: ImageSource,
        *,
        charset: str | None = None,
        pattern: Pattern | Sequence[Pattern] | None = None,
        beam: int = 0,
        channels: str = "rgb",
        max_pixels: int = MAX_PIXELS,
        lattice: bool = False,
        words: bool = True,
    ) -> TextLine:
        """Return the text of a picture that shows a single line.

        A tall picture is also read turned by 90 degrees in both directions. A line of low
        confidence is also read turned by 180 degrees. The line may fill only a part of the height,
        as on a number plate with small print. The line may climb, as on a sign seen from the side,
        or bend, as around a cap. A line of low confidence is read from several candidate views, and
        the likeliest text over all views is returned. The quads of a bent line's characters are
        upright slices of the whole picture.

        Args:
            image: As for `read`.
            charset: Characters that may occur. None allows all.
            pattern: As for `read`. The candidate view with the likeliest fitting text wins.
            beam: Width of the prefix beam search. 0 is greedy.
            channels: Channel order of an array with color, "rgb" or "bgr".
            max_pixels: As for `read`.
            lattice: As for `read`.
            words: As for `read`.

        Returns:
            The line. Its text is empty if no text can be read.

        Raises:
            ImageError: The picture cannot be loaded.
            OptionError: An argument is not legal.
        """
        self._check_open()
        options = ReadOptions.of(
            self._pipeline.charset, charset, beam, pattern, bool(lattice), bool(words)
        )
        pixels = load_image(image, channels, max_pixels=max_pixels)
        return self._pipeline.recognize_crop(pixels, options)

    def _check_open(self) -> None:
        if self._closed:
            raise SdkError("The reader is closed. Open a new reader.")


def _check_share(name: str, value: float) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0.0 <= value <= 1.0:
        raise OptionError(f"{name} is {value!r}. Give a number from 0 to 1.")
