"""The README's picture: taken by the suite, so it shows what there is."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from polly_htmx.models import Parrot, SmartConversation
from scripts.picture_site import say
from tests.browser.conftest import Tab
from tests.live import ROOT, Site, scripted

pytestmark = [pytest.mark.browser, pytest.mark.live]

PICTURE = ROOT / "docs" / "images" / "chat.png"
WIDTH, HEIGHT = 1280, 780
QUESTION = "How do I tell a **grey parrot** from a macaw?"
ANSWER = """\
Look at the *tail* first: it tells nearly everything. The
[field guide](https://example.org/guide) has the rest.

| | Grey parrot | Scarlet macaw |
| --- | --- | --- |
| Weight | 400 g | 1,000 g |
| Tail | short and red | long and pointed |
| Home | Central Africa | Central and South America |

1. Is the tail longer than the body? Then it is a macaw.
2. Does it whistle your telephone's tune? Then it is a grey parrot.

In Python, if you must:

```python
def kind(bird: Bird) -> str:
    # Twelve centimetres is about where they part.
    return "grey parrot" if bird.tail < 12 else "macaw"
```
"""
PNG = b"\x89PNG\r\n\x1a\n"


def chunks(picture: bytes) -> dict[bytes, bytes]:
    """Return the chunks of a PNG by their kinds, those of one kind joined."""
    assert picture.startswith(PNG)
    found: dict[bytes, bytes] = {}
    at = len(PNG)
    while at < len(picture):
        size, kind = struct.unpack_from(">I4s", picture, at)
        found[kind] = found.get(kind, b"") + picture[at + 8 : at + 8 + size]
        at += size + 12
    return found


def assert_sane(picture: bytes) -> None:
    """Fail unless the picture has its size, and something in it."""
    parts = chunks(picture)
    assert struct.unpack(">II", parts[b"IHDR"][:8]) == (WIDTH, HEIGHT)
    # An empty page is one colour: nearly all of its filtered bytes are zero.
    pixels = zlib.decompress(parts[b"IDAT"])
    assert len(set(pixels)) > 100
    assert pixels.count(0) < len(pixels) * 0.99


def test_picture_of_the_readme_shows_a_chat(
    start_site: Callable[..., Site],
    open_tab: Callable[..., Tab],
    somebody: User,
    tmp_path: Path,
) -> None:
    site = start_site(**scripted())
    parrot = Parrot.objects.create(name="Polly", model="SCRIPTED")
    chat = SmartConversation.objects.create(
        user=somebody, parrot=parrot, title="Two kinds of parrots"
    )
    say(chat, QUESTION, ANSWER)
    size = {"width": WIDTH, "height": HEIGHT}
    tab = open_tab(site, somebody, viewport=size, color_scheme="light")
    tab.open_chat(chat)
    tab.page.wait_for_timeout(300)  # Fonts and scrolling settle.
    taken = os.environ.get("POLLY_PICTURES") == "1"
    path = PICTURE if taken else tmp_path / PICTURE.name
    path.parent.mkdir(parents=True, exist_ok=True)
    assert_sane(tab.page.screenshot(path=path))
    assert_sane(PICTURE.read_bytes())
    tab.assert_clean()
