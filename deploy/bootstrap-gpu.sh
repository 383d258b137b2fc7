#!/usr/bin/env bash
# Brings what a build for NVIDIA cards needs into a folder outside the source: LibTorch 2.11 for CUDA 13 from PyPI, and FAISS
# with GPU support, built from the distribution's source package. Run it again at any time: it goes on where it ended, and
# when nothing is missing it takes a moment and changes nothing. No root is needed. deploy/bootstrap.sh --gpu runs it.
set -euo pipefail
export LC_ALL=C.UTF-8
root=$(cd "$(dirname "$0")/.." && pwd)
requirements="$root/deploy/gpu-requirements.txt"

usage() {
  cat <<'TEXT'
Usage: deploy/bootstrap.sh --gpu [OPTIONS]

After the Debian packages it brings what a build for NVIDIA cards needs into one folder: LibTorch 2.11 for CUDA 13 from
PyPI (2.5 GB to fetch, 4.0 GB on disk), and FAISS with GPU support, built here (20 to 40 minutes on two cores, 56 MB).

  --prefix DIR       where to put them: a folder outside the source (default: FACEGATE_GPU_PREFIX, or else
                     ~/.local/share/facegate-gpu)
  --cuda-arch LIST   the kinds of cards that FAISS is built for, divided by commas: 75 Turing, 80 and 86 Ampere, 89 Ada,
                     90 Hopper, 100 and 120 Blackwell. Without it: what is already built, or else 90. Each further one takes
                     about as long as the first; newer cards than those named translate the code at the first start
  --jobs N           how many compilers of FAISS run at a time, 1 GB of memory each (default: the number of cores)
  --no-faiss         leave FAISS out
  --keep-downloads   keep the wheels in DIR/wheels; without it they are deleted once they are unpacked
  --check            install nothing; list what is missing and exit 1 if anything is
  -h, --help         show this text

It needs CUDA 13 with nvcc, which it does not install: cuda-toolkit-13-0 of NVIDIA's Debian repository. It needs no card.
An interrupted run goes on with the wheel, or the source file of FAISS, that it was at. pip's own settings (PIP_INDEX_URL,
PIP_CERT, pip.conf) and apt's hold.

Afterwards DIR holds  python/  what the wheels contain (torch/, nvidia/)
                      faiss/   include/, lib/libfaiss.a and its CMake package

Exit code: 0 everything is there, 1 something is missing or failed, 2 wrong usage.

Examples:
  deploy/bootstrap.sh --gpu
  deploy/bootstrap.sh --gpu --prefix /opt/facegate-gpu --cuda-arch 80,90
  deploy/bootstrap.sh --gpu --check
TEXT
}

say() { printf 'bootstrap: %s\n' "$*"; }
fail() { printf 'bootstrap: FAIL %s\n' "$*" >&2; exit 1; }
wrong() { printf 'bootstrap: %s; see deploy/bootstrap.sh --gpu --help\n' "$*" >&2; exit 2; }

# --preflight, which bootstrap.sh uses before it installs packages: refuse here what would be refused later.
prefix=${FACEGATE_GPU_PREFIX:-} asked_archs="" jobs=$(nproc) with_faiss=true keep_downloads=false mode=install
while [ "$#" -gt 0 ]; do
  case "$1" in
    --prefix | --cuda-arch | --jobs)
      [ -n "${2:-}" ] || wrong "$1 needs a value"
      case "$1" in --prefix) prefix=$2 ;; --cuda-arch) asked_archs=$2 ;; --jobs) jobs=$2 ;; esac
      shift
      ;;
    --no-faiss) with_faiss=false ;;
    --keep-downloads) keep_downloads=true ;;
    --check) mode=check ;;
    --preflight) mode=preflight ;;
    -h | --help) usage; exit 0 ;;
    *) wrong "unknown option $1" ;;
  esac
  shift
