"""Verdicts as HTTP POST requests with a JSON body."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sdk.errors import JobError, OutputError
from sdk.station.outputs.base import Output, OutputSettings, encode
from sdk.station.verdict import Verdict

__all__ = ["WebhookSettings"]

# Refusals that another try may overcome: too slow, too early, too many requests.
_PASSING = (408, 425, 429)


@dataclass(frozen=True, kw_only=True)
class WebhookSettings(OutputSettings):
    """An address.

    Attributes:
        url: Where to post, http or https.
        headers: More headers, such as Authorization; keep a file with a password in it readable
            for the station's user only.
    """

    kind: ClassVar[str] = "webhook"

    url: str
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            JobError: One is not legal.
        """
        super().__post_init__()
        try:
            parts = urllib.parse.urlsplit(self.url)
            good = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            good = False
        if not good:
            raise JobError(f'url is {self.url!r}. Give an address such as "http://host/path".')

    def open(self) -> Output:
        """See `OutputSettings.open`."""
        return _WebhookOutput(self)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses: a redirected POST would arrive as a GET without its body."""

    def redirect_request(self, *_: Any) -> None:
        return None


class _WebhookOutput(Output):
    def __init__(self, settings: WebhookSettings) -> None:
        self._settings = settings
        self._opener = urllib.request.build_opener(_NoRedirect)

    def send(self, verdict: Verdict) -> None:
        headers = {"Content-Type": "application/json", **self._settings.headers}
        request = urllib.request.Request(self._settings.url, encode(verdict), headers)
        try:
            with self._opener.open(request, timeout=self._settings.timeout_s):
                pass
        except urllib.error.HTTPError as error:
            with error:
                final = error.code < 500 and error.code not in _PASSING
                raise OutputError(
                    f"{self._settings.url} answered {error.code} {error.reason}. "
                    "Check the address and the headers.",
                    permanent=final,
                ) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise OutputError(
                f"Cannot post to {self._settings.url}: {reason}. Check that the server runs."
            ) from error
