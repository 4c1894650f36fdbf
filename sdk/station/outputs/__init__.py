"""Outputs to the plant: MQTT, Modbus TCP, GPIO, webhooks, programs."""

from __future__ import annotations

from sdk.station.outputs.base import OutputSettings
from sdk.station.outputs.command import CommandSettings
from sdk.station.outputs.gpio import GpioSettings
from sdk.station.outputs.modbus import ModbusSettings
from sdk.station.outputs.mqtt import MqttSettings
from sdk.station.outputs.outputs import Outputs
from sdk.station.outputs.webhook import WebhookSettings

__all__ = [
    "CommandSettings",
    "GpioSettings",
    "ModbusSettings",
    "MqttSettings",
    "OutputSettings",
    "Outputs",
    "WebhookSettings",
]
