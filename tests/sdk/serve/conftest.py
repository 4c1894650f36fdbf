"""One service for all tests that leave it as it was."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.sdk.serve.server import Served, serving


@pytest.fixture(scope="session")
def service() -> Iterator[Served]:
    with serving() as served:
        yield served


@pytest.fixture
def client(service: Served) -> Iterator[httpx.Client]:
    with service.client() as client:
        yield client
