"""
Hostile texts in the real pages: stored and streamed, they do nothing but be read.

A canary that the texts try to call is in every page and frame from the start. The
last test shows the same texts without any defence, and there it is called a lot.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Dialog, Page, Request, Route, expect

from polly_htmx.chat.conversations import PAGE_SIZE
from polly_htmx.markdown import clean_text
from polly_htmx.models import Message, Parrot, SmartConversation
from tests.admin.conftest import say
from tests.browser.conftest import Tab
from tests.corpus import XSS
from tests.live import Site, scripted

pytestmark = [pytest.mark.browser, pytest.mark.live]
both_versions = pytest.mark.parametrize("version", [2, 4])

LARGE = 4_000
PAYLOADS = [clean_text(entry.text) for entry in XSS if len(entry.text) < LARGE]
ANSWERS = PAGE_SIZE // 2
"""Answers that the streamed payloads are spread over: they fit into one page."""
CONTENT = ".polly-message__content"
AFTER = "Do the controls still work?"
NO_LIMIT = {"MESSAGES_PER_MINUTE": 1000}

CANARY = """
for (const name of ["__xss", "alert", "confirm", "prompt", "print"]) {
  window[name] = () => __called(name, location.href);
}
document.addEventListener("securitypolicyviolation", (event) => {
  __called("policy", `${event.effectiveDirective} ${event.blockedURI}`);
});
"""
POKE = """
() => {
  // Not what fetches more when it is opened, as it should.
  const kinds = ["mouseover", "pointerenter", "focus", "toggle", "load", "error"];
  const kept = document.querySelectorAll(
    ".polly-message :not(.polly-about, .polly-about *), .polly-list *",
  );
  for (const element of kept) {
    for (const kind of kinds) element.dispatchEvent(new Event(kind));
    if (!element.closest("a, button")) element.click?.();
  }
}
"""
INSERT = """
(texts) => {
  for (const text of texts) {
    const box = document.createElement("div");
    box.innerHTML = text;
    document.querySelector(".polly-log__recent").append(box);
  }
  htmx.process(document.body);
}
"""
DOUBLE_IDS = """
() => {
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  return ids.filter((id, index) => ids.indexOf(id) !== index);
}
"""


class Watch:
    """All that a hostile text could make a page do."""

    def __init__(self, page: Page, site: Site) -> None:
        self.site = site
        self.called: list[tuple[str, str]] = []
        self.requests: list[str] = []
        self.arrivals: list[str] = []
        context = page.context
        context.expose_function("__called", self._called)
        context.add_init_script(CANARY)
        context.route(self._is_foreign, self._stop)
        context.on("request", self._requested)
        context.on("page", lambda popup: self.called.append(("popup", popup.url)))
        page.on("dialog", self._dialog)

    def _called(self, what: str, where: str) -> None:
        self.called.append((what, where))

    def _dialog(self, dialog: Dialog) -> None:
        self.called.append(("dialog", dialog.message))
        dialog.dismiss()

    def _requested(self, request: Request) -> None:
        self.requests.append(request.url)
        if request.is_navigation_request():
            self.arrivals.append(request.url)

    def _is_foreign(self, url: str) -> bool:
        return not url.startswith(self.site.url)

    def _stop(self, route: Route) -> None:
        route.abort()

    @property
    def canaries(self) -> list[str]:
        """Where the function was called that the texts try to call."""
        return [where for what, where in self.called if what == "__xss"]

    @property
    def foreign(self) -> list[str]:
        """Requests to other hosts."""
        return [url for url in self.requests if self._is_foreign(url)]

    def unexpected(self, *paths: str) -> list[str]:
        """Return the requests that are neither these pages' nor of static files."""
        ours = [r"/static/[\w./-]+", r"/polly/c/[\w-]+/draft/"]
        known = re.compile("|".join([*ours, *paths]))
        own = [url.removeprefix(self.site.url) for url in self.requests]
        return [url for url in own if not known.fullmatch(url)]


@pytest.fixture
def somebody(transactional_db: None) -> User:
    """Return somebody who also sees the admin's pages."""
    return User.objects.create_superuser("someone", password="pw")


@pytest.fixture
def watched(
    open_tab: Callable[..., Tab], somebody: User
) -> Callable[..., tuple[Tab, Watch]]:
    """Return a function that opens a tab with a canary in it."""

    def make(site: Site, **options: Any) -> tuple[Tab, Watch]:
        tab = open_tab(site, somebody, **options)
        return tab, Watch(tab.page, site)

    return make


def contents(tab: Tab) -> list[str]:
    """Return the HTML of all messages, without the buttons that the script adds."""
    html = [each.inner_html() for each in tab.page.locator(CONTENT).all()]
    return [
        re.sub(r"<button[^>]*polly-code__copy.*?</button>", "", each) for each in html
    ]


SCROLL = """() => {
  document.querySelector(".polly-list__more")?.scrollIntoView();
  return document.querySelectorAll(".polly-item").length;
}"""
"""Have the next rows of a list loaded, and tell how many there are."""


def assert_nothing_happened(tab: Tab, watch: Watch, *paths: str, visits: int) -> None:
    """Poke at all elements, and fail if a page did more than show itself."""
    tab.page.evaluate(POKE)
    tab.page.wait_for_timeout(100)
    assert watch.called == []
    assert watch.unexpected(*paths) == []
    assert len(watch.arrivals) == visits
    assert tab.page.url == watch.arrivals[-1]
    assert tab.page.evaluate(DOUBLE_IDS) == []
    tab.assert_clean()


