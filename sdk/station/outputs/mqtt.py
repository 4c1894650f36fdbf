"""Verdicts as MQTT messages.

Delivery is at least once (QoS 1). A message counts as sent when the broker has confirmed it. A
message may arrive twice if the confirmation was lost.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sdk.errors import JobError, OutputError
from sdk.station.outputs.base import (
    Output,
    OutputSettings,
    check_address,
    encode,
    import_package,
)
from sdk.station.verdict import Verdict

__all__ = ["MqttSettings"]

QOS = 1


@dataclass(frozen=True, kw_only=True)
class MqttSettings(OutputSettings):
    """An MQTT broker and a topic.

    Attributes:
        host: Name or address of the broker.
        port: Port of the broker.
        topic: Topic of the messages.
        user: User name, or empty.
        password: Password. Only the station's user should be able to read the file with it.
        tls: Whether the connection is encrypted and the broker's certificate is checked.
        ca_file: File with the trusted certificates. Empty for the system's certificates.
        cert_file: File with the station's own certificate, for brokers that require one, such as
            AWS IoT Core. The certificate needs `tls`.
        key_file: File with the private key of this certificate, without a password.
        client_id: Name of the station at the broker. Empty lets the broker choose.
        retain: Whether the broker keeps the last verdict for later subscribers.
    """

    kind: ClassVar[str] = "mqtt"

    host: str
    port: int = 1883
    topic: str = "fots-lite/verdict"
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    client_id: str = ""
    retain: bool = False

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            JobError: A value is not legal.
        """
        super().__post_init__()
        check_address(self.host, self.port)
        if not self.topic or set(self.topic) & set("#+\0"):
            raise JobError(f"topic is {self.topic!r}. Give a topic without # and +.")
        if bool(self.cert_file) != bool(self.key_file):
            raise JobError("only one of cert_file and key_file is given. Give both, or none.")
        if self.cert_file and not self.tls:
            raise JobError("cert_file is given, but tls is false. Set tls = true.")

    def open(self) -> Output:
        """See `OutputSettings.open`."""
        return _MqttOutput(self, import_package("paho.mqtt.client", "paho-mqtt"))


class _MqttOutput(Output):
    def __init__(self, settings: MqttSettings, paho: Any) -> None:
        self._settings = settings
        self._paho = paho
        self._client: Any = None

    def send(self, verdict: Verdict) -> None:
        settings = self._settings
        if self._client is None:
            self._client = self._connect()
        try:
            sent = self._client.publish(settings.topic, encode(verdict), QOS, settings.retain)
            sent.wait_for_publish(settings.timeout_s)
            arrived = sent.is_published()
        except (ValueError, RuntimeError, OSError) as error:
            self.close()
            raise self._failed(str(error)) from error
        if not arrived:
            # a new client, because this one would still send the message after the next attempt
            self.close()
            raise self._failed(f"it did not confirm within {settings.timeout_s:g} s")

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()

    def _connect(self) -> Any:
        settings = self._settings
        client = self._paho.Client(self._paho.CallbackAPIVersion.VERSION2, settings.client_id)
        client.connect_timeout = settings.timeout_s
        if settings.user:
            client.username_pw_set(settings.user, settings.password)
        answered = threading.Event()
        answer: list[Any] = []

        def connected(_client: Any, _data: Any, _flags: Any, code: Any, _more: Any) -> None:
            answer.append(code)
            answered.set()

        client.on_connect = connected
        try:
            if settings.tls:
                client.tls_set(
                    settings.ca_file or None, settings.cert_file or None, settings.key_file or None
                )
            client.connect(settings.host, settings.port)
        except (OSError, ValueError) as error:
            raise self._failed(str(error)) from error
        client.loop_start()
        answered.wait(settings.timeout_s)
        if not answer or answer[0].is_failure:
            client.disconnect()
            client.loop_stop()
            raise self._failed(str(answer[0]) if answer else "it does not answer")
        return client

    def _failed(self, reason: str) -> OutputError:
        where = f"{self._settings.host}:{self._settings.port}"
        return OutputError(
            f"Cannot publish to the MQTT broker {where}: {reason.rstrip('.')}. "
            "Check that the broker runs, and check address, user and password."
        )
