"""The tests' host site without unfold: the admin as Django ships it."""

from __future__ import annotations

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS as WITH_UNFOLD

INSTALLED_APPS = [name for name in WITH_UNFOLD if name != "unfold"]
