"""Verdicts as levels or pulses on pins, for lamps, a horn, or a reject valve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from sdk.errors import JobError, OutputError
from sdk.station.outputs.base import Output, OutputSettings, import_package
from sdk.station.verdict import Verdict

__all__ = ["GpioSettings"]


@dataclass(frozen=True, kw_only=True)
class GpioSettings(OutputSettings):
    """Pins with gpiozero's numbers or names: 17 and "GPIO17" are the same pin.

    Attributes:
        ok_pin: Pin for an OK product.
        ng_pin: Pin for an NG product. Without `unreadable_pin` also for an unreadable product,
            which must not pass.
        unreadable_pin: Pin for an unreadable product.
        pulse_s: Time that the pin stays on, in seconds. With 0 the pin stays on until the next
            verdict.
        active_high: Whether the high level means on.
    """

    kind: ClassVar[str] = "gpio"

    ok_pin: int | str | None = None
    ng_pin: int | str | None = None
    unreadable_pin: int | str | None = None
    pulse_s: float = 0.2
    active_high: bool = True

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            JobError: A value is not legal.
        """
        super().__post_init__()
        pins = [p for p in (self.ok_pin, self.ng_pin, self.unreadable_pin) if p is not None]
        if not pins or len(set(pins)) < len(pins):
            raise JobError(f"the pins are {pins}. Give ok_pin, ng_pin or both, all different.")
        if not 0 <= self.pulse_s <= 60:
            raise JobError(f"pulse_s is {self.pulse_s}. Give seconds from 0 to 60.")

    def open(self) -> Output:
        """See `OutputSettings.open`."""
        return _GpioOutput(self, import_package("gpiozero", "gpiozero"))


class _GpioOutput(Output):
    def __init__(self, settings: GpioSettings, gpiozero: Any) -> None:
        self._settings = settings
        self._pins: dict[str, Any] = {}
        wanted = {
            "ok": settings.ok_pin,
            "ng": settings.ng_pin,
            "unreadable": settings.unreadable_pin,
        }
        try:
            for status, pin in wanted.items():
                if pin is not None:
                    self._pins[status] = gpiozero.DigitalOutputDevice(
                        pin, active_high=settings.active_high
                    )
        except Exception as error:  # pin libraries raise many kinds of errors
            self.close()
            raise OutputError(
                f"Cannot use the pins of {settings.name}: {error}. Check their numbers. On a "
                "Raspberry Pi install a pin library: pip install lgpio.",
                permanent=True,
            ) from error
        self._pins.setdefault("unreadable", self._pins.get("ng"))

    def send(self, verdict: Verdict) -> None:
        chosen = self._pins.get(verdict.status)
        for pin in self._pins.values():
            if pin is not None and pin is not chosen:
                pin.off()
        if chosen is not None and self._settings.pulse_s:
            chosen.blink(self._settings.pulse_s, 0, n=1)
        elif chosen is not None:
            chosen.on()

    def close(self) -> None:
        for pin in self._pins.values():
            # one pin may serve two kinds of verdicts
            if pin is not None and not pin.closed:
                pin.off()
                pin.close()
