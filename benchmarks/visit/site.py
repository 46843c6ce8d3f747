"""Start the site with rows of its own, and stop it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django

from scripts.picture_site import ROOT, free_port, wait_for

MESSAGES = 20
CHATS = 30
DAPHNE = (sys.executable, "-m", "daphne", "--verbosity", "0")


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A running site, and who visits it."""

    url: str
    chat: str
    """Path of a chat with 20 messages."""
    empty: str
    """Path of a chat without any."""
    session: str
    """The cookie of somebody who is signed in."""

    @property
    def server(self) -> str:
        """The address without its scheme."""
        return self.url.removeprefix("http://")


@contextmanager
def visited_site(**polly: Any) -> Iterator[Visit]:
    """Run daphne on a database of its own, with more POLLY settings."""
    with tempfile.TemporaryDirectory(prefix="polly-visit-") as folder:
        settings = Path(folder, "visit_settings.py")
        settings.write_text(
            f"from benchmarks.visit.settings import *\nPOLLY |= {polly!r}\n"
        )
        os.environ["DJANGO_SETTINGS_MODULE"] = settings.stem
        os.environ["POLLY_SANDBOX_DATA"] = folder
        # The ORM is used beside the loop of Playwright, by nobody else.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        sys.path[:0] = [folder, str(ROOT)]
        django.setup()
        rows = make_site()
        port = free_port()
        server = subprocess.Popen(
            [*DAPHNE, "--port", str(port), "sandbox.asgi:application"],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path[:2])},
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/accounts/login/", server)
            yield Visit(url=f"http://127.0.0.1:{port}", **rows)
        finally:
            server.terminate()
            server.wait()


def make_site() -> dict[str, str]:
    """Make tables, static files, a person and chats; return what Visit holds."""
    from django.contrib.auth import get_user_model  # noqa: PLC0415 - after setup()
    from django.core.management import call_command  # noqa: PLC0415 - after setup()
    from django.test import Client  # noqa: PLC0415 - after setup()

    from benchmarks.long_page import conversation_of  # noqa: PLC0415 - after setup()
    from polly_htmx.models import Parrot, SmartConversation  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    user = get_user_model().objects.create_user("someone")
    parrot = Parrot.objects.create(name="Polly", model="DUMMY")
    chat = conversation_of(user, MESSAGES)
    SmartConversation.objects.filter(user=user).update(title="What parrots eat")
    parrot.model = "SCRIPTED"
    parrot.save()
    for number in range(CHATS):
        SmartConversation.objects.create(
            parrot=parrot, user=user, title=f"Chat no. {number}"
        )
    empty = SmartConversation.objects.create(parrot=parrot, user=user, title="Empty")
    client = Client()
    client.force_login(user)
    return {
        "chat": chat,
        "empty": empty.get_absolute_url(),
        "session": client.cookies["sessionid"].value,
    }
