"""A host with another user model, another prefix, no admin, and ATOMIC_REQUESTS."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_chat_works_with_any_user_model() -> None:
    env = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    done = subprocess.run(
        [
            sys.executable,
            *("-m", "pytest", "-q", "-p", "no:randomly", "--ds=tests.settings_members"),
            "tests/members/conversation_check.py",
        ],
        cwd=ROOT,
        env={**env, "POLLY_TEST_PGNAME": "test_polly_members"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
