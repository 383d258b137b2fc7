#!/usr/bin/env bash
# Installs the Debian packages that facegate is built with and that this machine lacks, and nothing more.
# Run it again at any time: when nothing is missing it takes a moment and changes nothing.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: deploy/bootstrap.sh [--check] [--build-only] [--gpu [GPU OPTIONS…]]

Installs what a fresh Debian 12 machine lacks to build, run and test facegate.

  --check        install nothing; list what is missing and exit 1 if anything is
  --build-only   leave out what only tests, benchmarks, fuzz targets and deploy/lint.sh need: enough for the programs
                 (cmake --preset release -DFACEGATE_TESTS=OFF)
  --gpu          bring also what a build for NVIDIA cards needs (LibTorch for CUDA 13, FAISS with GPU support) into a folder
                 of its own: 2.5 GB to fetch, 20 to 40 minutes on two cores. deploy/bootstrap.sh --gpu --help shows its options

Needs root (or sudo) only when a package is missing.
TEXT
}

check_only=false build_only=false gpu=false gpu_options=()
while [ "$#" -gt 0 ]; do
  case "$1" in
    --check) check_only=true ;;
    --build-only) build_only=true ;;
    --gpu) gpu=true gpu_options=("${@:2}"); break ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
for option in "${gpu_options[@]}"; do
  case "$option" in
    --check) check_only=true ;;
    -h | --help) exec "$(dirname "$0")/bootstrap-gpu.sh" --help ;;
  esac
done

packages=(
  # tools
  cmake g++ ninja-build git ca-certificates curl
  # libraries that the product is built from
  libgrpc++-dev protobuf-compiler protobuf-compiler-grpc libprotobuf-dev
  libtorch-dev libgloo-dev libfaiss-dev libopencv-dev librocksdb-dev libhdf5-dev libblosc-dev
  libspdlog-dev libfmt-dev libcli11-dev libyaml-cpp-dev nlohmann-json3-dev libjpeg-dev libpng-dev libwebp-dev libssl-dev zlib1g-dev
  libicu-dev
  # the fast BLAS: with the reference one LibTorch and FAISS are up to 48 times slower
  libopenblas0-pthread libopenblas-dev
  # the face and eye cascades: a detector that needs no download
  opencv-data
)
check_packages=(
  # tests and benchmarks
  libgtest-dev libgmock-dev libbenchmark-dev python3 python3-grpcio python3-protobuf python3-blosc
  # the check of the sources
  clang-format-14 clang-tidy-14
  # fuzz targets: the compiler, libFuzzer and the sanitizers, OpenMP for clang
  clang libclang-rt-14-dev libomp-dev
)
$build_only || packages+=("${check_packages[@]}")

if $gpu; then packages+=(python3-pip dpkg-dev); fi # for the wheels, and for the source package of FAISS

say() { printf 'bootstrap: %s\n' "$*"; }

if [ "$(. /etc/os-release 2>/dev/null && printf '%s %s' "${ID:-}" "${VERSION_ID:-}")" != "debian 12" ]; then
  say "this is not Debian 12, which facegate is built and tested on. Install the counterparts of: ${packages[*]}"
  exit 1
fi

bring_gpu_parts() { "$(dirname "$0")/bootstrap-gpu.sh" "${gpu_options[@]}" "$@"; }
# What it would refuse later, it refuses before anything is installed.
if $gpu && ! $check_only; then bring_gpu_parts --preflight || exit "$?"; fi

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
    if $gpu; then bring_gpu_parts --check || [ "$?" -ne 2 ] || exit 2; fi
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
if ! $gpu; then
  say "ready"
elif $check_only; then
  bring_gpu_parts --check
else
  bring_gpu_parts
fi
