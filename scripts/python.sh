#!/bin/sh
# Print a Python that can make our environment: $PYTHON if given, else the first
# of 3.11 to 3.13, else any newer python3. pyenv's shims exist even for Pythons
# that do not run, so each candidate is tried.
probe='import ensurepip, sqlite3, ssl, sys, venv; sys.exit(sys.version_info < (3, 11))'

for python in ${PYTHON:-python3.11 python3.12 python3.13 python3}; do
    if "$python" -c "$probe" >/dev/null 2>&1; then
        command -v "$python"
        exit 0
    fi
done

if [ -n "$PYTHON" ]; then
    echo "PYTHON=$PYTHON is not a Python 3.11 or newer with venv and sqlite3." >&2
else
    echo "No Python 3.11 or newer with venv and sqlite3 was found." >&2
fi
echo "Install one (on Debian: apt-get install python3 python3-venv), or name it:" >&2
echo "    make PYTHON=/path/to/python3 ..." >&2
exit 1
