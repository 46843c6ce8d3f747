"""What the browser tests share: a live site, a signed-in page, and its guards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from polly_htmx.models import Parrot, SmartConversation
from tests import applied
from tests.live import Site, live_site
from tests.patience import PATIENCE

expect.set_options(timeout=PATIENCE * 1000)


class Tab:
    """A page with what it should never do: break the policy, or leave the site."""

    def __init__(self, page: Page, site: Site) -> None:
        self.page = page
        self.site = site
        self.violations: list[str] = []
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.sockets: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._heard)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda socket: self.sockets.append(socket.url))

    def _heard(self, message: Any) -> None:
        if "Content Security Policy" in message.text:
            self.violations.append(message.text)

    def open(self, path: str) -> None:
        """Go to a path of the site."""
        self.page.goto(f"{self.site.url}{path}")

    def open_chat(self, conversation: SmartConversation) -> None:
        """Go to a chat and wait until its line is being laid."""
        before = len(self.sockets)
        self.open(conversation.get_absolute_url())
        self.eventually(lambda: len(self.sockets) > before)

    def send(self, text: str) -> None:
        """Type a message and press Enter, as a person does."""
        self.page.get_by_label("Message", exact=True).fill(text)
        self.page.keyboard.press("Enter")

    def eventually(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; Playwright's own way needs unsafe-eval."""
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline
            self.page.wait_for_timeout(50)

    def assert_equals_fresh(self, conversation: SmartConversation) -> None:
        """Fail unless the log is what this person finds in a page just loaded."""
        key = str(conversation.external_id)
        fresh = self.page.context.new_page()
        fresh.goto(self.page.url)
        live, loaded = (
            page.locator(f"#polly-log-{key}").evaluate("log => log.outerHTML")
            for page in (self.page, fresh)
        )
        fresh.close()
        applied.Page(live).assert_equals(applied.Page(loaded), key)

    def assert_clean(self) -> None:
        """Fail if the page broke the policy, raised, or asked another host."""
        assert not self.violations
        assert not self.errors
        foreign = [url for url in self.requests if not url.startswith(self.site.url)]
        assert not [url for url in foreign if not url.startswith("data:")]


@pytest.fixture
def start_site(transactional_db: None) -> Iterator[Callable[..., Site]]:
    """
    Return a function that starts a site with options of daphne and POLLY settings.

    At the end of the test it does not wait for answers that nobody reads any more.
    """
    with ExitStack() as stack:
        yield lambda *options, **polly: stack.enter_context(
            live_site(*options, **{"SHUTDOWN_GRACE": 0.2, **polly})
        )


@pytest.fixture
def open_tab(browser: Browser) -> Iterator[Callable[..., Tab]]:
    """Return a function that opens a tab, signed in as somebody or nobody."""
    with ExitStack() as stack:

        def make(site: Site, user: User | None = None, **options: Any) -> Tab:
            context = browser.new_context(**options)
            stack.callback(context.close)
            if user is not None:
                context.add_cookies([session_cookie(site, user)])
            return Tab(context.new_page(), site)

        yield make


def session_cookie(site: Site, user: User) -> Any:
    """Return the cookie with which a browser is signed in."""
    client = Client()
    client.force_login(user)
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    return {"name": settings.SESSION_COOKIE_NAME, "value": value, "url": site.url}


@pytest.fixture
def somebody(transactional_db: None) -> User:
    """Return a user with the password "pw"."""
    return User.objects.create_user("someone", password="pw")


@pytest.fixture
def chat(transactional_db: None, somebody: User) -> SmartConversation:
    """Return an empty chat of the user with a scripted Parrot."""
    parrot = Parrot.objects.create(name="Polly", model="SCRIPTED")
    return SmartConversation.objects.create(parrot=parrot, user=somebody)
