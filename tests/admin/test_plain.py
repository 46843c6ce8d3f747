"""The same admin where unfold is not installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = "tests/admin"


@pytest.mark.skipif(not apps.is_installed("unfold"), reason="This is the plain one.")
@pytest.mark.timeout(400)
def test_all_tests_of_the_admin_pass_without_unfold() -> None:
    options = ["--quiet", "--ds=tests.settings_plain", "-p", "no:cacheprovider"]
    # On SQLite, in a file of its own, whatever the suite around it runs on.
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "POLLY_TEST_"))
    }
    result = subprocess.run(
        [sys.executable, "-m", "pytest", FOLDER, *options],
        check=False,
        cwd=ROOT,
        env={**own, "DJANGO_SETTINGS_MODULE": "tests.settings_plain"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout[-5_000:] + result.stderr[-2_000:]
    assert " passed" in result.stdout
