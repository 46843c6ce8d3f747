"""What the Makefile calls: environments, the gate, services, pinned versions."""

from __future__ import annotations
