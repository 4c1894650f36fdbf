"""How long the AWS Lambda function takes, how much memory it holds, and what it costs.

    python benchmarks/lambda_function.py build/lambda [--photo FILE] [--calls 20] [--starts 3]

`make lambda` builds the folder. The function runs under Lambda's own runtime client, against a
Runtime API on this machine, with one thread. Times are of the processor: other work on the machine
does not count, and a function of 1,769 MB has one core, as a thread here. Costs are those of
compute and requests at --gb-second and --request dollars; transfer, storage and gateways come on
top.
"""

from __future__ import annotations

import argparse
import base64
import statistics
import tempfile
import time
from pathlib import Path

from runtime_api import Function

ROOT = Path(__file__).resolve().parents[1]
MEMORY_MB = 1769


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="the unzipped function")
    parser.add_argument("--photo", type=Path, default=ROOT / "tests/sdk/serve/photo.jpg")
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--gb-second", type=float, default=0.0000166667)
    parser.add_argument("--request", type=float, default=0.0000002)
    args = parser.parse_args()
    body = base64.b64encode(args.photo.read_bytes()).decode()
    event = {
        "version": "2.0",
        "rawPath": "/v1/read",
        "rawQueryString": "",
        "requestContext": {"http": {"method": "POST"}},
        "headers": {"content-type": "image/jpeg"},
        "body": body,
        "isBase64Encoded": True,
    }
    starts, start_cpu, walls, cpus, peaks = [], [], [], [], []
    for _ in range(args.starts):
        with (
            tempfile.TemporaryDirectory() as lent,
            Function(args.folder, Path(lent), FOTS_LITE_THREADS="1") as function,
        ):
            starts.append(function.init_s)
            start_cpu.append(function.cpu_s())
            for _ in range(args.calls):
                before, started = function.cpu_s(), time.perf_counter()
                answer = function.call(event)
                walls.append(1e3 * (time.perf_counter() - started))
                cpus.append(1e3 * (function.cpu_s() - before))
                if answer["statusCode"] != 200:
                    raise SystemExit(answer["body"])
            peaks.append(function.peak_mb())
    warm = statistics.median(cpus)
    print(f"cold start   {min(starts):.2f} s, of that processor {min(start_cpu):.2f} s")
    print(f"warm         median {statistics.median(walls):.0f} ms, of that processor {warm:.0f} ms")
    print(f"memory       {max(peaks):.0f} MB at most")
    seconds = warm / 1e3 * MEMORY_MB / 1024
    cost = 1000 * (seconds * args.gb_second + args.request)
    print(f"cost         {cost:.4f} dollars for 1,000 photos at {MEMORY_MB} MB, all warm")


if __name__ == "__main__":
    main()
