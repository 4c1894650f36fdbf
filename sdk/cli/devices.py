"""The devices that can run a model on this machine, and reasons why others cannot."""

from __future__ import annotations

import argparse
from typing import Any

from sdk.cli.options import model_source
from sdk.errors import DeviceError, ModelError

NAMES = ("cpu", "gpu", "edgetpu")


def survey(args: argparse.Namespace) -> dict[str, Any]:
    """Open the model on every device, including the requested device.

    Args:
        args: Options of `add_reader_options`.

    Returns:
        By device: "usable" and either "reason", or "device" (the choice of "auto"), "variant",
        "interpreter" and "threads".
    """
    from sdk.engine import parse_device, place

    devices = {}
    for name in dict.fromkeys((*NAMES, args.device)):
        try:
            placement = place(model_source(args), parse_device(name), args.threads, args.variant)
        except (DeviceError, ModelError) as error:
            devices[name] = {"usable": False, "reason": str(error)}
            continue
        main = next(iter(placement.engines.values())).describe()
        for role, engine in placement.engines.items():
            main = engine.describe() if role == "detector" else main
            engine.close()
        devices[name] = {
            "usable": True,
            "device": str(placement.device),
            "variant": placement.bundle.variant,
            "interpreter": main["interpreter"],
            "threads": main["threads"],
        }
    return devices


def device_rows(devices: dict[str, Any]) -> list[tuple[str, str]]:
    """Return a name and a sentence for each device of a survey."""
    return [(f"device {name}", _sentence(name, about)) for name, about in devices.items()]


def _sentence(name: str, about: dict[str, Any]) -> str:
    if not about["usable"]:
        return f"no: {about['reason']}"
    where = "" if name == about["device"] else f"{about['device']}, "
    threads = f"{about['threads']} thread" + ("s" if about["threads"] > 1 else "")
    return f"yes: {where}variant {about['variant']}, {about['interpreter']}, {threads}"
