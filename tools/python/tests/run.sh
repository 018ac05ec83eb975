#!/usr/bin/env bash
# Installs the client as a pipeline author would, and runs its tests against a real server. Needs Python 3.10 or newer, PyPI,
# and `musubi` as built by cargo (MUSUBI, or target/debug/musubi).
set -euo pipefail
cd "$(dirname "$0")/.."
export MUSUBI=${MUSUBI:-$PWD/../../target/debug/musubi}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet '.[pandas]'
cd "$work" && "$work/venv/bin/python" "$OLDPWD/tests/test_client.py" "$@"
