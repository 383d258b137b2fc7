#!/usr/bin/env bash
# Configures and builds the release preset: deploy/build.sh [TARGET…]. It takes seconds if nothing has changed.
set -euo pipefail
cd "$(dirname "$0")/.."

cores=$(nproc)
started=$(date +%s)
[ -f build/release/build.ninja ] || cmake --preset release
printf 'build: release, %s jobs\n' "$cores"
targets=()
[ "$#" -eq 0 ] || targets=(--target "$@")
cmake --build --preset release -j "$cores" "${targets[@]}"
printf 'build: done in %s s\n' "$(($(date +%s) - started))"
