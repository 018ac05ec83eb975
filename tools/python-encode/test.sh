#!/usr/bin/env bash
# Builds the wheel and the command, and compares their bytes; once without pandas and once with it. Needs
# Python 3.9 or newer and PyPI. Not part of .ci/run: cold it compiles the source side a second time (minutes).
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
target=${CARGO_TARGET_DIR:-$PWD/../../target}
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet 'maturin>=1.9,<2'
cargo build --release --locked --manifest-path ../../Cargo.toml --target-dir "$target" \
    --no-default-features --features source --bin musubi-encode
"$work/venv/bin/maturin" build --quiet --release --locked --target-dir "$target" --out "$work/wheels"
"$work/venv/bin/pip" install --quiet "$work"/wheels/*.whl
"$work/venv/bin/python" test.py "$target/release/musubi-encode"
"$work/venv/bin/pip" install --quiet pandas
"$work/venv/bin/python" test.py "$target/release/musubi-encode"
