"""A site with polly_htmx, as small as a user's first one."""

from __future__ import annotations
