"""
Start the sandbox as `make demo` does, and say when it answers.

The database is brought up to date, Polly and two accounts are made if they are
missing, and daphne serves until Ctrl-C. What people wrote stays.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request

import django
from django.conf import settings
from django.core.management import call_command

HOST = "127.0.0.1"
READY_SECONDS = 60
FRAME_BYTES = 256 * 1024
"""Above this daphne drops the line. A message that is merely too long must get
through, so that the page can say why it is refused."""
ACCOUNTS = (("demo", False), ("admin", True))
"""Names, which are the passwords too, and whether they may use the admin."""

SYSTEM_PROMPT = "You are Polly, a friendly parrot. Answer in a few short sentences."


def seed() -> None:
    """Make Polly and the accounts, unless they are there."""
    from django.contrib.auth import get_user_model  # noqa: PLC0415 - after setup()

    from polly_htmx.models import Parrot  # noqa: PLC0415 - after setup()

    if not settings.DEBUG:
        sys.exit("The accounts have known passwords: they are made under DEBUG only.")
    user_model = get_user_model()
    for name, is_admin in ACCOUNTS:
        if user_model.objects.filter(username=name).exists():
            continue
        if is_admin:
            user_model.objects.create_superuser(name, password=name)
        else:
            user_model.objects.create_user(name, password=name)
    if not Parrot.objects.exists():
        Parrot.objects.create(
            name="Polly", color="#2f855a", age=3, system_prompt=SYSTEM_PROMPT
        )


def is_free(port: int) -> bool:
    """Return whether nobody else listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def announce(port: int) -> None:
    """Print one line, as soon as the site answers."""
    address = f"http://{HOST}:{port}/"
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=READY_SECONDS):
                break
        except urllib.error.HTTPError as exc:
            print(f"The site answers, but with an error: {exc}. See above.", flush=True)
            return
        except OSError:
            time.sleep(0.1)
    else:
        print(f"The site did not answer within {READY_SECONDS} s.", flush=True)
        return
    print(
        f"Ready: {address} - sign in as demo/demo, or as admin/admin for the admin "
        "too. Ctrl-C ends it.",
        flush=True,
    )


def serve(port: int) -> None:
    """Run daphne in this process until a signal ends it."""
    # Here and not above: the import picks the reactor for the process.
    from daphne.cli import CommandLineInterface  # noqa: PLC0415

    threading.Thread(target=announce, args=(port,), daemon=True).start()
    options = ["--bind", HOST, "--port", str(port), "--verbosity", "0"]
    limits = ["--websocket-max-message-size", str(FRAME_BYTES)]
    limits += ["--websocket-max-frame-size", str(FRAME_BYTES)]
    CommandLineInterface().run([*options, *limits, "sandbox.asgi:application"])


def main() -> int:
    """Bring the site up to date and serve it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    port = parser.parse_args().port
    # A shell starts what it puts into the background deaf to Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if not is_free(port):
        print(f"Port {port} of {HOST} is in use. Take another: make demo PORT=8001")
        return 1
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sandbox.settings")
    django.setup()
    print("Bringing the database up to date ...", flush=True)
    call_command("migrate", verbosity=0, interactive=False)
    seed()
    print("Starting daphne ...", flush=True)
    serve(port)
    # All is saved by now. What is left of sockets in a stopped event loop crashes
    # some Pythons when they tidy up, so this one does not.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(0)
