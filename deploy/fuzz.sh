#!/usr/bin/env bash
# Builds the fuzz targets (clang, AddressSanitizer, UndefinedBehaviorSanitizer) and runs each for a while. Exits 0 only if
# every target ran for its time and found nothing.
set -uo pipefail
cd "$(dirname "$0")/.."

all_targets=(decode heif exif safetensors torch_pickle onnx onnx_graph description keras request record pack
             record_io tf_record archive idx pickled_pairs bcolz_pairs memfile_pairs lists)
seconds=1200
jobs=$(nproc)

usage() {
  cat <<'TEXT'
Usage: deploy/fuzz.sh [--seconds N] [--jobs N] [TARGET…]

Builds the preset "fuzz" and runs each TARGET for N seconds, as many targets at a time as the machine has cores. A target
starts from its seeds in tests/fuzz/corpus and from what earlier runs kept in build/fuzz/corpus, where new inputs go. An
input that ends a target (by a sanitizer's report, a failed check, 10 s or 2 GB) is kept in build/fuzz/findings, and its
path is printed.

Targets: decode heif exif safetensors torch_pickle onnx onnx_graph description keras request record pack record_io
tf_record archive idx pickled_pairs bcolz_pairs memfile_pairs lists (all if none is named)

  --seconds N   time for each target (default 1200)
  --jobs N      targets at a time (default: one for each core)

Examples:
  deploy/fuzz.sh                                    all targets, 20 minutes each
  deploy/fuzz.sh --seconds 60 decode request
  build/fuzz/fuzz/decode_fuzz build/fuzz/findings/decode-crash-…
                                                    runs one finding again
TEXT
}

fail_usage() {
  printf 'fuzz: %s\n\n' "$1" >&2
  usage >&2
  exit 2
}

targets=()
while [ "$#" -gt 0 ]; do
  case "$1" in
    -h | --help) usage; exit 0 ;;
    --seconds | --jobs)
      [[ "${2:-}" =~ ^[1-9][0-9]*$ ]] || fail_usage "$1 needs a whole number above 0"
      if [ "$1" = --seconds ]; then seconds=$2; else jobs=$2; fi
      shift
      ;;
    -*) fail_usage "unknown option $1" ;;
    *)
      [[ " ${all_targets[*]} " == *" $1 "* ]] || fail_usage "unknown target $1"
      targets+=("$1")
      ;;
  esac
  shift
done
[ "${#targets[@]}" -gt 0 ] || targets=("${all_targets[@]}")

started=$(date +%s)
verdict() { printf 'fuzz: %s in %s s\n' "$1" "$(($(date +%s) - started))"; }

# The preset names the compiler; without it CMake would fail with a longer message.
if ! command -v clang++ >/dev/null; then
  echo "fuzz: clang++ is missing: deploy/bootstrap.sh installs it"
  verdict "FAIL (packages)"
  exit 1
fi
log=build/fuzz/configure.log
mkdir -p build/fuzz/logs build/fuzz/findings
if [ ! -f build/fuzz/build.ninja ] && ! cmake --preset fuzz >"$log" 2>&1; then
  cat "$log"
  verdict "FAIL (configure)"
  exit 1
fi
printf 'fuzz: building %s\n' "${targets[*]}"
if ! cmake --build --preset fuzz -j "$(nproc)" --target "${targets[@]/%/_fuzz}"; then
  verdict "FAIL (build)"
  exit 1
fi

# The request target's store syncs each write: in memory that takes microseconds.
scratch_root=${TMPDIR:-/tmp}
[ -n "${TMPDIR:-}" ] || [ ! -w /dev/shm ] || scratch_root=/dev/shm
scratch=$(mktemp -d "$scratch_root/facegate-fuzz-XXXXXX")
running=()
clean_up() {
  [ "${#running[@]}" -eq 0 ] || kill "${running[@]}" 2>/dev/null
  wait
  rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

run_target() { # run_target NAME: becomes the fuzzer, so that its process and exit status are those of the target
  local name=$1
  mkdir -p "build/fuzz/corpus/$name"
  local options=()
  # This target keeps a gallery from input to input, so libFuzzer would look for leaks after nearly every one (now once, at
  # the end). It also has so many branches that the entropic schedule's bookkeeping takes half of the remaining time.
  [ "$name" != request ] || options=(-detect_leaks=0 -entropic=0)
  export TMPDIR=$scratch UBSAN_OPTIONS=print_stacktrace=1
  exec nice -n 10 "build/fuzz/fuzz/${name}_fuzz" \
    -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 "${options[@]}" \
    -artifact_prefix="build/fuzz/findings/$name-" \
    "build/fuzz/corpus/$name" "tests/fuzz/corpus/$name" >"build/fuzz/logs/$name.log" 2>&1
}

number_of() { # number_of STATISTIC LOG
  sed -n "s/^stat::$1: *//p" "$2" | tail -1
}

findings=()
report() { # report NAME EXIT-STATUS: one line, and what was found
  local name=$1 rc=$2 log="build/fuzz/logs/$1.log" executed coverage
  executed=$(number_of number_of_executed_units "$log")
  coverage=$(sed -n 's/^#.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -1)
  if [ "$rc" = 0 ] && [ "${executed:-0}" -gt 0 ]; then
    printf 'fuzz: %s: clean, %s inputs, %s a second, %s edges covered\n' "$name" "$executed" \
      "$(number_of average_exec_per_sec "$log")" "${coverage:-0}"
    return
  fi
  findings+=("$name")
  printf 'fuzz: %s: FINDING (exit %s), the log is %s\n' "$name" "$rc" "$log"
  grep -E 'check failed|ERROR: |runtime error|SUMMARY: ' "$log" | head -5
  sed -n 's/.*Test unit written to /fuzz: reproducer: /p' "$log"
}

printf 'fuzz: %s targets, %s s each, %s side by side\n' "${#targets[@]}" "$seconds" "$jobs"
waiting=("${targets[@]}")
declare -A name_of
while [ "${#waiting[@]}" -gt 0 ] || [ "${#running[@]}" -gt 0 ]; do
  while [ "${#waiting[@]}" -gt 0 ] && [ "${#running[@]}" -lt "$jobs" ]; do
    run_target "${waiting[0]}" &
    running+=("$!")
    name_of[$!]=${waiting[0]}
    waiting=("${waiting[@]:1}")
  done
  wait -n -p ended "${running[@]}"
  report "${name_of[$ended]}" "$?"
  still=()
  for pid in "${running[@]}"; do
    [ "$pid" = "$ended" ] || still+=("$pid")
  done
  running=("${still[@]}")
done

if [ "${#findings[@]}" -gt 0 ]; then
  verdict "FAIL (${findings[*]})"
  exit 1
fi
verdict "PASS (${#targets[@]} targets, $seconds s each)"
