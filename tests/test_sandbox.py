"""The sandbox, a user's first site: short, without complaints, and all of it answers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MOST_LINES = 80
TOUR = """
from django.contrib.auth import get_user_model
from django.test import Client
from sandbox.demo import seed

seed()
seed()  # A second start makes nothing twice.
assert get_user_model().objects.count() == 2


def get(client, path, wanted=200):
    response = client.get(path)
    assert response.status_code == wanted, (path, response.status_code)
    return response.content.decode()


def sign_in(name, path="/accounts/login/"):
    client = Client(headers={"host": "127.0.0.1"})
    response = client.post(path, {"username": name, "password": name})
    assert response.status_code == 302, (name, response.status_code)
    return client


nobody = Client(headers={"host": "127.0.0.1"})
assert "Sign in</a> to talk" in get(nobody, "/")
get(nobody, "/accounts/login/")
german = Client(headers={"host": "127.0.0.1", "accept-language": "de"})
page = get(german, "/")
assert '<html lang="de" dir="ltr">' in page
assert "Anmelden</a>, um mit Polly" in page
assert "Passwort demo" in get(german, "/accounts/login/")
get(nobody, "/favicon.ico", 302)
get(nobody, "/polly/", 302)
get(nobody, "/admin/", 302)

demo = sign_in("demo")
assert 'role="log"' in get(demo, "/")
assert "Polly" in get(demo, "/polly/")
get(demo, "/admin/", 302)

admin = sign_in("admin", "/admin/login/")
for page in ("", "parrot/", "trick/", "smartconversation/", "message/"):
    get(admin, "/admin/polly_htmx/" + page)
print("all answered")
"""


def manage(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the sandbox, on data of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("DJANGO_")}
    result = subprocess.run(
        [sys.executable, str(ROOT / "sandbox" / "manage.py"), *command],
        capture_output=True,
        check=False,
        cwd=folder,
        env={**kept, "POLLY_SANDBOX_DATA": str(folder / "data")},
        stdin=subprocess.DEVNULL,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result


def test_settings_stay_short() -> None:
    lines = (ROOT / "sandbox" / "settings.py").read_text().splitlines()
    assert len(lines) <= MOST_LINES


@pytest.mark.live
def test_checks_find_nothing_to_say(tmp_path: Path) -> None:
    manage(tmp_path, "migrate", "--verbosity", "0")
    result = manage(tmp_path, "check", "--database", "default")
    assert result.stdout.strip() == "System check identified no issues (0 silenced)."
    assert not result.stderr


@pytest.mark.live
def test_every_page_answers_and_the_admin_lets_its_admin_in(tmp_path: Path) -> None:
    manage(tmp_path, "migrate", "--verbosity", "0")
    result = manage(tmp_path, "shell", "--command", TOUR)
    assert "all answered" in result.stdout
    # The secret key and the database are where we asked for them.
    assert {"db.sqlite3", "secret_key"} <= {
        path.name for path in (tmp_path / "data").iterdir()
    }
