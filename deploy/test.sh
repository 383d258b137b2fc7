#!/usr/bin/env bash
# Installs what is missing, builds, checks the sources, fuzzes briefly and runs every test. Ends with one line that counts
# what passed, failed and was skipped, and a verdict; exits 0 only when nothing failed.
set -uo pipefail
cd "$(dirname "$0")/.."

usage() {
  cat <<'TEXT'
Usage: deploy/test.sh [CTEST ARGUMENTS…]

Installs missing packages, builds the release preset, checks format and clang-tidy, runs each fuzz target for a few
seconds (deploy/fuzz.sh runs them for long), and runs all tests (the layer check among them).
Tests that need real photos and weights are skipped, and counted, unless FACEGATE_DATA names their folder.

Examples:
  deploy/test.sh                              everything
  FACEGATE_DATA=~/facegate-data deploy/test.sh
  deploy/test.sh -R GalleryTest               only the tests whose names match
TEXT
}
case "${1:-}" in -h | --help) usage; exit 0 ;; esac

started=$(date +%s)
failures=()
step() { printf '\n== %s\n' "$*"; }
verdict() {
  printf 'test: %s in %s s\n' "$1" "$(($(date +%s) - started))"
}

step "packages"
deploy/bootstrap.sh || { verdict "FAIL (packages)"; exit 1; }

step "build"
deploy/build.sh || { verdict "FAIL (build)"; exit 1; }

checks_passed=0
checks_failed=0
check() {
  local name=$1
  shift
  step "$name"
  if "$@"; then
    checks_passed=$((checks_passed + 1))
  else
    checks_failed=$((checks_failed + 1))
    failures+=("$name")
  fi
}
check "format" /usr/bin/python3 tests/check_format.py
check "clang-tidy" /usr/bin/python3 tests/check_tidy.py
check "fuzz" deploy/fuzz.sh --seconds 5

step "tests"
if [ -z "${FACEGATE_DATA:-}" ]; then
  echo "FACEGATE_DATA is not set: the tests on real photos and weights are skipped and counted below"
fi
# The tests sync thousands of small writes: in memory that takes seconds, on a disk minutes.
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ] && [ "$(df --output=avail -B1M /dev/shm | tail -1)" -ge 2048 ]; then
  export TMPDIR=/dev/shm
fi
results=build/release/test-results.xml
rm -f "$results"
ctest --test-dir build/release --output-on-failure --output-junit "$PWD/$results" "$@"
ctest_rc=$?

read -r passed failed skipped < <(/usr/bin/python3 - "$results" <<'PY'
import sys
import xml.etree.ElementTree as tree
try:
    cases = tree.parse(sys.argv[1]).getroot().findall("testcase")
except (OSError, tree.ParseError):
    cases = []
skipped = [case for case in cases if case.get("status") in ("notrun", "disabled") or case.find("skipped") is not None]
failed = [case for case in cases if case.get("status") == "fail"]
print(len(cases) - len(skipped) - len(failed), len(failed), len(skipped))
for case in skipped:
    print(f"skipped: {case.get('name')}", file=sys.stderr)
PY
)
if [ "$ctest_rc" -ne 0 ]; then
  failures+=("tests")
  [ "$failed" -gt 0 ] || failed=1
fi
if [ "$passed" -eq 0 ]; then
  failures+=("no test ran")
fi

step "verdict"
printf '%s passed, %s failed, %s skipped\n' \
  "$((passed + checks_passed))" "$((failed + checks_failed))" "$skipped"
if [ "${#failures[@]}" -gt 0 ]; then
  verdict "FAIL (${failures[*]})"
  exit 1
fi
verdict "PASS"
