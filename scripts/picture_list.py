"""Pictures of the list, its archive and search, and of the admin."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

Picture = Callable[..., None]
ADMIN = "/admin/polly_htmx"
NARROW = 640
"""Pixels below which the list beside a chat is a drawer."""


def shoot_list(page: Page, address: str, chat: str, picture: Picture) -> None:
    """Take the pictures of what is done with chats in their list."""
    picture("archived", "/polly/archived/")
    picture("found", "/polly/search/?q=parrot")
    page.goto(f"{address}/polly/")
    row = page.locator("#polly-list .polly-item").nth(1)
    row.get_by_role("button", name="Rename").click()
    page.get_by_role("textbox", name="Title").wait_for()
    picture("rename")
    page.get_by_role("button", name="Cancel").click()
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Undo").wait_for()
    picture("deleted")
    page.get_by_role("button", name="Undo").click()
    row.get_by_role("button", name="Delete").wait_for()
    page.goto(f"{address}{chat}")
    if (page.viewport_size or {"width": 0})["width"] < NARROW:
        page.get_by_role("button", name="Conversations").click()
    page.locator("#polly-side summary").first.click()
    picture("options")


def shoot_admin(
    page: Page, address: str, pages: dict[str, str], picture: Picture
) -> None:
    """Take the pictures of the admin, as its admin sees it."""
    page.context.clear_cookies()
    page.goto(f"{address}/admin/")
    page.locator("input[name=username]").fill("admin")
    page.locator("input[name=password]").fill("admin")
    page.keyboard.press("Enter")
    page.locator("input[name=password]").wait_for(state="detached")
    for name, path in (
        ("admin-parrots", f"{ADMIN}/parrot/"),
        ("admin-parrot", pages["admin-parrot"]),
        ("admin-conversations", f"{ADMIN}/smartconversation/"),
        ("admin-conversation", pages["admin-conversation"]),
        ("admin-transcript", pages["admin-transcript"]),
    ):
        picture(name, path, whole=True)