done
[[ "$jobs" =~ ^[1-9][0-9]{0,3}$ ]] || wrong "--jobs takes a number from 1 to 9999"
[[ "$asked_archs" =~ ^([0-9]{2,3}(,[0-9]{2,3})*)?$ ]] || wrong "--cuda-arch takes numbers such as 90 or 80,90"
[ -n "$prefix" ] || prefix="${HOME:?bootstrap: HOME is not set: name a folder with --prefix}/.local/share/facegate-gpu"
prefix=$(realpath -m -- "$prefix")
case "$prefix/" in "$root"/*) wrong "--prefix $prefix is inside the source folder" ;; esac
# CMake files and linker flags carry this name: LibTorch's do not quote it.
[[ "$prefix" =~ [^A-Za-z0-9/._+~@-] ]] && wrong "--prefix $prefix has a space or another special character in it"

started=$(date +%s)
tmp="$prefix/tmp" wheels="$prefix/wheels" python="$prefix/python" faiss="$prefix/faiss" build="$prefix/faiss-build"

# --- words for sizes and times

size_of() { awk -v b="$1" 'BEGIN { if (b >= 1e9) printf "%.1f GB", b / 1e9; else printf b < 1e7 ? "%.1f MB" : "%.0f MB", b / 1e6 }'; }
duration() { # duration SECONDS
  if [ "$1" -lt 100 ]; then printf '%s s' "$1"; else printf '%s min' $((($1 + 30) / 60)); fi
}
bytes_in() { du -sb -- "$@" 2> /dev/null | awk '{ n += $1 } END { printf "%.0f", n }'; }

# On a terminal the last line is rewritten; elsewhere a line now and then is enough.
pace=10
[ ! -t 1 ] || pace=1
show() { # show TEXT
  if [ -t 1 ]; then printf '\r\033[Kbootstrap: %s' "$1"; else say "$1"; fi
}
clear_line() { [ ! -t 1 ] || printf '\r\033[K'; }

watcher=""
start_watching() { # start_watching TEXT DONE TOTAL SINCE AT-START: DONE bytes are there already, the rest grows in $tmp
  (
    exec 9>&-
    while sleep "$pace" > /dev/null 2>&1; do
      now=$(($2 + $(bytes_in "$tmp"))) seconds=$(($(date +%s) - $4))
      if [ "$now" -le "$5" ] || [ "$seconds" -eq 0 ]; then continue; fi
      rate=$(((now - $5) / seconds + 1))
      left=$(($3 > now ? ($3 - now) / rate : 0))
      show "$1: $(size_of "$now") of $(size_of "$3"), $((rate / 1000000)) MB/s, about $(duration "$left") left"
    done
  ) &
  watcher=$!
}
stop_watching() {
  [ -n "$watcher" ] || return 0
  kill "$watcher" 2> /dev/null || true
  wait "$watcher" 2> /dev/null || true
  watcher=""
  clear_line
}
trap stop_watching EXIT
trap 'stop_watching; say "stopped; run this again to go on" >&2; exit 130' INT
trap 'stop_watching; say "stopped; run this again to go on" >&2; exit 143' TERM

# --- what is there

wheel_lines() { # NAME==VERSION SHA256 WHEEL-BYTES CONTENT-BYTES, a line each
  awk '$1 == "#" && $2 == "wheel" { wheel = $3; contents = $5 }
       /^[a-z0-9-]+==/ { sub(/--hash=sha256:/, "", $2); print $1, $2, wheel, contents }' "$requirements"
}
wheel_file() { # wheel_file NAME==VERSION: the file in $wheels, if there is one
  local stem=${1%%==*}
  compgen -G "$wheels/${stem//-/_}-${1##*==}-*.whl" | head -n 1 || true
}
libtorch_files=(torch/lib/libtorch.so torch/lib/libtorch_cpu.so torch/lib/libtorch_cuda.so torch/lib/libc10_cuda.so
  torch/share/cmake/Torch/TorchConfig.cmake torch/include/torch/csrc/api/include/torch/torch.h nvidia/cu13/lib/libcudart.so.13
  nvidia/cu13/lib/libcublas.so.13 nvidia/cudnn/lib/libcudnn.so.9 nvidia/nccl/lib/libnccl.so.2
  nvidia/cusparselt/lib/libcusparseLt.so.0 nvidia/nvshmem/lib/libnvshmem_host.so.3)
absent_in() { # absent_in FOLDER FILE…: the first file that the folder lacks
  local folder=$1 file
  shift
  for file in "$@"; do [ -s "$folder/$file" ] || { printf '%s' "$file"; return; }; done
}
stamp_name=facegate-stamp.txt # the last thing that is written to a folder
libtorch_ready() {
  [ "$(cat "$python/$stamp_name" 2> /dev/null)" = "$(wheel_lines | cut -d' ' -f1)" ] &&
    [ -z "$(absent_in "$python" "${libtorch_files[@]}")" ]
}

faiss_files=(lib/libfaiss.a include/faiss/IndexFlat.h include/faiss/gpu/GpuIndexFlat.h lib/cmake/faiss/faiss-config.cmake)
built_archs=$(sed -n 's/^cuda-arch //p' "$faiss/$stamp_name" 2> /dev/null || true)
archs=${asked_archs:-${built_archs:-90}}
faiss_ready() {
  [ -n "$built_archs" ] && [ -z "$(absent_in "$faiss" "${faiss_files[@]}")" ] || return 1
  local arch
  for arch in ${archs//,/ }; do [[ ",$built_archs," == *",$arch,"* ]] || return 1; done
}

# --- refuse before anything is done

problems=()
cuda_hint="Install the package cuda-toolkit-13-0 of NVIDIA's Debian repository (in it cuda-nvcc-13-0 brings nvcc itself)"
nvcc="" cuda_version=""
find_nvcc() { # sets nvcc and cuda_version, or adds to problems
  local candidate version other="" home known header arch
  for candidate in "$(command -v nvcc || true)" "${CUDA_HOME:+$CUDA_HOME/bin/nvcc}" /usr/local/cuda/bin/nvcc; do
    [ -x "$candidate" ] || continue
    version=$("$candidate" --version 2> /dev/null | sed -n 's/.*release \([0-9.]*\),.*/\1/p' || true)
    case "$version" in
      13.*) nvcc=$(realpath "$candidate") cuda_version=$version; break ;;
      *) other="${other:-$candidate is of CUDA ${version:-?}, and this LibTorch is for CUDA 13}" ;;
    esac
  done
  if [ -z "$nvcc" ]; then
    problems+=("${other:-nvcc is missing: it is not on PATH, not in CUDA_HOME/bin and not in /usr/local/cuda/bin}. $cuda_hint")
    return
  fi
  home=$(dirname "$(dirname "$nvcc")")
  for header in cuda_runtime.h cublas_v2.h; do
    [ -e "$home/include/$header" ] || problems+=("$home/include lacks $header: nvcc alone is not enough. $cuda_hint")
  done
  known=$("$nvcc" --list-gpu-arch | sed 's/compute_//' | sort -n | paste -sd ' ')
  for arch in ${archs//,/ }; do
    [[ " $known " == *" $arch "* ]] || problems+=("nvcc of CUDA $cuda_version does not know the architecture $arch; it knows $known")
  done
}
check_disk() { # adds to problems if what is still to come does not fit, at its widest and with something to spare
  local need=0 name wheel contents free folder=$prefix
  if ! libtorch_ready; then
    while read -r name _ wheel contents; do
      need=$((need + contents + contents / 50))
      [ -n "$(wheel_file "$name")" ] || need=$((need + wheel))
    done < <(wheel_lines)
  fi
  if $with_faiss && ! faiss_ready; then need=$((need + 600000000)); fi
  while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
  free=$(df --output=avail -B1 -- "$folder" | tail -n 1)
  [ "$free" -ge "$need" ] ||
    problems+=("$prefix needs $(size_of "$need") of free disk, and there are $(size_of "$free"); --prefix names another folder")
}

