#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test. Ends with one line that counts what passed, failed and was skipped,
# and a verdict; exits 0 only if nothing failed.
set -uo pipefail
cd "$(dirname "$0")/.."

usage() {
  cat <<'TEXT'
Usage: deploy/test.sh [--case PATTERN]… [CTEST ARGUMENTS…]

Installs missing packages, builds the release preset and runs all tests, as many programs at a time as the machine has
cores. For each case that fails it shows the output and the command that runs that case alone. Tests that need real photos
and weights are skipped, and counted, unless FACEGATE_DATA names their folder.

  --case PATTERN   run only cases whose Suite.Name matches PATTERN (as in --gtest_filter)

Examples:
  deploy/test.sh                              everything
  FACEGATE_DATA=~/facegate-data deploy/test.sh
  deploy/test.sh --case 'GalleryTest.*'
  deploy/test.sh -L unit                      unit tests only: no real programs, no real photos

deploy/lint.sh checks the sources; deploy/soak.sh runs what takes hours.
TEXT
}
case "${1:-}" in -h | --help) usage; exit 0 ;; esac

started=$(date +%s)
step() { printf '\n== %s\n' "$*"; }
verdict() { printf 'test: %s in %s s\n' "$1" "$(($(date +%s) - started))"; }

step "packages"
deploy/bootstrap.sh || { verdict "FAIL (packages)"; exit 1; }

step "build"
deploy/build.sh || { verdict "FAIL (build)"; exit 1; }

step "tests"
/usr/bin/python3 tests/run_tests.py "$@" || { verdict "FAIL (tests)"; exit 1; }
verdict "PASS"
