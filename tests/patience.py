"""How long tests wait for what should come: a limit costs nothing when all goes well."""

from __future__ import annotations

import os

PATIENCE = int(os.environ.get("POLLY_PATIENCE", "60"))
"""Seconds. Much more than anything takes: a busy machine is no fault of the code. Who
mends a test that fails may want to hear of it sooner."""
