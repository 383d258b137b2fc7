#!/usr/bin/env bash
# Checks the sources: format, which room includes which, clang-tidy, and a few seconds of each fuzz target. Ends with a line
# that counts the checks, and a verdict; exits 0 only if none failed.
set -uo pipefail
cd "$(dirname "$0")/.."

usage() {
  cat <<'TEXT'
Usage: deploy/lint.sh [CHECK…]

Installs missing packages and runs each CHECK, or all of them if none is named:

  format    clang-format 14 would change no source file (tests/check_format.py --fix changes them)
  layers    no room includes what it may not (ARCHITECTURE.md, "Rooms")
  tidy      clang-tidy 14 finds nothing in files that tests/tidy.lock does not cover, nor in ten that it does; files that
            include LibTorch, which it cannot read, are compiled instead (tests/check_tidy.py --update updates the lock)
  fuzz      builds the fuzz targets and runs each for five seconds (deploy/fuzz.sh runs them for longer)

Examples:
  deploy/lint.sh
  deploy/lint.sh format layers
TEXT
}

checks=()
for argument in "$@"; do
  case "$argument" in
    -h | --help) usage; exit 0 ;;
    format | layers | tidy | fuzz) checks+=("$argument") ;;
    *) printf 'lint: unknown check %s\n\n' "$argument" >&2; usage >&2; exit 2 ;;
  esac
done
[ "${#checks[@]}" -gt 0 ] || checks=(format layers tidy fuzz)

started=$(date +%s)
verdict() { printf 'lint: %s in %s s\n' "$1" "$(($(date +%s) - started))"; }
printf '\n== packages\n'
deploy/bootstrap.sh || { verdict "FAIL (packages)"; exit 1; }

command_of() {
  case "$1" in
    format) echo "/usr/bin/python3 tests/check_format.py" ;;
    layers) echo "/usr/bin/python3 tests/check_layers.py --self-test" ;;
    tidy) echo "/usr/bin/python3 tests/check_tidy.py" ;;
    fuzz) echo "deploy/fuzz.sh --seconds 5" ;;
  esac
}
failures=()
for name in "${checks[@]}"; do
  printf '\n== %s\n' "$name"
  begun=$(date +%s)
  $(command_of "$name") || failures+=("$name")
  printf 'lint: %s took %s s\n' "$name" "$(($(date +%s) - begun))"
done

printf '\n== verdict\n%s passed, %s failed, 0 skipped\n' "$((${#checks[@]} - ${#failures[@]}))" "${#failures[@]}"
if [ "${#failures[@]}" -gt 0 ]; then
  verdict "FAIL (${failures[*]})"
  exit 1
fi
verdict "PASS"
