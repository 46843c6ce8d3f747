"""A page of another site in the same browser: it gets neither socket nor form through."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page

from polly_htmx.models import Message, SmartConversation
from tests import hub
from tests.browser.conftest import Tab
from tests.live import Site
from tests.sockets import chat_path

pytestmark = [pytest.mark.browser, pytest.mark.live]

OPEN = """
url => new Promise((resolve) => {
  const socket = new WebSocket(url);
  socket.onmessage = ({ data }) => resolve(`heard ${data}`);
  socket.onclose = ({ code }) => resolve(`closed ${code}`);
  socket.onopen = () => resolve("opened");
})
"""
POST = """
([url, fields]) => {
  const form = Object.assign(document.createElement("form"), { method: "post" });
  form.action = url;
  for (const [name, value] of Object.entries(fields)) {
    form.append(Object.assign(document.createElement("input"), { name, value }));
  }
  document.body.append(form);
  form.submit();
}
"""
EVIL = b"<!doctype html><title>Elsewhere</title><p>Win a prize!"


def go_elsewhere(page: Page, server: hub.Hub) -> None:
    """Open a page of another origin: its cookies are the same, its port is not."""
    page.goto(server.url)
    assert page.title() == "Elsewhere"


def test_page_of_another_origin_gets_no_socket_and_posts_nothing(
    start_site: Callable[..., Site],
    open_tab: Callable[..., Tab],
    somebody: User,
    chat: SmartConversation,
) -> None:
    site = start_site()
    tab = open_tab(site, somebody)
    sockets = site.url.replace("http", "ws", 1)
    paths = [chat_path(chat.external_id), "/polly/ws/list/?list=x"]
    tab.open_chat(chat)
    for path in paths:
        assert tab.page.evaluate(OPEN, sockets + path) == "opened"

    def elsewhere(request: hub.Request) -> None:
        request.begin(200, len(EVIL), Content_Type="text/html")
        request.wfile.write(EVIL)

    with hub.Hub(elsewhere) as server:
        go_elsewhere(tab.page, server)
        for path in paths:
            assert tab.page.evaluate(OPEN, sockets + path) == "closed 1006"
        send = reverse("polly:send", args=[chat.external_id])
        fields = {"message": "Not mine", "nonce": "n1"}
        with tab.page.expect_navigation() as arrival:
            tab.page.evaluate(POST, [site.url + send, fields])
        assert arrival.value.status == 403
    assert not Message.objects.exists()
