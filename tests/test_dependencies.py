"""What gets installed with us: safe versions, no surprises when imported."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
RUNTIME = [Requirement(line) for line in PROJECT["dependencies"]]
OPTIONAL = [Requirement(line) for lines in EXTRAS.values() for line in lines]
CONSTRAINTS = (ROOT / "constraints.txt").read_text().splitlines()
PINS = [Requirement(line) for line in CONSTRAINTS if line and line[0] != "#"]

# Files that Python runs at every start. Each has a reason to be there.
KNOWN_PTH = {
    "_editable_impl_polly_htmx.pth",  # our own editable install
    "a1_coverage.pth",  # coverage, asleep unless its variable is set
    "distutils-precedence.pth",  # setuptools
}


def specifier(name: str) -> str:
    """Return what pyproject.toml asks of a package, as text."""
    return str(next(r.specifier for r in RUNTIME if r.name.lower() == name.lower()))


@pytest.mark.parametrize("requirement", RUNTIME + OPTIONAL, ids=lambda r: r.name)
def test_the_installed_version_is_one_that_we_allow(requirement: Requirement) -> None:
    installed = importlib.metadata.version(requirement.name)
    assert requirement.specifier.contains(installed, prereleases=True)


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("channels", "4.3.1"),
        ("daphne", "4.2.1"),
        ("daphne", "4.2.2"),
        ("Django", "5.2.18"),
        ("Django", "6.0.9"),
        ("Django", "6.1.2"),
        ("litellm", "1.82.6"),
        ("litellm", "1.82.7"),
        ("litellm", "1.82.8"),
        ("litellm", "1.104.5"),
        ("markdown-it-py", "4.2.0"),
        ("nh3", "0.3.6"),
    ],
)
def test_a_version_with_known_faults_is_refused(name: str, version: str) -> None:
    requirement = Requirement(f"{name}{specifier(name)}")
    assert not requirement.specifier.contains(version)


def test_the_malicious_uploads_of_litellm_are_named() -> None:
    assert "!=1.82.7" in specifier("litellm")
    assert "!=1.82.8" in specifier("litellm")


def test_litellm_comes_without_its_proxy() -> None:
    assert all(not r.extras for r in RUNTIME if r.name == "litellm")


def test_redis_is_past_the_fault_that_mixed_up_answers() -> None:
    assert Version(importlib.metadata.version("redis")) >= Version("5")


def test_the_constraints_are_names_and_versions() -> None:
    line = re.compile(r'[a-z0-9.-]+==[\w.+]+( ; python_version (<|>=) "3\.12")?')
    assert [
        text for text in CONSTRAINTS if text[:1] != "#" and not line.fullmatch(text)
    ] == []


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("requirement", RUNTIME + OPTIONAL, ids=lambda r: r.name)
def test_each_requirement_is_pinned_once_for_each_python(
    requirement: Requirement, python: str
) -> None:
    pins = [
        pin.specifier
        for pin in PINS
        if pin.name.lower() == requirement.name.lower()
        and (pin.marker is None or pin.marker.evaluate({"python_version": python}))
    ]
    assert len(pins) == 1
    assert requirement.specifier.contains(str(pins[0]).removeprefix("=="))


def test_no_package_runs_code_at_every_start() -> None:
    files = {
        Path(str(file)).name: distribution.name
        for distribution in importlib.metadata.distributions()
        for file in distribution.files or []
        if str(file).endswith(".pth")
    }
    assert set(files) <= KNOWN_PTH, files
    assert "litellm" not in files.values()


def test_no_stray_file_runs_code_at_every_start() -> None:
    folder = Path(str(importlib.metadata.distribution("litellm").locate_file("")))
    # A virtual environment made by other tools may bring its own.
    strangers = {path.name for path in folder.glob("*.pth")} - KNOWN_PTH
    assert {name for name in strangers if not name.startswith("_virtualenv")} == set()


GUARD = """
import json, os, socket, sys

tried = []
real = socket.socket.connect, socket.getaddrinfo

def local(host):
    return str(host) in {"127.0.0.1", "::1", "localhost", ""}

def connect(self, address):
    if isinstance(address, tuple) and not local(address[0]):
        tried.append(str(address))
        raise OSError("no network here")
    return real[0](self, address)

def getaddrinfo(host, *args, **kwargs):
    if host is not None and not local(host):
        tried.append(str(host))
        raise socket.gaierror("no network here")
    return real[1](host, *args, **kwargs)

socket.socket.connect = connect
socket.getaddrinfo = getaddrinfo
"""

REPORT = """
print(json.dumps({"tried": tried, "poisoned": os.environ.get("POLLY_POISON")}))
"""

ANSWER = """
import django
from django.conf import settings
settings.configure(POLLY={}, INSTALLED_APPS=[], USE_TZ=True)
django.setup()
from polly_htmx.llm import LLMConnect
assert LLMConnect("DUMMY").invoker().send_message("Hi").text
assert "litellm" in sys.modules
"""


def report_of(code: str, folder: Path) -> dict[str, object]:
    """Run code under the guard, in a folder with a hostile .env."""
    (folder / ".env").write_text("POLLY_POISON=1\nOPENAI_API_KEY=sk-poison\n")
    result = subprocess.run(
        [sys.executable, "-c", GUARD + code + REPORT],
        capture_output=True,
        check=True,
        cwd=folder,
        env={"PATH": "", "HOME": str(folder), "PYTHONPATH": str(ROOT)},
        text=True,
        timeout=60,
    )
    report: dict[str, object] = json.loads(result.stdout.splitlines()[-1])
    return report


@pytest.mark.live
def test_using_a_model_asks_no_network_and_reads_no_dotenv(tmp_path: Path) -> None:
    assert report_of(ANSWER, tmp_path) == {"tried": [], "poisoned": None}


@pytest.mark.live
def test_the_guard_sees_what_litellm_does_when_nobody_stops_it(tmp_path: Path) -> None:
    report = report_of("import litellm", tmp_path)
    assert report["tried"]
    assert report["poisoned"] == "1"