[ "$(uname -m)" = x86_64 ] || problems+=("this processor is $(uname -m), and these parts are for x86_64")
find_nvcc
check_disk
if [ "$mode" = check ]; then
  libtorch_ready || problems+=("LibTorch 2.11 is not in $python")
  if $with_faiss && ! faiss_ready; then
    problems+=("FAISS for architecture $archs is not in $faiss${built_archs:+ (it is built for $built_archs)}")
  fi
  for problem in "${problems[@]}"; do say "$problem"; done
  [ "${#problems[@]}" -eq 0 ] || exit 1
  say "the GPU parts are in $prefix"
  exit 0
fi
for problem in "${problems[@]}"; do printf 'bootstrap: FAIL %s\n' "$problem" >&2; done
[ "${#problems[@]}" -eq 0 ] || exit 1
[ "$mode" = install ] || exit 0

pip=(env PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 PIP_DISABLE_PIP_VERSION_CHECK=1 TMPDIR="$tmp" /usr/bin/python3 -m pip)
/usr/bin/python3 -m pip --version > /dev/null 2>&1 || fail "pip is missing: deploy/bootstrap.sh --gpu installs python3-pip"
command -v dpkg-source > /dev/null || fail "dpkg-source is missing: deploy/bootstrap.sh --gpu installs dpkg-dev"

