#!/usr/bin/env bash
# Checks deploy/Dockerfile or deploy/Dockerfile.gpu without Docker: runs their very steps in chroots, layer by layer, then the
# server as the image would, and measures the image. Ends in "image-check: PASS …" or "image-check: FAIL …".
set -euo pipefail
deploy=$(cd "$(dirname "$0")" && pwd)

usage() {
  cat <<'TEXT'
Usage: deploy/image-check.sh [--gpu] [--jobs N] [--keep] [--chroot DIR] [--cuda DIR]

Reads deploy/Dockerfile, makes its base images with debootstrap, and runs its steps in chroots. In what comes out it looks for
compilers and missing libraries, starts the server as the image's user (without a network, all but the data folder read-only),
enrols and identifies drawn people, restarts it, and stops it. It prints the size of each layer, packed and unpacked.

  --gpu          deploy/Dockerfile.gpu instead, as far as it goes without a card: the server must say why it serves on the CPU
  --jobs N       the build argument JOBS: how many compilers run at a time, 2 GB of memory each (default: the number of cores)
  --chroot DIR   where to build: a folder on a disk (default: a new one below /var/tmp). Layers, packages and base images that
                 an earlier run left there are used again
  --keep         leave them there, for the next run or to look into; without it they are deleted
  --cuda DIR     --gpu: take the CUDA toolkit of this machine for the stage "cuda", which installs it from NVIDIA's repository.
                 Without it, /usr/local/cuda is taken where that repository cannot be reached. It says so

Needs root, debootstrap, and a network for apt: its sources, keys and proxies on this machine hold, and so do pip's settings
(PIP_FIND_LINKS may name a folder of wheels). Nothing of that gets into the image. Allow 5 GB of disk and half an hour on two
cores; with --gpu 20 GB.

Exit code: 0 PASS, 1 FAIL, 2 wrong usage, or root or a program is missing.

Examples:
  sudo deploy/image-check.sh
  sudo deploy/image-check.sh --keep --chroot /var/tmp/facegate-image     # the second time it takes a minute
TEXT
}
wrong() { printf 'image-check: %s\n' "$*" >&2; exit 2; }

file=Dockerfile keep=false chroot="" jobs=$(nproc) cuda=""
while [ "$#" -gt 0 ]; do
  case "$1" in
    --gpu) file=Dockerfile.gpu ;;
    --keep) keep=true ;;
    --jobs | --chroot | --cuda)
      [ -n "${2:-}" ] || wrong "$1 needs a value; see --help"
      case "$1" in --jobs) jobs=$2 ;; --chroot) chroot=$2 ;; --cuda) cuda=$2 ;; esac
      shift
      ;;
    -h | --help) usage; exit 0 ;;
    *) wrong "unknown option $1; see --help" ;;
  esac
  shift
done
[[ "$jobs" =~ ^[1-9][0-9]{0,3}$ ]] || wrong "--jobs takes a number from 1 to 9999"
[ -z "$cuda" ] || [ -x "$cuda/bin/nvcc" ] || wrong "--cuda $cuda has no bin/nvcc"
[ "$(id -u)" -eq 0 ] || wrong "this needs root, for chroots and mounts: sudo deploy/image-check.sh"
for program in debootstrap unshare /usr/bin/python3; do
  command -v "$program" > /dev/null || wrong "$program is missing: apt-get install debootstrap util-linux python3"
done

if [ -n "$chroot" ]; then
  mkdir -p "$chroot"
  chroot=$(realpath "$chroot")
  work="$chroot/facegate-image"
else
  chroot=$(mktemp -d /var/tmp/facegate-image.XXXXXX) work="$chroot/facegate-image"
fi
if ! $keep; then trap 'rm -rf --one-file-system "$work"; [[ "$chroot" != /var/tmp/facegate-image.* ]] || rmdir "$chroot"' EXIT; fi
mkdir -p "$work"
exec 9>> "$work/.lock"
flock -n 9 || { trap - EXIT; wrong "another run is at work in $work"; }

# Mounts and processes live in namespaces of this run: they end with it, however it ends.
unshare --mount --propagation private --pid --fork --kill-child --mount-proc -- \
  /usr/bin/python3 "$deploy/image/check.py" --file "$deploy/$file" --work "$work" --jobs "$jobs" ${cuda:+--cuda "$cuda"} 9>&- &
run=$!
trap 'kill -KILL "$run" 2> /dev/null || true; wait "$run" 2> /dev/null || true; echo "image-check: stopped" >&2; exit 130' INT TERM
code=0
wait "$run" || code=1
if $keep; then echo "layers and logs are kept in $work"; fi
exit "$code"
