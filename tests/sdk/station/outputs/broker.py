"""A real MQTT broker, and a client that collects what it hears."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho

from tests.cameras import wait_until
from tests.sdk.station.ports import free_port

# Debian puts servers where only root's path leads
SEARCH = f"{os.environ.get('PATH', '')}:/usr/sbin"


class Broker:
    """Mosquitto on a free port of this machine; the port stays the same over restarts."""

    def __init__(self, folder: Path, settings: str = "allow_anonymous true") -> None:
        found = shutil.which("mosquitto", path=SEARCH)
        assert found, "mosquitto is missing: apt-get install mosquitto"
        self.program, self.port = found, free_port()
        self.config = folder / "mosquitto.conf"
        # started by root it would become another user, who may not read the test's files
        user = getpass.getuser()
        self.config.write_text(f"user {user}\nlistener {self.port} 127.0.0.1\n{settings}\n")
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [self.program, "-c", str(self.config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._answers)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Listener:
    """Collects the JSON messages of a topic."""

    def __init__(self, port: int, topic: str) -> None:
        self.messages: list[dict[str, Any]] = []
        subscribed: list[bool] = []
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self.client.on_message = lambda *a: self.messages.append(json.loads(a[2].payload))
        self.client.on_subscribe = lambda *a: subscribed.append(True)
        self.client.on_connect = lambda *a: self.client.subscribe(topic, qos=1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        wait_until(lambda: bool(subscribed))

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
