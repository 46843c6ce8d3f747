"""
A site for pictures: the sandbox with rows of its own and a scripted model.

So the pictures show the same at every run, and nobody's chats are in them.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import django
from django.core.management import call_command

if TYPE_CHECKING:
    from polly_htmx.models import SmartConversation

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
SETTINGS = """
from sandbox.settings import *

DATABASES["default"]["NAME"] = {database!r}
POLLY = {{
    "DEFAULT_MODEL": "SCRIPTED",
    "HTMX_VERSION": {htmx},
    "MODELS": {{
        "SCRIPTED": {{
            "label": "Scripted",
            "backend": "polly_htmx.llm.scripted.ScriptedInvoker",
            "params": {{"text": {text!r}, "first": 0.2, "pace": 0.05}},
        }},
    }},
}}
"""
ANSWER = "I am a scripted parrot, and this is all that I say. " * 12

GREETING = "**Hello!** I know a good deal about parrots, and a little besides."
STARTERS = ["Which parrot lives longest?", "Teach me a word", "Tell me a story"]
QUESTION = "How do I tell *Psittacus* from *Ara*? Please with a table and some `code`."
RICH = """\
## Two kinds, side by side

A grey parrot is **not** a macaw. What helps most is the *tail*: see the
[field guide](https://example.org/guide).

| What | Grey parrot | Scarlet macaw |
| --- | :---: | ---: |
| Weight | 400 g | 1,000 g |
| Tail | short, red | long, pointed |
| Found in | Central Africa | Central and South America |

1. Look at the tail.
2. Listen:
   - the grey one whistles
   - the macaw screams
3. Count:
   - [x] two toes forward
   - [ ] two toes back

> "Polly wants a cracker" is what people say, parrots seldom do.

```python
def kind(bird: Bird) -> str:
    # The tail tells nearly everything, and this line is long enough to scroll.
    return "grey" if bird.tail.length < 12 else "macaw"
```

---

### One more thing

~~All parrots talk.~~ Some do, and `kind(polly)` will not tell you which.
"""


@contextmanager
def site(*, htmx: int = 2) -> Iterator[tuple[str, dict[str, str]]]:
    """Run the sandbox with rows of our own; yield its address and some pages."""
    with tempfile.TemporaryDirectory(prefix="polly-pictures-") as folder:
        settings = SETTINGS.format(
            database=f"{folder}/db.sqlite3", text=ANSWER, htmx=htmx
        )
        Path(folder, "picture_settings.py").write_text(settings)
        sys.path[:0] = [folder, str(ROOT)]
        os.environ["DJANGO_SETTINGS_MODULE"] = "picture_settings"
        # The ORM is used beside the loop of Playwright, by nobody else.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        os.environ["PYTHONPATH"] = os.pathsep.join(sys.path[:2])
        django.setup()
        call_command("migrate", verbosity=0)
        pages = make_rows()
        port = free_port()
        command = [sys.executable, "-m", "sandbox.demo", "--port", str(port)]
        server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            wait_for(f"http://127.0.0.1:{port}/", server)
            yield f"http://127.0.0.1:{port}", pages
        finally:
            server.terminate()
            server.wait()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    """Wait until the site answers."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(address).close()
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def make_rows() -> dict[str, str]:
    """Make accounts, Parrots and chats; return the paths of the chats."""
    from django.contrib.auth import get_user_model  # noqa: PLC0415 - after setup()

    from polly_htmx.models import Parrot, SmartConversation  # noqa: PLC0415
    from sandbox.demo import seed  # noqa: PLC0415

    seed()
    demo = get_user_model().objects.get(username="demo")
    polly = Parrot.objects.get()
    polly.greeting, polly.starters = GREETING, STARTERS
    polly.save()
    for name, color in (("Captain Flint", "#b7371f"), ("Ara", "#2b5fc2")):
        Parrot.objects.create(name=name, color=color)

    def chat(title: str = "") -> SmartConversation:
        return SmartConversation.objects.create(user=demo, parrot=polly, title=title)

    say(chat("Names for a budgerigar"), "What shall I call it?", "Pip.")
    put_in_list(chat)
    failed = chat()
    say(failed, "Are you there?", "", status="failed", error="unavailable")
    say(
        failed,
        "And now?",
        "Only just: I was",
        status="interrupted",
        error="interrupted",
    )
    rich = chat()
    say(rich, "Hello!", "Hello. What would you like to know about parrots?")
    say_twice(rich)
    chats = {"empty": chat(), "failed": failed, "rich": rich, "talk": chat("A talk")}
    chats["retired"] = chat_with_retired(chat())
    chats["refused"] = refused = chat("A long day")
    say(refused, "Tell me all of it.", "Gladly. It begins with an egg.")
    refused.queue.create(content="And the rest?", refusal="own-day-used-up:used")
    found = {name: each.get_absolute_url() for name, each in chats.items()}
    return found | admin_pages(rich)


def put_in_list(chat: Callable[[str], SmartConversation]) -> None:
    """Make chats that the list shows in its other ways."""
    from django.utils import timezone  # noqa: PLC0415 - after setup()

    from polly_htmx.models import SmartConversation  # noqa: PLC0415

    rows, now = SmartConversation.objects, timezone.now()
    for title in ("Seeds for the winter", "A cage, or none at all? " * 4):
        archived = chat(title)
        say(archived, "What do parrots need?", "Company, above all.")
        rows.filter(pk=archived.pk).update(archived_at=now)
    pinned = chat("Vets who know parrots")
    rows.filter(pk=pinned.pk).update(pinned_at=now)
    fresh = chat("How old do parrots grow?")
    say(fresh, "How old do parrots grow?", "Some grow older than people.")
    rows.filter(pk=fresh.pk).update(has_new_answer=True)


def admin_pages(chat: SmartConversation) -> dict[str, str]:
    """Return the admin's pages of a chat and of its Parrot."""
    from django.urls import reverse  # noqa: PLC0415 - after setup()

    def address(name: str, key: int) -> str:
        return reverse(f"admin:polly_htmx_{name}", args=[key])

    return {
        "admin-parrot": address("parrot_change", chat.parrot_id),
        "admin-conversation": address("smartconversation_change", chat.pk),
        "admin-transcript": address("smartconversation_transcript", chat.pk),
    }


def chat_with_retired(chat: SmartConversation) -> SmartConversation:
    """Give a chat to a Parrot that has retired."""
    from django.utils import timezone  # noqa: PLC0415 - after setup()

    from polly_htmx.models import Parrot  # noqa: PLC0415 - after setup()

    now = timezone.now()
    chat.parrot = Parrot.objects.create(name="Old Tom", retired_at=now)
    chat.save()
    say(chat, "Are you well?", "As well as one can be at ninety.")
    return chat


def say_twice(conversation: SmartConversation) -> None:
    """Store a question with two answers, of which the second one was liked."""
    from polly_htmx.models import Feedback  # noqa: PLC0415 - after setup()

    say(conversation, QUESTION, "Look at the tail.")
    first = conversation.messages.get(content="Look at the tail.")
    second = conversation.messages.create(
        conversation=conversation,
        party="ASSISTANT",
        content=RICH,
        reasoning="A table, then. And code: a function that looks at the tail.",
        thought_seconds=7,
        parent=first.parent,
        version=first.version,
    )
    Feedback.objects.create(message=second, good=True)


def say(
    conversation: SmartConversation, question: str, answer: str, **end: str
) -> None:
    """Store a turn that is over."""
    conversation.messages.create(
        conversation=conversation,
        party="USER",
        author=conversation.user,
        content=question,
    )
    conversation.messages.create(
        conversation=conversation,
        party="ASSISTANT",
        content=answer,
        version=conversation.parrot.current_version(),
        **end,
    )
