"""`Reader`: from a picture to the text in it."""

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
from sdk.model.bundle import Bundle
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

    A reader may be used from several threads; the detector runs for one of them at a time. It may
    be used in a forked child as well, where its interpreters are set up anew; a GPU or an Edge TPU
    stays with the parent. Use it as a context manager, or call `close`, to free the model early.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        *,
        device: str = "auto",
        threads: int | None = None,
        variant: str | None = None,
    ) -> None:
        """Open a model.

        Args:
            model: Folder of a model bundle; None takes the packaged one. Open bundles of those you
                trust only: the checksums in a bundle show that it is undamaged, not who made it,
                and a graph made to harm can do to the process what a program can.
            device: "cpu"; "gpu", or "gpu:<library>" with a TFLite GPU delegate of your own;
                "edgetpu", or "edgetpu:usb", "edgetpu:pci", "edgetpu:<number>" to choose among
                several. "auto" takes what runs best, and says in `describe` why not the others.
                The detector runs there, the graphs of single lines on the CPU.
            threads: CPU threads, at least 1. None takes the usable cores, at most 4, and leaves
                OpenCV's own setting alone; a number is set for OpenCV too, in the whole process,
                but for a forked child, whose OpenCV is left as it is.
                The graphs of single lines run on one each, two looks at lines at a time.
            variant: Variant of the bundle, such as "int8" or "fp32"; None takes the one that fits
                the device.

        Raises:
            ModelError: The bundle is missing, damaged, or newer than this SDK.
            DeviceError: The device or an interpreter is not usable here.
            OptionError: `device` or `threads` is not legal.
        """
        # before the files are checked: a wrong argument should not cost their reading
        placement = place(model, check_options(device, threads), threads, variant)
        # in a forked child OpenCV has no threads, and would wait for those of the parent to end
        if threads is not None and not is_forked():
            cv2.setNumThreads(threads)
        self._assemble(placement)

    @classmethod
    def of_parts(cls, bundle: Bundle, engines: Mapping[str, Engine]) -> Reader:
        """Return a reader that runs given engines, for tools that share or watch them.

        Args:
            bundle: Its manifest says how to decode.
            engines: One for each role of the bundle's variant; closing the reader closes them.
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
        """Free the model; the reader cannot read any more. Closing twice does nothing."""
        self._closed = True
        self._pipeline.close()

    def describe(self) -> dict[str, Any]:
        """Return model, variant, device, interpreter, threads and files as plain values.

        "passed_over" holds why "auto" did not take a device, by its name.
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

    def warm_up(self, width: int = 640, height: int = 480) -> None:
        """Run every graph once, so that the first picture takes little longer than the others.

        The graph of lines is set up for one width; each other one is when a line needs it.

        Args:
            width: Width in pixels of the pictures that will come.
            height: Their height; the detector's frame depends on their ratio, and only the one for
                this ratio is set up.

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
    ) -> Reading:
        """Return all text in a picture.

        Args:
            image: A path, the bytes of an image file, a binary file object, a PIL image, an array
                or a `Picture`, see `load_image`. Of a file with several pages the first is read,
                `read_pages` reads them all.
            min_confidence: Lines less sure than this are left out, 0..1; None takes the model's own
                bound, 0 keeps all.
            charset: Characters that may occur, such as "0123456789"; None allows all.
            pattern: What whole lines may look like: a regular expression, a `Template`, or a list
                of them, of which any may match. A line that can be read so gets the likeliest such
                text and `pattern_ok=True`, the others keep theirs and get `pattern_ok=False`.
            beam: 0 takes the best character in every place (greedy); n > 0 runs a prefix beam
                search of that width, which is slower and slightly better on doubtful lines.
            channels: Channel order of an array with color, "rgb" or "bgr".
            max_lines: Most lines to read, the surest detections first; None leaves it to the model.
            max_pixels: Most pixels of a picture to decode: a larger one is refused, since it may
                take more memory than there is.
            region: x, y, width, height of the part that is read, as shares of the picture, 0 to 1;
                None reads all of it. Places are those in the whole picture.

        Returns:
            The lines in reading order, none if there is no text; and notes on what was left out.

        Raises:
            ImageError: The picture cannot be loaded.
            ModelError: The model has no detector: it reads single lines only; or the interpreter
                cannot run its detector.
            OptionError: An argument is not legal.
        """
        started = time.perf_counter()
        self._check_open()
        options = ReadOptions.of(self._pipeline.charset, charset, beam, pattern)
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
        """Read the pages of a TIFF or PDF file, each when its reading is asked for.

        Any other picture has one page. PDF files need the extra `pdf`.

        Args:
            image: As for `read`.
            pages: "all", the number of one page, or numbers of several; the first page is 1.
            channels: As for `read`.
            max_pixels: As for `read`, for each page.
            **options: Others of `read`, the same for all pages.

        Yields:
            One reading per page; its `page` is the page's number.

        Raises:
            OptionError: An argument is not legal.
            SdkError: As `read`, when the page's turn comes; it ends the reading.
        """
        with open_document(image, channels, max_pixels=max_pixels) as document:
            for number in document.select(pages):
                yield self.read(document.load(number), **options)

    def read_batch(self, images: Iterable[ImageSource], **options: Any) -> Iterator[Reading]:
        """Read several pictures, each when its reading is asked for.

        Args:
            images: Pictures as `read` takes them, not a single one; each is opened when its turn
                comes.
            **options: As for `read`, the same for all pictures.

        Yields:
            One reading per picture, in their order.

        Raises:
            OptionError: `images` is a single picture.
            SdkError: As `read`, when the picture's turn comes; it ends the batch.
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
        """Read a camera, and tell when a product's reading is settled, has changed, or has left.

        The newest frame is read, so that a slow reader skips frames and is never behind. Files and
        folders are read completely, in order. Every picture of a folder, and every frame of a
        triggered camera, is a product of its own and gives an event, without a vote.

        Args:
            source: A camera, or the word for one, see `sdk.live.camera.source`.
            every: Least time between two readings, in seconds.
            vote: Frames that must agree until a reading is settled, at least 1.
            region: x, y, width, height of the part that is read, as shares of the picture, 0 to 1;
                None reads all of it.
            stop: Ends the stream when set, by any thread or a signal handler.
            **options: As for `read`.

        Yields:
            Events, see `StreamEvent`. It ends with the file or folder, with `stop`, or when the
            generator is closed; a camera that is lost is opened again until then.

        Raises:
            CameraError: The camera cannot be opened at the start.
            SdkError: As `read`.
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
    ) -> TextLine:
        """Return the text of a picture that shows a single line.

        A tall picture is turned by 90 degrees, both ways, and a line that reads badly by 180. The
        line may stand in a part of the height, as on a number plate with small print, climb through
        it, as on a sign seen from the side, or bend, as round a cap. What reads unsurely is read
        from several cuts, of whose texts the one likeliest in all of them is taken. Characters of a
        line that bends are upright slices of the whole picture.

        Args:
            image: As for `read`.
            charset: Characters that may occur; None allows all.
            pattern: As for `read`; of the ways to read the picture the one wins that reads the
                likeliest such text.
            beam: 0 is greedy; n > 0 runs a prefix beam search of that width.
            channels: Channel order of an array with color, "rgb" or "bgr".
            max_pixels: As for `read`.

        Returns:
            The line; its text is empty if nothing can be read.

        Raises:
            ImageError: The picture cannot be loaded.
            OptionError: An argument is not legal.
        """
        self._check_open()
        options = ReadOptions.of(self._pipeline.charset, charset, beam, pattern)
        pixels = load_image(image, channels, max_pixels=max_pixels)
        return self._pipeline.recognize_crop(pixels, options)

    def _check_open(self) -> None:
        if self._closed:
            raise SdkError("The reader is closed. Open a new one.")


def _check_share(name: str, value: float) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0.0 <= value <= 1.0:
        raise OptionError(f"{name} is {value!r}. Give a number from 0 to 1.")