def assert_controls_work(tab: Tab) -> None:
    """Send one more message."""
    tab.send(AFTER)
    expect(tab.page.locator("article").last).to_contain_text("Quite so.")
    expect(tab.page.locator("article").last).to_have_attribute(
        "data-status", "complete"
    )
    expect(tab.page.get_by_label("Message", exact=True)).to_have_value("")


def chat_paths(chat: SmartConversation) -> str:
    """Return what a chat's page may ask for."""
    return rf"{chat.get_absolute_url()}(before/\d+/)?"


@both_versions
def test_stored_texts_do_nothing_in_a_chat(
    start_site: Callable[..., Site],
    watched: Callable[..., tuple[Tab, Watch]],
    chat: SmartConversation,
    version: int,
) -> None:
    """Each text once as the person's and once as the model's, a Message of its own."""
    say(chat, *[text for each in PAYLOADS for text in (each, each)])
    site = start_site(HTMX_VERSION=version, **NO_LIMIT, **scripted(text="Quite so."))
    tab, watch = watched(site)
    tab.open_chat(chat)
    earlier = tab.page.get_by_role("link", name="Show earlier messages")
    shown = tab.page.locator("article")
    while count := earlier.count():
        before = shown.count()
        earlier.click()
        expect(shown).not_to_have_count(before)
    assert count == 0
    assert shown.count() == 2 * len(PAYLOADS)
    assert_nothing_happened(tab, watch, chat_paths(chat), visits=1)
    assert_controls_work(tab)
    assert len(tab.sockets) == 1
    tab.assert_clean()


@both_versions
def test_streamed_texts_do_nothing_and_look_the_same_everywhere(
    start_site: Callable[..., Site],
    watched: Callable[..., tuple[Tab, Watch]],
    chat: SmartConversation,
    version: int,
) -> None:
    """The person sends them, and the model says the same, in many small steps."""
    echo = scripted(echo=True, pace=0.004)
    site = start_site(HTMX_VERSION=version, **NO_LIMIT, **echo)
    tab, watch = watched(site)
    tab.open_chat(chat)
    for number in range(ANSWERS):
        tab.send("\n\n".join([*PAYLOADS[number::ANSWERS], "Quite so."]))
        ended = tab.page.locator(
            'article[data-party="ASSISTANT"][data-status="complete"]'
        )
        expect(ended).to_have_count(number + 1)
    assert_nothing_happened(tab, watch, chat_paths(chat), visits=1)
    assert len(tab.sockets) == 1
    live = contents(tab)
    assert len(live) == 2 * ANSWERS
    tab.page.reload()
    assert contents(tab) == live
    assert_nothing_happened(tab, watch, chat_paths(chat), visits=2)
    name = "admin:polly_htmx_smartconversation_transcript"
    tab.open(reverse(name, args=[chat.pk]))
    assert contents(tab) == live
    assert [call for call in watch.called if call[0] != "policy"] == []


@both_versions
def test_hostile_names_titles_and_first_words_do_nothing(
    start_site: Callable[..., Site],
    watched: Callable[..., tuple[Tab, Watch]],
    somebody: User,
    version: int,
) -> None:
    """In the list of chats, where all of them stand at once, and in some chats."""
    for number, text in enumerate(PAYLOADS):
        parrot = Parrot.objects.create(name=text[:100], model="SCRIPTED")
        titled = number % 2 == 0
        chat = SmartConversation.objects.create(
            parrot=parrot, user=somebody, title=text[:200] if titled else ""
        )
        if not titled:
            Message.objects.create(conversation=chat, party="USER", content=text)
    site = start_site(HTMX_VERSION=version, **NO_LIMIT, **scripted(text="Quite so."))
    tab, watch = watched(site)
    tab.open("/polly/")
    tab.eventually(lambda: tab.page.evaluate(SCROLL) == len(PAYLOADS))
    paths = [r"/polly/(\?before=.*)?"]
    assert_nothing_happened(tab, watch, *paths, visits=1)
    some = list(SmartConversation.objects.order_by("pk")[::9])
    for visit, chat in enumerate(some, 1):
        tab.open_chat(chat)
        paths.append(chat_paths(chat))
        assert_nothing_happened(tab, watch, *paths, visits=1 + visit)
    assert_controls_work(tab)
    assert len(tab.sockets) == 1 + len(some)  # The list has one, too.


def test_the_same_texts_without_our_defence_do_a_lot(
    start_site: Callable[..., Site],
    watched: Callable[..., tuple[Tab, Watch]],
    chat: SmartConversation,
) -> None:
    """So the tests above would see it, if one of them did anything."""
    say(chat, *PAYLOADS)
    tab, watch = watched(start_site())
    tab.open(reverse("unsafe", args=[chat.external_id]))
    tab.page.wait_for_timeout(1000)
    for frame in tab.page.frames[1:]:
        frame.evaluate(POKE.replace(".polly-message *, .polly-list *", "body *"))
    tab.page.wait_for_timeout(1000)
    assert len(watch.canaries) >= 24
    assert len(watch.foreign) >= 5


@both_versions
def test_the_same_texts_unsanitised_in_a_chat_do_a_lot(
    start_site: Callable[..., Site],
    watched: Callable[..., tuple[Tab, Watch]],
    chat: SmartConversation,
    version: int,
) -> None:
    """With htmx on the page, and without the policy that would hold most of it back."""
    tab, watch = watched(start_site(HTMX_VERSION=version), bypass_csp=True)
    tab.open_chat(chat)
    # A page that is left at once could show nothing more.
    tab.page.evaluate(INSERT, [each for each in PAYLOADS if "http-equiv" not in each])
    tab.page.wait_for_timeout(1500)
    assert len(watch.canaries) >= 12
    assert len(watch.unexpected(chat_paths(chat))) >= 8
