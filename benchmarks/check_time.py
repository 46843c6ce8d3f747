"""
What polly_htmx adds to `manage.py check`, and what it leaves unloaded.

Run it with: python benchmarks/check_time.py [rounds]
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 15
TARGET = 1.3
Times = dict[str, list[float]]
HEAVY = ("litellm", "openai", "xllamacpp")

BARE_SETTINGS = """
from sandbox.settings import *
INSTALLED_APPS = [name for name in INSTALLED_APPS if name != "polly_htmx"]
ROOT_URLCONF = "bare_urls"
ASGI_APPLICATION = "bare_asgi.application"
"""
BARE_URLS = """
from django.contrib import admin
from django.contrib.auth import views
from django.urls import path
urlpatterns = [
    path("accounts/login/", views.LoginView.as_view(), name="login"),
    path("admin/", admin.site.urls),
]
"""
BARE_ASGI = """
from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application
application = ProtocolTypeRouter({"http": get_asgi_application()})
"""
COMMAND = """
import sys
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "check"])
"""
TELL = f"""
loaded = set({HEAVY!r}) & set(sys.modules)
print(*sorted(loaded) or ["none"])
"""
PAGE = """
import sys
import django
django.setup()
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client
from polly_htmx.models import Parrot, SmartConversation
call_command("migrate", verbosity=0)
user = get_user_model().objects.create_user("someone")
parrot = Parrot.objects.create(name="Polly", model="SMOLLM2_135M_INSTRUCT")
chat = SmartConversation.objects.create(user=user, parrot=parrot)
client = Client(headers={"host": "localhost"})
client.force_login(user)
assert client.get(chat.get_absolute_url()).status_code == 200
"""


def main(rounds: int) -> None:
    """Measure both sites in turn, so that a busy moment of the machine hits both."""
    with tempfile.TemporaryDirectory() as folder:
        write_bare_site(Path(folder))
        sites = {"bare site": "bare_settings", "sandbox": "sandbox.settings"}
        clock: Times = {name: [] for name in sites}
        work: Times = {name: [] for name in sites}
        for turn in range(rounds + 1):
            for name, settings in sites.items():
                seconds, cpu = timed(settings, folder)
                if turn:  # The first one compiles.
                    clock[name].append(seconds)
                    work[name].append(cpu)
        report("manage.py check, ms", clock)
        report("its CPU time, ms", work)
        for what, script, settings in (
            ("manage.py check", COMMAND, "sandbox.settings"),
            ("the chat page", PAGE, "tests.settings"),
        ):
            loaded = run(script + TELL, settings, folder).splitlines()[-1]
            print(f"{'of ' + ', '.join(HEAVY)} loaded after {what}: {loaded}")


def write_bare_site(folder: Path) -> None:
    """Make a site that has all that the sandbox has, but us."""
    (folder / "bare_settings.py").write_text(BARE_SETTINGS)
    (folder / "bare_urls.py").write_text(BARE_URLS)
    (folder / "bare_asgi.py").write_text(BARE_ASGI)


def timed(settings: str, folder: str) -> tuple[float, float]:
    """Return the seconds of one `manage.py check`: by the clock, and of CPU."""
    started, before = time.perf_counter(), cpu_of_children()
    run(COMMAND, settings, folder)
    return time.perf_counter() - started, cpu_of_children() - before


def cpu_of_children() -> float:
    """Return the CPU seconds of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(script: str, settings: str, folder: str) -> str:
    """Run a script in a process of its own, and return what it says."""
    path = os.pathsep.join([str(ROOT), folder])
    own = {"DJANGO_SETTINGS_MODULE": settings, "PYTHONPATH": path}
    result = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        cwd=folder,
        env=os.environ | own,
        stdout=subprocess.PIPE,
        text=True,
    )
    return result.stdout


def report(what: str, times: Times) -> None:
    """Print a table, and how the two sites compare."""
    print(f"{what:<28}{'median':>9}{'least':>9}{'most':>9}")
    for name, seconds in times.items():
        figures = (statistics.median(seconds), min(seconds), max(seconds))
        print(f"{name:<28}" + "".join(f"{figure * 1000:>9.0f}" for figure in figures))
    bare, ours = (statistics.median(seconds) for seconds in times.values())
    print(f"{'ratio of the medians':<28}{ours / bare:>9.2f}   (target: under {TARGET})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
