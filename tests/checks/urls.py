"""URLs of a site that forgot ours."""

from __future__ import annotations

urlpatterns: list[object] = []
