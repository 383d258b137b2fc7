#!/usr/bin/env bash
# Lays out what a container image gets besides Debian's packages, and the list of those packages: a step of
# deploy/Dockerfile and deploy/Dockerfile.gpu, after the build.
set -euo pipefail
source_root=$(cd "$(dirname "$0")/.." && pwd)

usage() {
  cat <<'TEXT'
Usage: deploy/image-root.sh [--gpu-prefix DIR] BUILD OUT

  BUILD              a folder that the programs were built in, such as build/release
  OUT                a new folder, which gets
                       root/          programs, modules, model and configuration, as they lie below /
                       packages.txt   the Debian packages that they need, one a line
  --gpu-prefix DIR   the folder of deploy/bootstrap.sh --gpu that BUILD was made with: those of its libraries that a program
                     loads are laid at the same place below OUT/libtorch/, since they change more seldom than the programs
TEXT
}

say() { printf 'image-root: %s\n' "$*"; }
fail() { printf 'image-root: FAIL %s\n' "$*" >&2; exit 1; }

prefix=""
while [ "$#" -gt 0 ]; do
  case "$1" in
    -h | --help) usage; exit 0 ;;
    --gpu-prefix) [ -n "${2:-}" ] || { usage >&2; exit 2; }; prefix=$(realpath -- "$2"); shift 2 ;;
    -*) usage >&2; exit 2 ;;
    *) break ;;
  esac
done
[ "$#" -eq 2 ] || { usage >&2; exit 2; }
build=$1 out=$2
for file in bin/facegate-server lib/facegate/facegate-torch.so; do
  [ -e "$build/$file" ] || fail "$build has no $file: build it first"
done
[ ! -e "$out" ] || fail "$out exists"

root="$out/root" local="$out/root/usr/local"
install -D -s -t "$local/bin" "$build"/bin/facegate "$build"/bin/facegate-server "$build"/bin/facegate-train
install -D -s -t "$local/lib/facegate" "$build"/lib/facegate/facegate-{torch,torchscript,train}.so
# A build for GPUs that has FAISS searches on cards.
if [ -e "$build/lib/facegate/facegate-card-search.so" ]; then
  install -D -s -t "$local/lib/facegate" "$build"/lib/facegate/facegate-card-search.so
fi
install -D -m 0644 -t "$local/share/doc/facegate" "$source_root/LICENSE"
install -D -m 0644 "$source_root/deploy/models/README.md" "$local/share/doc/facegate/model.md"
install -D -m 0644 "$source_root/deploy/models/default.safetensors" "$root/etc/facegate/model.safetensors"
install -D -m 0644 -t "$root/etc/facegate" "$source_root/deploy/server.yaml"
elf=("$local"/bin/* "$local"/lib/facegate/*)

if [ -n "$prefix" ]; then
  # What only Python, profilers, several machines or NVRTC of other compilers load stays out. The rest is linked by
  # libtorch_cuda.so, or is opened by it, cuDNN and cuBLAS when they need it.
  unused='/(libtorch_python|libtorch_global_deps|libshm|libcaffe2_nvrtc_python|libnvblas|libcufftw|libcusolverMg|libcufile_rdma'
  unused+='|libnvperf_|libpcsamplingutil|libcheckpoint|libnvtx3interop|libnvrtc(-builtins)?\.alt|nvshmem_bootstrap|nvshmem_transport)[^/]*$'
  while read -r file; do
    install -D -m 0755 "$file" "$out/libtorch$file"
    elf+=("$out/libtorch$file")
  done < <(find "$prefix/python/torch/lib" "$prefix"/python/nvidia/*/lib -name '*.so*' \( -type f -o -type l \) | grep -vE "$unused")
fi

# The packages of the libraries that these files themselves name; apt knows what those need in turn.
needed=$(for file in "${elf[@]}"; do objdump -p "$file" | awk '$1 == "NEEDED" { print $2 }'; done | sort -u)
packages=(opencv-data) # the cascades, which are no library
while read -r name path; do
  grep -qxF "$name" <<< "$needed" || continue
  if [ "$path" = not ]; then
    [ "$name" = libcuda.so.1 ] || fail "$name, which a program needs, was not found"
    continue # the driver's, which comes with the card
  fi
  path=$(realpath "$path")
  case "$path" in "$(realpath "$out")"/* | "${prefix:-/nowhere}"/*) continue ;; esac
  # A package may know it by its place before /lib and /usr/lib became one.
  package=$(dpkg-query -S "$path" 2> /dev/null || dpkg-query -S "${path#/usr}" 2> /dev/null) || fail "no package has $path"
  packages+=("${package%%:*}")
done < <(ldd "${elf[@]}" 2> /dev/null | awk '$2 == "=>" { print $1, $3 }' | sort -u)
printf '%s\n' "${packages[@]}" | sort -u > "$out/packages.txt"
[ -s "$out/packages.txt" ] && [ "$(wc -l < "$out/packages.txt")" -gt 10 ] || fail "the libraries of the programs were not found"
say "$(du -sh --apparent-size "$out" | cut -f1) in $out; $(wc -l < "$out/packages.txt") packages in $out/packages.txt"