mkdir -p "$prefix" 2> /dev/null || true
[ -w "$prefix" ] || fail "$prefix cannot be written to; --prefix names another folder"
exec 9>> "$prefix/.lock"
flock -n 9 || fail "another run is at work in $prefix"
rm -rf "$tmp"
mkdir "$tmp"

# --- LibTorch

again="Run this again: it goes on from here"
pip_failed() { # pip_failed WHAT: says what went wrong and how to go on
  local log
  log=$(cat "$tmp/pip.log")
  printf '%s\n' "$log" | awk 'NF' | tail -n 3 | sed 's/^/  pip: /' >&2
  case "$log" in
    *"No space left"*) fail "$1: the disk of $prefix is full. Make room. $again" ;;
    *"DO NOT MATCH THE HASHES"*)
      fail "$1: what came has another sha256 than deploy/gpu-requirements.txt says. It was not kept. $again" ;;
    *"onnection"* | *"resolution"* | *"timed out"* | *"No matching distribution"* | *"certificate"*)
      fail "$1: PyPI cannot be reached from here, or lacks it. $again, once there is a network" ;;
    *) fail "$1: pip failed as above. $again" ;;
  esac
}

fetch_wheels() {
  local name hash bytes count=0 number=0 total=0 have=0 at_start file begun since took
  while read -r name hash bytes _; do
    file=$(wheel_file "$name") total=$((total + bytes)) count=$((count + 1))
    [ -n "$file" ] || continue
    if [ "$(sha256sum "$file" | cut -d' ' -f1)" = "$hash" ]; then have=$((have + bytes)); else rm -f "$file"; fi
  done < <(wheel_lines)
  say "LibTorch 2.11: $count wheels, $(size_of "$total"), of which $(size_of "$have") are there"
  mkdir -p "$wheels"
  since=$(date +%s) at_start=$have
  while read -r name hash bytes _ <&8; do
    number=$((number + 1))
    [ -z "$(wheel_file "$name")" ] || continue
    begun=$(date +%s)
    mkdir -p "$tmp/wheel"
    start_watching "wheel $number of $count, $name" "$have" "$total" "$since" "$at_start"
    "${pip[@]}" download --quiet --no-cache-dir --progress-bar off --no-deps --only-binary :all: --require-hashes \
      --dest "$tmp/wheel" --requirement <(echo "$name --hash=sha256:$hash") > "$tmp/pip.log" 2>&1 ||
      { stop_watching; pip_failed "fetching $name"; }
    stop_watching
    mv "$tmp"/wheel/*.whl "$wheels/"
    have=$((have + bytes)) took=$(($(date +%s) - begun))
    say "wheel $number of $count, $name: $(size_of "$bytes") in $(duration "$took"); $(size_of "$have") of $(size_of "$total")"
  done 8< <(wheel_lines)
}

unpack_wheels() {
  local total since
  total=$(wheel_lines | awk '{ n += $4 } END { printf "%.0f", n }') since=$(date +%s)
  say "unpacking $(size_of "$total")"
  start_watching unpacking 0 "$total" "$since" 0
  "${pip[@]}" install --quiet --no-index --find-links "$wheels" --no-deps --no-compile --require-hashes --target "$tmp/python" \
    --requirement "$requirements" > "$tmp/pip.log" 2>&1 || { stop_watching; pip_failed "unpacking the wheels"; }
  stop_watching
  local absent
  absent=$(absent_in "$tmp/python" "${libtorch_files[@]}")
  [ -z "$absent" ] || fail "the wheels do not contain $absent"
  # Everything that the libraries load must be in the wheels; the driver's libcuda.so.1 is the card's.
  absent=$(ldd "$tmp/python/torch/lib/libtorch_cuda.so" | awk '/not found/ && $1 != "libcuda.so.1" && !found++ { print $1 }')
  [ -z "$absent" ] || fail "libtorch_cuda.so needs $absent, which neither the wheels nor this machine have"
  wheel_lines | cut -d' ' -f1 > "$tmp/python/$stamp_name"
  rm -rf "$python"
  mv "$tmp/python" "$python"
  say "unpacked in $(duration $(($(date +%s) - since)))"
}

if libtorch_ready; then
  say "LibTorch 2.11 is in $python"
else
  fetch_wheels
  unpack_wheels
fi
if [ -d "$wheels" ] && ! $keep_downloads; then
  say "deleting the wheels, $(size_of "$(bytes_in "$wheels")")"
  rm -rf "$wheels"
fi

# --- FAISS

fetch_faiss() { # its source package, checked by apt against the distribution's signature, unpacked into $build/source
  local apt="$tmp/apt" options list dsc
  mkdir -p "$apt/sources" "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/package"
  # The machine's own lines for Debian 12, as lines for its source packages, in a list that only these calls read.
  for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ ! -f "$list" ] || awk '$1 == "deb" && / bookworm[a-z-]* / && !/cdrom:/ { sub(/^[ \t]*deb/, "deb-src"); print }' "$list"
  done > "$apt/sources/debian.list"
  for list in /etc/apt/sources.list.d/*.sources; do
    [ ! -f "$list" ] || awk 'BEGIN { RS = ""; ORS = "\n\n" }
      /(^|\n)Suites:[^\n]*bookworm/ { sub(/(^|\n)Types:[^\n]*/, "\nTypes: deb-src"); sub(/^\n/, ""); print }' "$list"
  done > "$apt/sources/debian.sources"
  options=(-q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$apt/sources" -o Dir::State::lists="$apt/lists"
    -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none)
  # A list of another vendor may have no source packages; what counts is whether this one comes.
  apt-get "${options[@]}" update > "$tmp/apt.log" 2>&1 || true
  if ! (cd "$apt/package" && apt-get "${options[@]}" source --download-only faiss) >> "$tmp/apt.log" 2>&1; then
    if grep 'Failed to fetch' "$tmp/apt.log" | tail -n 1 | sed 's/^/  apt-get: /' >&2; then
      fail "the source package of FAISS: the Debian mirror cannot be reached from here. $again, once there is a network"
    fi
    tail -n 3 "$tmp/apt.log" | sed 's/^/  apt-get: /' >&2
    fail "apt finds no source package of FAISS: does /etc/apt/sources.list.d name a mirror of Debian 12 (bookworm main)?"
  fi
  dsc=$(compgen -G "$apt/package/faiss_*.dsc" | head -n 1)
  dpkg-source -x "$dsc" "$tmp/source" > "$tmp/dpkg-source.log" 2>&1 ||
    { tail -n 3 "$tmp/dpkg-source.log" >&2; fail "the source package of FAISS cannot be unpacked"; }
  # Thrust of CUDA 13 asks for C++17.
  sed -i 's/^set(CMAKE_CXX_STANDARD 11)$/set(CMAKE_CXX_STANDARD 17)\nset(CMAKE_CUDA_STANDARD 17)/' "$tmp/source/CMakeLists.txt"
  grep -qx 'set(CMAKE_CUDA_STANDARD 17)' "$tmp/source/CMakeLists.txt" ||
    fail "$(basename "$dsc") is not what this script knows: its CMakeLists.txt does not set C++11"
  basename "$dsc" .dsc | sed 's/^faiss_/FAISS /' > "$tmp/source/facegate-version.txt"
  mkdir -p "$build"
  mv "$tmp/source" "$build/source"
}

