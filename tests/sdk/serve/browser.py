"""Debian's Chromium, without a window.

`python -m tests.sdk.serve.browser` saves the page's screenshots into docs/screenshots.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.sdk.serve.server import PHOTO, ROOT, serving

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    assert program, "apt-get install chromium"
    with sync_playwright() as playwright:
        # root, as in a container, has no sandbox
        yield playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])


@contextlib.contextmanager
def opened(chromium: Browser, url: str, **options: Any) -> Iterator[Page]:
    """The page; whatever its script or the policy on it complains of is an error."""
    context = chromium.new_context(**options)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
    page.goto(url)
    try:
        yield page
    finally:
        context.close()
    # the browser's own note of an answer that is no 200
    assert [x for x in complaints if "Failed to load resource" not in x] == []


def read(page: Page, *, field: str = "#file") -> None:
    """Gives the page the photo, and waits for the reading."""
    page.set_input_files(field, PHOTO)
    page.wait_for_selector("#result:not([hidden])")


def main() -> None:
    with serving() as service, browser() as chromium:
        for size, look in ((PHONE, "dark"), (DESK, "light")):
            with opened(chromium, service.url, viewport=size, color_scheme=look) as page:
                read(page)
                if size is DESK:
                    page.check("#characters")
                name = f"service-{size['width']}x{size['height']}.png"
                page.screenshot(path=ROOT / "docs" / "screenshots" / name, full_page=True)


if __name__ == "__main__":
    main()
