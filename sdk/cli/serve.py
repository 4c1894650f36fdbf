"""`fots-lite serve`: read pictures over HTTP."""

from __future__ import annotations

import argparse
import functools
import logging
from importlib import import_module
from typing import TYPE_CHECKING

from sdk.arguments import positive_int, seconds
from sdk.cli.log import logger
from sdk.cli.options import add_command, add_reader_options, open_reader
from sdk.cli.signals import stopped_by_signals
from sdk.cli.status import OK, UNUSABLE
from sdk.errors import DeviceError
from sdk.image.picture import MAX_PIXELS
from sdk.selftest import SAMPLE_TEXTS, draw_sample, same

if TYPE_CHECKING:
    from sdk.reader import Reader

# What the extra installs, as it is imported.
PACKAGES = ("starlette", "uvicorn", "python_multipart", "prometheus_client")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "serve", "Read pictures over HTTP.")
    parser.set_defaults(run=run)
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address to listen on (default: %(default)s, this machine alone; 0.0.0.0: all)",
    )
    parser.add_argument(
        "--port", type=_port, default=8000, metavar="N", help="port (default: %(default)s)"
    )
    parser.add_argument(
        "--token-file",
        metavar="FILE",
        help="file with the tokens, one on a line, of which clients must send one",
    )
    group = parser.add_argument_group("limits")
    group.add_argument(
        "--workers",
        type=positive_int,
        metavar="N",
        help="processes that read (default: one for every two cores)",
    )
    group.add_argument(
        "--queue",
        type=positive_int,
        default=16,
        metavar="N",
        help="requests that may wait; others are answered 503 (default: %(default)s)",
    )
    group.add_argument(
        "--max-bytes",
        type=positive_int,
        default=20_000_000,
        metavar="N",
        help="bytes of a request's body (default: %(default)s)",
    )
    group.add_argument(
        "--max-pixels",
        type=positive_int,
        default=MAX_PIXELS,
        metavar="N",
        help="pixels of a picture (default: %(default)s)",
    )
    group.add_argument(
        "--timeout",
        type=_timeout,
        default=30.0,
        metavar="S",
        help="how long a body may take to arrive, a request to wait, and a picture to be read "
        "(default: %(default)g)",
    )
    group.add_argument(
        "--drain",
        type=seconds,
        default=1.0,
        metavar="S",
        help="how long new requests are still taken after SIGTERM (default: %(default)g)",
    )
    parser.add_argument(
        "--log-texts", action="store_true", help="write what was read into the log as well"
    )
    add_reader_options(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until a signal comes; return 0."""
    try:
        for package in PACKAGES:
            import_module(package)
    except ImportError as error:
        logger.error(
            "A package of the service is not installed (%s). Install it: "
            "pip install 'fots-lite[serve]'.",
            error,
        )
        return UNUSABLE
    # Late: they need the packages, and --help must not wait for them.
    from sdk.engine.cpu import usable_cores
    from sdk.serve.log import log_as_json
    from sdk.serve.log import logger as log
    from sdk.serve.server import serve
    from sdk.serve.settings import ServeSettings
    from sdk.serve.tokens import load_tokens

    cores = usable_cores()
    workers = args.workers or max(1, cores // 2)
    settings = ServeSettings(
        host=args.host,
        port=args.port,
        workers=workers,
        queue=args.queue,
        tokens=load_tokens(args.token_file) if args.token_file else (),
        max_bytes=args.max_bytes,
        max_pixels=args.max_pixels,
        body_timeout_s=args.timeout,
        timeout_s=args.timeout,
        drain_s=args.drain,
        log_texts=args.log_texts,
    )
    if args.threads is None:
        args.threads = max(1, min(4, cores // workers))
    # uvicorn raises the signal that stopped it once more when it is done
    level = logging.ERROR if args.quiet else logging.DEBUG if args.verbose else logging.INFO
    with log_as_json(level), stopped_by_signals():
        if not settings.tokens and args.host not in ("127.0.0.1", "::1", "localhost"):
            log.warning(
                "Whoever reaches %s may use this service: there is no --token-file.", args.host
            )
        serve(functools.partial(open_checked, args), settings)
    return OK


def open_checked(args: argparse.Namespace) -> Reader:
    """Return a reader that has read the test picture.

    Raises:
        ModelError: The bundle is missing, damaged or too new, or has no such variant.
        DeviceError: The device or the interpreter cannot be used, or the packaged model reads
            something else than the picture says.
        OptionError: There is no such device.
    """
    reader = open_reader(args)
    if not reader.describe()["frame"]:  # a model of lines alone
        reader.warm_up()
        return reader
    texts = reader.read(draw_sample()).texts
    right = len(texts) == len(SAMPLE_TEXTS) and all(map(same, SAMPLE_TEXTS, texts))
    # other models may know other characters
    if args.model is None and not right:
        reader.close()
        raise DeviceError(
            f"The test picture says {', '.join(SAMPLE_TEXTS)}, but was read as "
            f"{', '.join(texts) or 'nothing'}. See what fots-lite check says."
        )
    return reader


def _port(text: str) -> int:
    value = int(text) if text.isdecimal() else -1
    if not 0 <= value <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, 0 to 65535")
    return value


def _timeout(text: str) -> float:
    value = seconds(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time of at least 1 second")
    return value
