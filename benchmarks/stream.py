"""
What streaming costs: CPU, lag, bytes and memory, against two floors of the same run.

Daphne, a mock provider over HTTP and WebSocket clients run in processes of their own.
F1 is a bare consumer that relays litellm's chunks, F2 one that relays the raw stream.

Run it with: python benchmarks/stream.py [--quick] [idle lag many first full bytes
flat fan]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.streaming.figures import Table


def main() -> None:
    """Take the figures that the command line names, or all, and print each."""
    from benchmarks.streaming.field import Field  # noqa: PLC0415 - after the path
    from benchmarks.streaming.figures import FIGURES  # noqa: PLC0415 - after the path

    parser = argparse.ArgumentParser(description="What streaming costs.")
    parser.add_argument("figures", nargs="*", metavar="figure", help=" ".join(FIGURES))
    parser.add_argument("--quick", action="store_true", help="a small run of each")
    given = parser.parse_args()
    if unknown := set(given.figures) - set(FIGURES):
        parser.error(f"no such figure: {' '.join(unknown)}")
    with Field() as ground:
        for name, figure in FIGURES.items():
            if name in given.figures or not given.figures:
                started = time.monotonic()
                show(figure(ground, quick=given.quick), time.monotonic() - started)


def show(table: Table, seconds: float) -> None:
    """Print a table."""
    from benchmarks.streaming.field import WAYS  # noqa: PLC0415 - after the path

    print(f"\n{table.title} ({seconds:.0f} s)")
    print(f"{'':<30}" + "".join(f"{name:>11}" for name in table.columns))
    for name, values in table.rows.items():
        cells = [f"{'':>11}" if v is None else f"{v:>11.{_digits(v)}f}" for v in values]
        print(f"{WAYS.get(name, name):<30}" + "".join(cells))
    print(f"target: {table.target}", flush=True)


def _digits(value: float) -> int:
    return 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    main()
