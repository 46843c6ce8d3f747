"""
Take pictures of the pages, light and dark, narrow and wide.

    python scripts/screenshots.py [folder]      by default build/screenshots
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

# Also when it is run as a file.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.picture_list import shoot_admin, shoot_list
from scripts.picture_site import site

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
WIDTHS = (320, 1280)
HEIGHT = 800


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the given or installed Chromium; without one, Playwright's own."""
    found = os.environ.get("POLLY_CHROMIUM") or next(
        filter(None, map(shutil.which, CHROMIUM_NAMES)), None
    )
    args = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=args)
        yield browser
        browser.close()


def sign_in(page: Page, address: str) -> None:
    """Sign in as demo."""
    page.goto(f"{address}/accounts/login/")
    page.get_by_label("Username").fill("demo")
    page.get_by_label("Password").fill("demo")
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{address}/")


def shoot(page: Page, address: str, pages: dict[str, str], save: Path) -> None:
    """Take all pictures of one scheme and width."""

    def picture(name: str, path: str = "", *, whole: bool = False) -> None:
        if path:
            page.goto(f"{address}{path}")
        page.wait_for_timeout(300)
        page.screenshot(path=f"{save}-{name}.png", full_page=whole)

    picture("sign-in", "/accounts/login/")
    sign_in(page, address)
    picture("list", "/polly/")
    for name in ("empty", "failed", "rich", "retired", "refused"):
        picture(name, pages[name])
    picture("home", "/", whole=True)
    page.goto(f"{address}{pages['rich']}")
    page.get_by_role("log").evaluate("log => { log.scrollTop = 120 }")
    picture("scrolled")
    shoot_actions(page, f"{address}{pages['rich']}", picture)
    page.get_by_role("button", name="Keyboard shortcuts").click()
    picture("keys")
    page.goto(f"{address}{pages['talk']}")
    page.get_by_role("textbox", name="Message").fill("One line\nand another one")
    page.get_by_role("button", name="Send").click()
    page.locator("[data-status=streaming]").wait_for()
    picture("streaming")
    shoot_queue(page, picture)
    shoot_list(page, address, pages["rich"], picture)
    shoot_admin(page, address, pages, picture)


def shoot_actions(page: Page, rich: str, picture: Callable[..., None]) -> None:
    """Take the pictures of what may be done with messages, and of a print."""
    page.emulate_media(media="print")
    picture("print", whole=True)
    page.emulate_media(media="screen")
    page.goto(rich)
    answer = page.locator("article").last
    answer.locator(".polly-about summary").click()
    answer.get_by_text("Ask another Parrot").wait_for()
    picture("more")
    page.get_by_role("button", name="Edit", exact=True).last.click()
    page.get_by_label("Edit your message").wait_for()
    picture("edit")


def shoot_queue(page: Page, picture: Callable[[str], None]) -> None:
    """Take the pictures of messages that wait for the running answer."""
    for text in ("Then tell me more.", "And what do they eat? " * 12):
        page.get_by_role("textbox", name="Message").fill(text)
        page.keyboard.press("Enter")
        page.locator(".polly-queue").get_by_text(text.strip()).wait_for()
    picture("queue")
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Send now").wait_for()
    picture("queue-held")
    page.get_by_role("textbox", name="Message").fill("Half a thought")
    page.get_by_role("button", name="Take back").last.click()
    page.get_by_role("button", name="Put it into the message").wait_for()
    picture("taken-back")
    page.get_by_role("button", name="Take back").click()


def main() -> int:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default="build/screenshots")
    parser.add_argument("--htmx", type=int, choices=(2, 4), default=2)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with site(htmx=options.htmx) as (address, pages), chromium() as browser:
        for scheme in ("light", "dark"):
            for width in WIDTHS:
                page = browser.new_page(
                    viewport={"width": width, "height": HEIGHT}, color_scheme=scheme
                )
                shoot(page, address, pages, options.folder / f"{scheme}-{width}")
                page.close()
    print(f"The pictures are in {options.folder}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
