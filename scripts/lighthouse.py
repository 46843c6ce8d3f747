"""
Ask Lighthouse about the list and a chat: performance, accessibility, best practices.

    python -m scripts.lighthouse [page ...]    list and chat, on a phone and a desk

It needs node and npm, and installs Lighthouse below build/. Ends with 1 where a
score is under 98. What it found stays in build/lighthouse/.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

# Also when it is run as a file.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.visit.site import Visit, visited_site
from scripts.picture_site import free_port, wait_for
from scripts.requirements import ROOT
from scripts.system import Missing, chromium

TARGET = 98
CATEGORIES = ("performance", "accessibility", "best-practices")
FORMS: dict[str, list[str]] = {"phone": [], "desk": ["--preset=desktop"]}
"""Lighthouse's own: a slow phone on a slow network, and a computer on a good one."""
PACKAGE = ROOT / "benchmarks" / "lighthouse" / "package.json"
FOLDER = ROOT / "build" / "lighthouse"
SECONDS = 240
ATTEMPTS = 3
BAD = 0.9
"""What an audit scores less than is named."""


def install() -> Path:
    """Install Lighthouse as the package file says; return its program."""
    npm = shutil.which("npm")
    if npm is None:
        raise Missing("npm was not found: install node, 18 or newer.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not (FOLDER / "node_modules").exists():
        shutil.copy(PACKAGE, FOLDER)
        quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]
        subprocess.run([npm, "install", "--silent", *quiet], cwd=FOLDER, check=True)
    return FOLDER / "node_modules" / "lighthouse" / "cli" / "index.js"


def ask(program: Path, visit: Visit, name: str, form: str) -> dict[str, Any]:
    """Run Lighthouse over a page; return its report."""
    path = {"list": "/polly/", "chat": visit.chat, "empty": visit.empty}[name]
    report = FOLDER / f"{name}-{form}.json"
    command = ["node", str(program), visit.url + path, "--quiet", *FORMS[form]]
    command += [f"--only-categories={','.join(CATEGORIES)}", "--disable-storage-reset"]
    command += ["--output=json", f"--output-path={report}"]
    # On a busy computer it may miss a moment, and tells of a page without figures.
    for _attempt in range(ATTEMPTS):
        with signed_in(visit) as port:
            told = subprocess.run(
                [*command, f"--port={port}"], check=False, timeout=SECONDS
            )
        found: dict[str, Any] = json.loads(report.read_text())
        if told.returncode == 0 and not found.get("runtimeError"):
            return found
    raise Missing(f"Lighthouse measured nothing: {found.get('runtimeError')}")


@contextmanager
def signed_in(visit: Visit) -> Iterator[int]:
    """
    Run a browser of somebody who is signed in; yield the port to steer it by.

    A header that Lighthouse adds is not sent with sockets, so a chat would be
    measured while it is refused: there must be a cookie.
    """
    port = free_port()
    args = [f"--remote-debugging-port={port}", "--headless=new"]
    args += ["--no-sandbox"] if os.geteuid() == 0 else []
    with (
        tempfile.TemporaryDirectory(prefix="polly-lighthouse-") as folder,
        subprocess.Popen(
            [chromium() or "chromium", *args, f"--user-data-dir={folder}"],
            stderr=subprocess.DEVNULL,
        ) as browser,
    ):
        try:
            wait_for(f"http://127.0.0.1:{port}/json/version", browser)
            with sync_playwright() as tools:
                steered = tools.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
                steered.contexts[0].add_cookies(
                    [{"name": "sessionid", "value": visit.session, "url": visit.url}]
                )
            yield port
        finally:
            browser.terminate()
            browser.wait()


def faults(report: dict[str, Any]) -> Iterator[str]:
    """Yield the audits that count and did badly."""
    for category in report["categories"].values():
        for audit in category["auditRefs"]:
            found = report["audits"][audit["id"]]
            if audit["weight"] and found["score"] is not None and found["score"] < BAD:
                yield f"{found['title']}: {found.get('displayValue', found['score'])}"


def main() -> int:
    """Ask about each page in each form, and print a table."""
    pages = sys.argv[1:] or ["list", "chat"]
    program = install()
    good = True
    print(f"{'page':<8}{'form':<8}" + "".join(f"{name:>16}" for name in CATEGORIES))
    with visited_site() as visit:
        for name in pages:
            for form in FORMS:
                report = ask(program, visit, name, form)
                kept = report["categories"]
                scores = [round(kept[each]["score"] * 100) for each in CATEGORIES]
                line = "".join(f"{score:>16}" for score in scores)
                print(f"{name:<8}{form:<8}{line}", flush=True)
                for fault in faults(report):
                    print(f"    {fault}", flush=True)
                good = good and min(scores) >= TARGET
    print(f"target: {TARGET} at the least")
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
