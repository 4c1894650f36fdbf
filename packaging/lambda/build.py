"""Builds the AWS Lambda function.

    python packaging/lambda/build.py --out build/lambda.zip

Lambda takes 262,144,000 bytes unzipped. What the function never loads is left out, so that a good
margin remains for the versions to come.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 262_144_000
MARGIN = 15_000_000
ARCHITECTURES = {"x86_64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}

# Of Lambda's own Python, or for the image alone.
HAS = ("awslambdaric*", "boto3*", "botocore*", "s3transfer*", "jmespath*", "*dateutil*", "six*",
       "urllib3*", "simplejson*", "snapshot_restore*", "runtime_client*")  # fmt: skip
# What the reader never loads: other bundles, accelerators and tools of LiteRT, what only its
# converters need, tests, headers, random numbers and transforms of NumPy, OpenCV's classifiers,
# Pillow's AVIF, fonts (for drawing) and color management.
UNUSED = (
    "sdk/models/digits", "sdk/models/latin", "ai_edge_litert/libLiteRtWebGpuAccelerator.so",
    "ai_edge_litert/vendors", "ai_edge_litert/aot", "ai_edge_litert/tools",
    "ai_edge_litert/schema_py_generated.py",
    "ai_edge_litert/descriptor_pb2.py", "ml_dtypes*", "google", "protobuf*", "flatbuffers*",
    "tqdm*", "backports*", "setuptools*", "pkg_resources", "_distutils_hack",
    "distutils-precedence.pth", "bin", "numpy/tests", "numpy/*/tests", "numpy/f2py",
    "numpy/distutils", "numpy/_core/include", "numpy/_core/lib", "numpy/random/lib",
    "numpy/_core/_simd.*", "numpy/random", "numpy/fft", "numpy/testing",
    "numpy/polynomial", "cv2/data", "cv2/typing",
    "PIL/_avif*", "pillow.libs/libavif-*", "PIL/_imagingcms*", "pillow.libs/liblcms2-*",
    "PIL/_imagingft*", "pillow.libs/libfreetype-*", "pillow.libs/libharfbuzz-*",
)  # fmt: skip


def assemble(folder: Path, *, python: str, arch: str, whole: bool = False) -> int:
    """Fill a folder with the function, and return its size in bytes.

    Args:
        folder: It must be empty, or not exist.
        python: Version of Python, such as "3.13".
        arch: "x86_64" or "arm64".
        whole: Whether everything stays in, as in a container image.

    Raises:
        SystemExit: It is too large.
    """
    subprocess.run(
        [
            sys.executable, "-m", "uv", "pip", "install", "--quiet", "--require-hashes",
            "--only-binary", ":all:", "--python-version", python,
            "--python-platform", ARCHITECTURES[arch], "--target", str(folder),
            "--requirement", str(ROOT / "locks" / "lambda.txt"),
        ],
        check=True,
    )  # fmt: skip
    caches = shutil.ignore_patterns("__pycache__", "*.pyi")
    shutil.copytree(ROOT / "sdk", folder / "sdk", ignore=caches)
    shutil.copy(ROOT / "packaging" / "lambda" / "handler.py", folder)
    if whole:
        return size(folder)
    for pattern in (*HAS, *UNUSED):
        for path in folder.glob(pattern):
            remove(path)
    for path in [*folder.rglob("*.pyi"), *folder.rglob("__pycache__")]:
        remove(path)
    return check_size(size(folder))


def check_size(found: int) -> int:
    """Return a size in bytes that leaves the margin free.

    Raises:
        SystemExit: It does not.
    """
    if found > LIMIT - MARGIN:
        raise SystemExit(
            f"The function has {found:,} bytes; Lambda takes {LIMIT:,}, and {MARGIN:,} shall stay "
            "free. Leave more out: see UNUSED in packaging/lambda/build.py."
        )
    return found


def pack(folder: Path, target: Path) -> None:
    """Write the files of a folder into a zip file, the same bytes for the same files."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files(folder):
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix())
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, path.read_bytes())


def files(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder in order."""
    yield from sorted(path for path in folder.rglob("*") if path.is_file())


def size(folder: Path) -> int:
    """Return the bytes of the files of a folder."""
    return sum(path.stat().st_size for path in files(folder))


def remove(path: Path) -> None:
    """Remove a file or a folder that may be gone already."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def main() -> None:
    """Build what the command line asks for."""
    parser = argparse.ArgumentParser(description="Build the AWS Lambda function.")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "lambda.zip")
    parser.add_argument("--python", default="3.13", help="of the function (default: %(default)s)")
    parser.add_argument("--arch", choices=ARCHITECTURES, default="x86_64")
    parser.add_argument("--image", action="store_true", help="a folder for the container image")
    args = parser.parse_args()
    if not args.image and args.out.suffix != ".zip":
        parser.error(f"--out is {args.out}, which is no .zip file. Name one, or give --image.")
    folder = args.out if args.image else args.out.with_suffix("")
    remove(folder)
    found = assemble(folder, python=args.python, arch=args.arch, whole=args.image)
    print(f"{folder}: {found:,} bytes")
    if not args.image:
        pack(folder, args.out)
        print(f"{args.out}: {args.out.stat().st_size:,} bytes; over 50 MB go through S3")


if __name__ == "__main__":
    main()
