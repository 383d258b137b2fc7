#!/usr/bin/env bash
# Installs the Debian packages that facegate is built with and that this machine lacks, and nothing more.
# Run it again at any time: when nothing is missing it takes a moment and changes nothing.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: deploy/bootstrap.sh [--check]

Installs what a fresh Debian 12 machine lacks to build, run and test facegate.

  --check   install nothing; list what is missing and exit 1 if anything is

Needs root (or sudo) only when a package is missing.
TEXT
}

check_only=false
case "${1:-}" in
  "") ;;
  --check) check_only=true ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac

packages=(
  # tools
  cmake g++ ninja-build git ca-certificates curl clang-format-14 clang-tidy-14
  # libraries that the product is built from
  libgrpc++-dev protobuf-compiler protobuf-compiler-grpc libprotobuf-dev
  libtorch-dev libfaiss-dev libopencv-dev librocksdb-dev
  libspdlog-dev libfmt-dev libcli11-dev libyaml-cpp-dev nlohmann-json3-dev libjpeg-dev libpng-dev libwebp-dev libssl-dev zlib1g-dev
  libicu-dev
  # the fast BLAS: with the reference one LibTorch and FAISS are up to 48 times slower
  libopenblas0-pthread libopenblas-dev
  # the face and eye cascades: a detector that needs no download
  opencv-data
  # tests and benchmarks
  libgtest-dev libgmock-dev libbenchmark-dev python3 python3-grpcio python3-protobuf
  # fuzz targets: the compiler, libFuzzer and the sanitizers, OpenMP for clang
  clang libclang-rt-14-dev libomp-dev
)

say() { printf 'bootstrap: %s\n' "$*"; }

if [ "$(. /etc/os-release 2>/dev/null && printf '%s %s' "${ID:-}" "${VERSION_ID:-}")" != "debian 12" ]; then
  say "this is not Debian 12, which facegate is built and tested on. Install the counterparts of: ${packages[*]}"
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  as_root=(sudo)
fi
need_root() { # need_root WHAT-FOR
  if [ "${#as_root[@]}" -gt 0 ] && ! command -v sudo >/dev/null; then
    say "run this as root, or install sudo; needed for: $1"
    exit 1
  fi
}

if [ "${#missing[@]}" -gt 0 ]; then
  if $check_only; then
    say "missing: ${missing[*]}"
    exit 1
  fi
  need_root "installing ${missing[*]}"
  say "installing ${#missing[@]} packages: ${missing[*]}"
  "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300 update
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}"
else
  say "all ${#packages[@]} packages are installed"
fi

# More than one BLAS may be installed; the alternatives system says which one libblas.so.3 is.
multiarch=$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || gcc -print-multiarch)
for library in libblas.so.3 liblapack.so.3; do
  wanted="/usr/lib/$multiarch/openblas-pthread/$library"
  current=$(update-alternatives --query "$library-$multiarch" 2>/dev/null | sed -n 's/^Value: //p' || true)
  if [ -e "$wanted" ] && [ "$current" != "$wanted" ]; then
    if $check_only; then
      say "$library is $current, not OpenBLAS"
      exit 1
    fi
    need_root "making OpenBLAS the active $library"
    say "making OpenBLAS the active $library"
    "${as_root[@]}" update-alternatives --set "$library-$multiarch" "$wanted"
  fi
done
say "ready"
