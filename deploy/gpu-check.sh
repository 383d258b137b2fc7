#!/usr/bin/env bash
# Checks and measures facegate on a machine with a card, from the package of deploy/gpu-package.sh, in under 8 minutes and
# without a network. --here runs everything of it that needs no card.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: gpu-check.sh [--package DIR] [--out DIR] [OPTIONS…]
       gpu-check.sh --here [--package DIR] [--out DIR] [--chroot DIR]

Unpacks the package, runs the equality tests, measures embedding, serving and learning, each beside PyTorch in the same run,
and searches among up to 10 million rows beside FAISS, and writes gpu-results.json and gpu-results.md. Each part has a time
limit; one that fails is told and the others go on.

  --package DIR      folder with facegate-gpu.tar.xz.00 and so on (default: this script's, or build/gpu-package)
  --out DIR          where the results go (default: $OUT, or build/gpu-results)
  --here             without a card: start each program in a bare Debian 12, run the tests on the CPU, measure as little as
                     possible, and write the report of that
  --chroot DIR       where that bare system is kept, 0.3 GB (default: build/gpu-chroot); it is fetched once
  --device cuda:N    another card (default: cuda:0)
  --limit SECONDS    of everything but the unpacking (default: 465)
  --parts NAME…      these parts alone: machine starts peers equality embedding serving training search
  --compile-mode M   of torch.compile: default or max-autotune-no-cudagraphs (default: default)

PYTHON names the interpreter that has torch 2.11 (default: python3). Exit code: 0 all equality tests passed (with --here: and
nothing else failed), 1 not, 2 wrong usage.
TEXT
}

say() { printf 'gpu-check: %s\n' "$*"; }
fail() { printf 'gpu-check: FAIL %s\n' "$*" >&2; exit 1; }
wrong() { printf 'gpu-check: %s; see gpu-check.sh --help\n' "$*" >&2; exit 2; }

called="$0 $*"
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$scripts
[ -d "$scripts/../tests/gpu" ] && root=$(cd "$scripts/.." && pwd)
package="" out=${OUT:-$root/build/gpu-results} chroot=$root/build/gpu-chroot here=false options=()
while [ "$#" -gt 0 ]; do
  case "$1" in
    --package | --out | --chroot | --device | --limit | --compile-mode)
      [ -n "${2:-}" ] || wrong "$1 needs a value"
      case "$1" in
        --package) package=$2 ;;
        --out) out=$2 ;;
        --chroot) chroot=$2 ;;
        *) options+=("$1" "$2") ;;
      esac
      shift
      ;;
    --parts) options+=("$@"); break ;;
    --here) here=true ;;
    -h | --help) usage; exit 0 ;;
    *) wrong "unknown option $1" ;;
  esac
  shift
done

find_package() {
  local folder
  for folder in "$package" "$scripts" "$root/build/gpu-package"; do
    if [ -n "$folder" ] && [ -f "$folder/SHA256SUMS" ]; then
      package=$(cd "$folder" && pwd)
      return
    fi
  done
  fail "there is no package: deploy/gpu-package.sh makes it, --package says where it is"
}

unpack() {
  (cd "$package" && sha256sum --quiet -c SHA256SUMS) || fail "the package is damaged: carry it again"
  rm -rf "$unpacked"
  mkdir -p "$unpacked"
  "$python" - "$unpacked" "$package"/facegate-gpu.tar.xz.* <<'PYTHON' || fail "the package cannot be unpacked"
import io, sys, tarfile
whole = io.BytesIO(b"".join(open(piece, "rb").read() for piece in sys.argv[2:]))
safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
tarfile.open(fileobj=whole, mode="r:xz").extractall(sys.argv[1], **safe)
PYTHON
  unpacked=$unpacked/facegate-gpu
}

# Starts each program where there is nothing but Debian's smallest system, LibTorch's wheels and the package.
start_in_chroot() {
  if [ "$(id -u)" -ne 0 ]; then
    say "SKIPPED: starting the programs in a bare system needs root"
    return
  fi
  if [ ! -e "$chroot/.complete" ]; then
    if ! command -v debootstrap >/dev/null; then
      say "SKIPPED: starting the programs in a bare system needs debootstrap (apt-get install debootstrap)"
      return
    fi
    say "fetching Debian 12's smallest system into $chroot"
    rm -rf "$chroot"
    mkdir -p "$chroot"
    debootstrap --variant=minbase bookworm "$chroot" >"$chroot.log" 2>&1 || fail "debootstrap failed; see $chroot.log"
    touch "$chroot/.complete"
  fi
  mkdir -p "$chroot/package" "$chroot/wheels"
  # The mounts are in a namespace of their own and end with it.
  # shellcheck disable=SC2016  # the words are those of the other shell
  unshare --mount bash -euc '
    mount --bind "$2" "$1/package"
    mount --bind -o ro "$3" "$1/wheels"
    mount -t proc proc "$1/proc"
    mount --bind /dev "$1/dev"
    exec chroot "$1" /usr/bin/env -i PATH=/usr/bin:/bin FACEGATE_TORCH_SITE=/wheels /package/check/starts.sh' \
    _ "$chroot" "$unpacked" "$FACEGATE_TORCH_SITE" || fail "a program does not start in a bare system"
  say "all programs start in a bare system"
}

python=${PYTHON:-python3}
command -v "$python" >/dev/null || fail "there is no $python; PYTHON names the interpreter that has torch 2.11"
find_package
unpacked=$root/build/gpu-unpacked
unpack
if $here; then
  [ "${#options[@]}" -eq 0 ] || wrong "--here does not take ${options[0]}"
  export FACEGATE_TORCH_SITE=${FACEGATE_TORCH_SITE:-${FACEGATE_GPU_PREFIX:-$HOME/.local/share/facegate-gpu}/python}
  [ -d "$FACEGATE_TORCH_SITE/torch/lib" ] || fail "there is no LibTorch in $FACEGATE_TORCH_SITE: deploy/bootstrap.sh --gpu"
  start_in_chroot
  export PYTHONPATH=$FACEGATE_TORCH_SITE${PYTHONPATH:+:$PYTHONPATH} CUDA_VISIBLE_DEVICES=
  why=$("$python" -c 'import torch' 2>&1) ||
    say "SKIPPED: PyTorch beside ours, because $python cannot import torch: ${why##*$'\n'}"
  options=(--device cpu --quick --limit 1200)
else
  glibc=$(getconf GNU_LIBC_VERSION)
  [ "$(printf '2.36\n%s\n' "${glibc#glibc }" | sort -V | head -n 1)" = 2.36 ] ||
    fail "this machine has $glibc, and the programs need 2.36 or newer"
fi
say "the results go to $out"
PYTHON=$python exec "$python" "$unpacked/check/check.py" --package "$unpacked" --out "$out" --command "$called" "${options[@]}"
