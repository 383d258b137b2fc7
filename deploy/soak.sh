#!/usr/bin/env bash
# Runs the tests that take too long for every run, and records the outcome.
set -uo pipefail
cd "$(dirname "$0")/.."
all_parts=(kills load learning plain address thread tidy fuzz)
results=tests/SOAK.md
cores=$(nproc) # before OMP_NUM_THREADS, which nproc obeys

usage() {
  cat <<'TEXT'
Usage: deploy/soak.sh [--dry-run] [PART…]

Runs each PART, or all of them if none is named, and adds a line with date, commit, machine and outcome to tests/SOAK.md:

  kills      kill -9 during enrolments (300 times, and 100 with retries), of the store (200) and of a training (40)
  load       40,000 rounds of enrol, identify and delete by eight clients, 10,000 in the gallery; a million changes of rows;
             1,000 rounds of hostile input with flat memory
  learning   the ring on all of MNIST, which FACEGATE_DATA names
  plain      each file compiled on its own, without precompiled headers, with -O1 (and the warnings that need it), and all
             tests
  address    all tests under AddressSanitizer and UndefinedBehaviorSanitizer
  thread     the tests of base, image, detection, weight files, index, server, heads and loop under ThreadSanitizer
  tidy       clang-tidy over every file, whatever tests/tidy.lock covers
  fuzz       each fuzz target for 20 minutes

  --dry-run  show the commands and run nothing

It takes about seven hours on two cores. Name a part to run it again. Exit code: 0 if every part passed.

Examples:
  deploy/soak.sh kills load
  deploy/soak.sh
TEXT
}

parts=() dry=false
for argument in "$@"; do
  case "$argument" in
    -h | --help) usage; exit 0 ;;
    --dry-run) dry=true ;;
    *)
      [[ " ${all_parts[*]} " == *" $argument "* ]] || { printf 'soak: unknown part %s\n\n' "$argument" >&2; usage >&2; exit 2; }
      parts+=("$argument")
      ;;
  esac
done
[ "${#parts[@]}" -gt 0 ] || parts=("${all_parts[@]}")

run() { # run COMMAND…: shows it, and runs it unless this is a dry run
  printf '+ %s\n' "$*"
  $dry || "$@"
}

tests() { # tests PRESET RUN_TESTS-ARGUMENTS…
  local preset=$1
  shift
  # Also if it was configured before: its options may have other values now.
  run cmake --preset "$preset" &&
    run cmake --build --preset "$preset" -j "$cores" "${targets[@]}" &&
    run /usr/bin/python3 tests/run_tests.py --build "build/$preset" --timeout 14400 "$@"
}

thread_programs=(face_test index_test index_disk_failure_test index_crash_test server_test server_app_test learning_test)
soak_part() { # soak_part NAME
  local targets=()
  case "$1" in
    kills | load | learning) export FACEGATE_SOAK=1 ;; # tests/support/rounds.h
    thread)
      export TSAN_OPTIONS="suppressions=$PWD/tests/tsan.supp ignore_noninstrumented_modules=1"
      export OMP_NUM_THREADS=1 # the barriers of GCC's OpenMP library are none to it
      ;;
  esac
  case "$1" in
    kills) tests release --case 'KillDuring*:ReplayAfterKill*:CrashTest.*:IdempotencyTest.*' ;;
    load) tests release -j 1 --case 'RowMoveTest.*:GalleryConcurrencyTest.NeverGivesAStaleAnswer:StaleAnswerTest.*:HostileInputTest.*:*/MessageMemoryTest.*' ;;
    learning) tests release -j 1 --case 'RingGoldenTest.*' ;;
    plain) tests dev ;;
    address) tests asan ;;
    thread)
      targets=(--target "${thread_programs[@]}")
      tests tsan -R "^($(IFS='|' && echo "${thread_programs[*]}"))(\\.[0-9]+)?\$"
      ;;
    tidy) run /usr/bin/python3 tests/check_tidy.py --all ;;
    fuzz) run deploy/fuzz.sh ;;
  esac
}

state_of_source() { # the commit, and whether files differ from it
  local commit
  commit=$(git rev-parse --short HEAD 2>/dev/null) || { echo "no commit"; return; }
  [ -z "$(git status --porcelain -- . ":!$results" 2>/dev/null)" ] || commit="$commit with changes"
  echo "$commit"
}

if ! $dry; then
  deploy/bootstrap.sh || exit 1
  mkdir -p build
fi
failed=()
for part in "${parts[@]}"; do
  printf '\n== %s\n' "$part"
  if $dry; then
    (soak_part "$part")
    continue
  fi
  started=$(date +%s) state=$(state_of_source) log=build/soak-$part.log outcome=FAIL
  if (set -o pipefail; soak_part "$part" 2>&1 | tee "$log"); then outcome=PASS; else failed+=("$part"); fi
  counted=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$log" | tail -1)
  [ "$part" != fuzz ] || counted="$(grep -cE '^fuzz: [a-z_]+: clean' "$log") targets clean"
  processor=$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)
  printf '| %s | %s | %s | %s × %s | %s | %s | %s |\n' "$(date -u +%F)" "$part" "$state" "$cores" "$processor" \
    "$outcome" "${counted:-nothing was counted}" "$(($(date +%s) - started))" >> "$results"
done

if $dry; then exit 0; fi
printf '\nsoak: results are in %s\n' "$results"
if [ "${#failed[@]}" -gt 0 ]; then
  printf 'soak: FAIL (%s)\n' "${failed[*]}"
  exit 1
fi
echo "soak: PASS"
