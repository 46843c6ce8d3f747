"""
Programs that the tests need and pip cannot install: found, installed, or named.

Chromium, PostgreSQL, Redis and gettext are looked for; where this process may use
apt-get they are installed; where nothing helps, the run ends with what to do. Nothing is
ever left out in silence.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

CHROMIUM_NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)


class Missing(Exception):
    """A program is not there and could not be installed. The text says what to do."""


def chromium() -> str | None:
    """Return the path of the Chromium or Chrome to use, if there is one."""
    if given := os.environ.get("POLLY_CHROMIUM"):
        if not os.access(given, os.X_OK):
            raise Missing(f"POLLY_CHROMIUM={given} is not a program that can be run.")
        return given
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def playwright_chromium() -> str | None:
    """Return the Chromium that Playwright downloaded, if it has."""
    code = (
        "from playwright.sync_api import sync_playwright as start\n"
        "with start() as tools: print(tools.chromium.executable_path)"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    path = result.stdout.strip()
    return path if result.returncode == 0 and os.access(path, os.X_OK) else None


def postgres_bin() -> str | None:
    """Return the folder that holds initdb and postgres, if there is one."""
    folders = [Path(found).parent] if (found := shutil.which("initdb")) else []
    # Debian keeps the server's programs off the PATH, a folder for each version.
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    folders += sorted(debian, key=lambda path: path.parent.name.zfill(4), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return str(folder)
    return None


def redis() -> str | None:
    """Return the path of redis-server, if there is one."""
    return shutil.which("redis-server") or shutil.which("valkey-server")


def gettext() -> str | None:
    """Return the path of xgettext, which comes with all that Django's commands use."""
    return shutil.which("xgettext") if shutil.which("msgfmt") else None


def apt_install(package: str) -> bool:
    """Install a Debian package where this process may; return whether it did."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return False
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--no-install-recommends", package]
    print(f"Installing {package} with apt-get ...", flush=True)
    for command in (["apt-get", "update", "--quiet"], install):
        result = subprocess.run(
            command, check=False, env=environment, stdin=subprocess.DEVNULL
        )
    return result.returncode == 0


def playwright_install() -> bool:
    """Let Playwright download its own Chromium; return whether it did."""
    print("Downloading Chromium with playwright ...", flush=True)
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    return subprocess.run(command, check=False).returncode == 0


def require(
    name: str, package: str, look: Callable[[], str | None], advice: str
) -> str:
    """Return where a program is, installing it if need be."""
    found = look()
    if found is None and apt_install(package):
        found = look()
    if found is None:
        raise Missing(f"{name} is missing and could not be installed. {advice}")
    return found


def require_chromium() -> str:
    """Return the path of a Chromium, installed or downloaded if need be."""
    advice = (
        "Install Chromium or Chrome, or name one: POLLY_CHROMIUM=/path/to/chromium."
    )
    try:
        return require(
            "Chromium", "chromium", lambda: chromium() or playwright_chromium(), advice
        )
    except Missing:
        if os.environ.get("POLLY_CHROMIUM") or not playwright_install():
            raise
    if found := playwright_chromium():
        return found
    raise Missing(f"Playwright's Chromium does not run. {advice}")


def require_gettext() -> str:
    """Return the path of xgettext, installed if need be."""
    return require(
        "GNU gettext", "gettext", gettext, "Install it, or put its xgettext on PATH."
    )


def require_all() -> dict[str, str]:
    """Return where each program is, or raise Missing with what to do."""
    return {
        "Chromium": require_chromium(),
        "PostgreSQL": require(
            "PostgreSQL",
            "postgresql",
            postgres_bin,
            "Install the PostgreSQL server, or put its initdb and postgres on PATH.",
        ),
        "Redis": require(
            "Redis",
            "redis-server",
            redis,
            "Install redis-server, or put it on PATH.",
        ),
        "GNU gettext": require_gettext(),
    }
