"""The page at /, in a browser."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.sdk.serve.browser import DESK, PHONE, browser, opened, read
from tests.sdk.serve.server import PHOTO, Served, serving

TOKEN = "a-token-of-24-characters"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as found:
        yield found


@pytest.fixture
def page(chromium: Browser, service: Served) -> Iterator[Page]:
    options = {"permissions": ["clipboard-read", "clipboard-write"], "viewport": DESK}
    with opened(chromium, service.url, **options) as page:
        yield page


def lines(page: Page) -> list[str]:
    return page.locator("#lines .text").all_inner_texts()


def test_a_picture_is_read_and_shown(page: Page) -> None:
    read(page)
    assert "9 lines" in page.inner_text("#status")
    assert "6MTX892" in lines(page)
    # the boxes lie on the picture: 01-28 stands at 204..346, 63..98 of 640 x 480
    image = page.locator("#image").bounding_box()
    box = page.locator("#boxes polygon").first.bounding_box()
    assert image is not None and box is not None
    scale = image["width"] / 640
    assert abs((box["x"] - image["x"]) / scale - 204) < 6
    assert abs((box["y"] - image["y"]) / scale - 63) < 6
    assert abs(box["width"] / scale - 142) < 10


def test_the_camera_of_a_phone(page: Page) -> None:
    assert page.get_attribute("#camera", "capture") == "environment"
    read(page, field="#camera")
    assert "6MTX892" in lines(page)


def test_a_picture_is_dropped(page: Page) -> None:
    data = base64.b64encode(PHOTO.read_bytes()).decode()
    transfer = page.evaluate_handle(
        """data => {
            const bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], "dropped.jpg", {type: "image/jpeg"}));
            return transfer;
        }""",
        data,
    )
    page.dispatch_event("#drop", "dragover", {"dataTransfer": transfer})
    assert "over" in (page.get_attribute("#drop", "class") or "")
    page.dispatch_event("#drop", "drop", {"dataTransfer": transfer})
    page.wait_for_selector("#result:not([hidden])")
    assert "6MTX892" in lines(page)


def test_text_is_copied(page: Page) -> None:
    read(page)
    page.click("#copy")
    expect(page.locator("#status")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()").splitlines() == lines(page)
    page.get_by_role("button", name="6MTX892").click()
    expect(page.locator("#status")).to_have_text("Copied the line.")
    assert page.evaluate("navigator.clipboard.readText()") == "6MTX892"


def test_confidences_of_characters(page: Page) -> None:
    read(page)
    assert page.locator(".char").count() == 0
    page.check("#characters")
    first = page.locator("#lines li").first.locator(".char")
    assert [text.split()[0] for text in first.all_inner_texts()] == list("01-28")
    shares = [int(text.split()[1]) for text in first.all_inner_texts()]
    assert all(0 <= share <= 100 for share in shares) and min(shares) > 80
    page.uncheck("#characters")
    assert page.locator(".char").count() == 0


def test_a_pattern(page: Page) -> None:
    read(page)
    page.fill("#pattern", "[0-9]{2}-[0-9]{2}")
    page.press("#pattern", "Enter")
    page.wait_for_selector("text=fits")
    marked = page.locator("#lines li", has_text="01-28").inner_text()
    assert "fits" in marked and "does not" not in marked
    assert "does not fit" in page.locator("#lines li", has_text="6MTX892").inner_text()
    page.fill("#pattern", "([")
    page.press("#pattern", "Enter")
    page.wait_for_selector("#status.bad")
    assert "pattern" in page.inner_text("#status").lower()


def test_one_line_and_no_picture(page: Page, tmp_path: Path) -> None:
    page.check("#line")
    read(page)
    assert len(lines(page)) <= 1
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    page.set_input_files("#file", tmp_path / "a.jpg")
    page.wait_for_selector("#status.bad")
    assert "Pass a picture" in page.inner_text("#status")
    assert page.is_hidden("#result")


def test_keyboard_alone(page: Page) -> None:
    read(page)
    page.locator("body").click(position={"x": 2, "y": 2})
    seen = []
    for _ in range(10):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.innerText"))
    order = ["file", "camera", "pattern", "line", "again", "copy", "characters"]
    assert [name for name in seen if name in order] == order
    here = page.locator("#lines button.here")
    assert here.count() == 1  # a line has the focus, and its box is marked
    assert page.locator("#boxes polygon.here").count() == 1
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_have_text("Copied the line.")


@pytest.mark.parametrize("look", ["light", "dark"])
def test_a_phone(chromium: Browser, service: Served, look: str) -> None:
    options = {"viewport": PHONE, "color_scheme": look, "has_touch": True, "is_mobile": True}
    with opened(chromium, service.url, **options) as page:
        read(page)
        page.check("#characters")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        for part in page.locator("button:visible, .button:visible").all():
            place = part.bounding_box()
            assert place is not None and place["height"] >= 44
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        shade = sum(int(x) for x in ground[4:-1].split(","))
        assert (shade > 600) == (look == "light")


def test_a_token_is_asked_for(chromium: Browser, tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text(TOKEN)
    with (
        serving("--token-file", str(tmp_path / "tokens")) as service,
        opened(chromium, service.url) as page,
    ):
        assert page.is_hidden("#token")
        page.set_input_files("#file", PHOTO)
        page.wait_for_selector("#token:visible")
        page.fill("#token", TOKEN)
        page.press("#token", "Enter")
        page.wait_for_selector("#result:not([hidden])")
        assert "6MTX892" in lines(page)


def test_nothing_comes_from_elsewhere(chromium: Browser, service: Served) -> None:
    asked: list[str] = []
    with opened(chromium, "about:blank") as page:
        page.on("request", lambda request: asked.append(request.url))
        answer = page.goto(service.url)
        assert answer is not None
        assert answer.headers["content-security-policy"].startswith("default-src 'self'")
        read(page)
    assert {f"{service.url}/v1/read", f"{service.url}/page.js"} <= set(asked)
    assert all(url.startswith((service.url, "blob:", "data:")) for url in asked)
