#!/usr/bin/env bash
# Configures and builds the release preset: deploy/build.sh [TARGET…]. It takes seconds if nothing has changed.
# CMAKE_BUILD_PARALLEL_LEVEL says how many compilers run at a time; without it, one for each core.
set -euo pipefail
cd "$(dirname "$0")/.."

jobs=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
started=$(date +%s)
[ -f build/release/build.ninja ] || cmake --preset release
printf 'build: release, %s jobs\n' "$jobs"
targets=()
[ "$#" -eq 0 ] || targets=(--target "$@")
cmake --build --preset release -j "$jobs" "${targets[@]}"
printf 'build: done in %s s\n' "$(($(date +%s) - started))"