units_of() { if [[ "$1" == *"Building CUDA"* ]]; then echo 11; else echo 1; fi; } # how long a step of the build takes
build_faiss() {
  local line seconds what left version since units=0 done_units=0
  since=$(date +%s)
  if [ ! -e "$build/source/facegate-version.txt" ]; then
    rm -rf "$build"
    fetch_faiss
  fi
  version=$(cat "$build/source/facegate-version.txt")
  say "building $version for architecture $archs with CUDA $cuda_version, $jobs at a time; the log is $build/build.log"
  # What another compiler, or the same folder by another name, began cannot be gone on with.
  if [ "$(cat "$build/begun-with.txt" 2> /dev/null)" != "$nvcc $prefix" ]; then
    rm -rf "$build/build"
    echo "$nvcc $prefix" > "$build/begun-with.txt"
  fi
  # One library for all processors, as the distribution's: it has no AVX.
  cmake -S "$build/source" -B "$build/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF \
    -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DCMAKE_CUDA_COMPILER="$nvcc" -DCUDAToolkit_ROOT="$(dirname "$(dirname "$nvcc")")" \
    -DCMAKE_CUDA_ARCHITECTURES="${archs//,/;}" -DCMAKE_INSTALL_PREFIX="$faiss" -DCMAKE_INSTALL_LIBDIR=lib -DFAISS_OPT_LEVEL=generic \
    -DFAISS_ENABLE_GPU=ON -DFAISS_ENABLE_PYTHON=OFF -DBUILD_TESTING=OFF > "$build/build.log" 2>&1 ||
    { tail -n 15 "$build/build.log" >&2; fail "FAISS cannot be configured; the log is $build/build.log"; }
  while read -r line; do
    units=$((units + $(units_of "$line")))
  done < <(cmake --build "$build/build" --target faiss -- -n | grep '^\[')
  if ! NINJA_STATUS='@%f of %t@%e@ ' TMPDIR="$tmp" cmake --build "$build/build" --target faiss -j "$jobs" 2>&1 |
    tee -a "$build/build.log" | while read -r line; do
      [[ "$line" =~ ^@([0-9]+\ of\ [0-9]+)@([0-9]+)[0-9.]*@\ (.*)$ ]] || continue
      seconds=${BASH_REMATCH[2]} what=${BASH_REMATCH[3]##*[/ ]}
      line="FAISS, step ${BASH_REMATCH[1]}, $(duration "$seconds")"
      done_units=$((done_units + $(units_of "${BASH_REMATCH[3]}")))
      left=$((units > done_units ? seconds * (units - done_units) / done_units : 0))
      [ "$seconds" -lt 10 ] || line+=", about $(duration "$left") left" # the first steps say little
      show "$line: ${what%.o}"
    done; then
    clear_line
    grep -v '^@' "$build/build.log" | tail -n 15 >&2
    left=""
    ! grep -qE '[Kk]ill|out of memory' "$build/build.log" || left="; memory ran out: try --jobs 1"
    fail "FAISS cannot be built$left. The log is $build/build.log. $again"
  fi
  clear_line
  cmake --install "$build/build" --prefix "$tmp/faiss" >> "$build/build.log" 2>&1 ||
    fail "FAISS cannot be installed; the log is $build/build.log"
  line=$(absent_in "$tmp/faiss" "${faiss_files[@]}")
  [ -z "$line" ] || fail "the built FAISS does not contain $line"
  printf '%s\ncuda-arch %s\ncuda %s\n' "$version" "$archs" "$cuda_version" > "$tmp/faiss/$stamp_name"
  rm -rf "$faiss"
  mv "$tmp/faiss" "$faiss"
  rm -rf "$build"
  say "$version is built: $(size_of "$(bytes_in "$faiss")") in $(duration $(($(date +%s) - since)))"
}

{ # read as a whole: the build takes long, and this file may change meanwhile
  if ! $with_faiss; then
    say "FAISS with GPU support is left out (--no-faiss)"
  elif faiss_ready; then
    say "FAISS for architecture $built_archs is in $faiss"
  else
    build_faiss
  fi

  rm -rf "$tmp"
  hint=""
  [ "$prefix" = "${HOME:-}/.local/share/facegate-gpu" ] || hint="FACEGATE_GPU_PREFIX=$prefix "
  say "the GPU parts are ready in $prefix ($(size_of "$(bytes_in "$prefix")"), $(duration $(($(date +%s) - started))));" \
    "build with: ${hint}cmake --preset gpu && cmake --build --preset gpu"
  exit 0
}
