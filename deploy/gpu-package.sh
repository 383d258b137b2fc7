#!/usr/bin/env bash
# Makes a package of what a machine with a card needs to check and measure facegate there: programs, modules, tests, and the
# libraries that neither its C library nor its LibTorch has. deploy/gpu-check.sh runs it there.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  cat <<'TEXT'
Usage: deploy/gpu-package.sh [--build DIR] [--out DIR] [--no-build]

Builds the preset gpu, which deploy/bootstrap.sh --gpu prepares, and packs it for a machine that has a card, Python 3 with
torch 2.11 for CUDA 13, a C library of glibc 2.36 or newer, and nothing else of what facegate is built from. The package
is below 60 MiB, in pieces of at most 16 MiB.

  --build DIR   the build folder (default: build/gpu)
  --out DIR     where the package goes (default: build/gpu-package); what a former run left there is replaced
  --no-build    pack what the build folder holds

Needs no card and no root. Exit code: 0 packed, 1 something is missing or failed, 2 wrong usage.

Then, on that machine, with DIR and this checkout or DIR alone:
  deploy/gpu-check.sh          or  DIR/gpu-check.sh
TEXT
}

say() { printf 'gpu-package: %s\n' "$*"; }
fail() { printf 'gpu-package: FAIL %s\n' "$*" >&2; exit 1; }
wrong() { printf 'gpu-package: %s; see deploy/gpu-package.sh --help\n' "$*" >&2; exit 2; }

build=build/gpu out=build/gpu-package with_build=true
while [ "$#" -gt 0 ]; do
  case "$1" in
    --build | --out)
      [ -n "${2:-}" ] || wrong "$1 needs a folder"
      case "$1" in --build) build=$2 ;; --out) out=$2 ;; esac
      shift
      ;;
    --no-build) with_build=false ;;
    -h | --help) usage; exit 0 ;;
    *) wrong "unknown option $1" ;;
  esac
  shift
done

started=$(date +%s)
if $with_build; then
  [ -f "$build/build.ninja" ] || cmake --preset gpu -B "$build" || fail "the preset gpu does not configure"
fi
[ -f "$build/CMakeCache.txt" ] || fail "$build holds no build: leave out --no-build, or name another folder with --build"
grep -q '^FACEGATE_GPU:BOOL=ON' "$build/CMakeCache.txt" || fail "$build is not a build for GPUs: it needs the preset gpu"
if $with_build; then
  tests=$(sed -n 's/^facegate_test(\([a-z_]*\).*/\1/p' tests/gpu/CMakeLists.txt)
  searches="gpu_search_test gpu_search_bench"
  prefix=$(sed -n 's/^FACEGATE_GPU_PREFIX:[A-Z]*=//p' "$build/CMakeCache.txt")
  if [ ! -e "$prefix/faiss/lib/libfaiss.a" ]; then
    say "without searches on cards: there is no FAISS in $prefix/faiss, which deploy/bootstrap.sh --gpu brings"
    searches=""
  fi
  # shellcheck disable=SC2086  # the names are words
  cmake --build "$build" -j "$(nproc)" \
    --target facegate-server facegate-train gpu_embed_bench gpu_serve_bench train_bench $tests $searches
fi
/usr/bin/python3 deploy/gpu_package.py --build "$build" --out "$out" || fail "the package could not be made"
say "done in $(($(date +%s) - started)) s; next: deploy/gpu-check.sh --here, or carry $out to a machine with a card"
