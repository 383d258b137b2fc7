#!/usr/bin/env python3
"""Packs a build of the preset gpu; deploy/gpu-package.sh calls it.

A library that a program needs comes from one of three places: the C library's own packages, LibTorch's wheels, or the
package. The last are found from what each program and module names, and from what those libraries name in turn. All of it
is stripped, and checked: nothing is missing, and nothing asks for a newer C library than Debian 12's.
"""

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ["facegate-server", "facegate-train", "gpu_embed_bench", "gpu_serve_bench", "train_bench"]
MODULES = ["facegate-torch.so", "facegate-torchscript.so", "facegate-train.so"]
# Of a build that has FAISS for GPUs. The distribution's FAISS, in the same process, has the same names.
SEARCHES = ["bin/gpu_search_bench",
            *(f"lib/facegate/{name}.so" for name in ("facegate-card-search", "gpu-plain-search", "gpu-stand-in-card"))]
C_LIBRARY = {"ld-linux-x86-64.so.2", "libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0", "libresolv.so.2", "librt.so.1",
             "libutil.so.1"}
GLIBC = (2, 36)
# Taken along for a LibTorch that does not bring it under this name, and looked for after all others: two in one process
# would each start their own threads.
LAST = "libgomp.so.1"
LIMIT_BYTES = 60 << 20
PIECE_BYTES = 16 << 20
NAME = "facegate-gpu"


def fail(message):
    sys.exit(f"gpu-package: FAIL {message}")


def output_of(*command):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout


def cache_value(build, name):
    """A value of the build's CMake cache."""
    found = re.search(rf"^{name}:\w+=(.*)$", (build / "CMakeCache.txt").read_text(), re.MULTILINE)
    return found.group(1) if found else fail(f"{build}/CMakeCache.txt has no {name}")


def needed_by(file):
    return re.findall(r"\(NEEDED\).*\[(.*)\]", output_of("readelf", "-d", file))


def newest_glibc(file):
    """The newest version of the C library that a file asks for, as numbers."""
    versions = re.findall(r"Name: GLIBC_([0-9.]+) ", output_of("readelf", "-V", file))
    return max((tuple(map(int, version.split("."))) for version in versions), default=(0,))


def system_libraries():
    """Paths by name, as the dynamic linker finds them."""
    paths = {}
    for line in output_of("/sbin/ldconfig", "-p").splitlines():
        found = re.match(r"\s+(\S+) \(libc6,x86-64[^)]*\) => (\S+)", line)
        if found:
            paths.setdefault(found.group(1), Path(found.group(2)))
    return paths


def closure(files, of_wheels):
    """The libraries that the package must bring: {name: (path, the first file that needs it)}."""
    paths, found = system_libraries(), {}
    waiting = [(name, file.name) for file in files for name in needed_by(file)]
    while waiting:
        name, needer = waiting.pop(0)
        if name in C_LIBRARY or name in of_wheels or name in found:
            continue
        if name not in paths:
            fail(f"{needer} needs {name}, which is neither in LibTorch's wheels nor on this machine")
        found[name] = (paths[name].resolve(), needer)
        waiting += [(further, name) for further in needed_by(paths[name])]
    return found


def copy(source, target, strip=True):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755)
    if strip:
        output_of("strip", "--strip-unneeded", target)


def fill(folder, build, site):
    """Copies everything into the folder; returns the libraries of closure()."""
    tests = sorted(path.name for path in (build / "tests").glob("gpu_*_test"))
    binaries = [*(f"bin/{name}" for name in PROGRAMS), *(f"tests/{name}" for name in tests),
                *(f"lib/facegate/{name}" for name in MODULES)]
    if "gpu_search_test" in tests:
        binaries += SEARCHES
    for name in binaries:
        if not (build / name).is_file():
            fail(f"{build / name} is not built")
        copy(build / name, folder / name)
    if not tests:
        fail(f"{build}/tests holds no gpu_*_test")
    of_wheels = {path.name for pattern in ("torch/lib/*.so*", "nvidia/*/lib/*.so*") for path in site.glob(pattern)}
    libraries = closure([build / name for name in binaries], of_wheels)
    for name, (path, _) in libraries.items():
        copy(path, folder / "lib" / name)
    copy(system_libraries()[LAST], folder / "lib/last" / LAST)
    (folder / "models").mkdir()
    shutil.copy(ROOT / "deploy/models/default.safetensors", folder / "models")
    for path in sorted((ROOT / "tests/gpu").glob("*.py")) + [ROOT / "tests/gpu/starts.sh"]:
        copy(path, folder / "check" / path.name, strip=False)
    copy(ROOT / "tests/gpu/run.sh", folder / "run", strip=False)
    return libraries


def mixed_names(listing):
    """Names of a module, as nm -D lists them, that others would take from it, or that it would take from another FAISS."""
    symbols = re.findall(r"^(?:[0-9a-f]+)? *([A-Za-z]) (\S+)$", listing, re.MULTILINE)
    shown = "ABCDGRSTVWiu"  # the others are local, or not of the module
    return [name for kind, name in symbols if (kind in shown and name != "facegate_module") or (kind == "U" and "faiss" in name)]


def check_modules(folder):
    """Fails unless each module shows its head alone, and none takes FAISS from the program."""
    for file in folder.glob("lib/facegate/*.so"):
        if names := mixed_names(output_of("nm", "-D", file)):
            fail(f"{file.name} shares {names[0]} with the program that opens it")


def check_libraries(folder, site):
    """Fails unless the dynamic linker finds each library in the package, the wheels or the C library."""
    allowed = (str(folder), str(site))
    for file in [*folder.glob("bin/*"), *folder.glob("tests/*"), *folder.glob("lib/**/*.so*")]:
        if newest_glibc(file) > GLIBC:
            fail(f"{file.name} asks for glibc {newest_glibc(file)}, newer than {GLIBC}")
        found = subprocess.run([folder / "run", "ldd", file], capture_output=True, text=True, check=True,
                               env={"PATH": "/usr/bin:/bin", "FACEGATE_TORCH_SITE": str(site)}).stdout
        for line in found.splitlines():
            name, _, path = line.strip().partition(" => ")
            if "not found" in path:
                fail(f"{file.name}: {name} is not found")
            if path and not path.startswith(allowed) and name not in C_LIBRARY:
                fail(f"{file.name} would take {name} from this machine: {path}")


def commit():
    """The commit that was packed, with a mark where sources differ from it."""
    changed = output_of("git", "-C", ROOT, "status", "--porcelain", "--untracked-files=no")
    return output_of("git", "-C", ROOT, "rev-parse", "HEAD").strip() + ("-changed" if changed else "")


def write_manifest(folder, libraries):
    files = [{"path": str(path.relative_to(folder)), "bytes": path.stat().st_size,
              "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
             for path in sorted(folder.rglob("*")) if path.is_file()]
    origins = {name: {"from": path.name, "needed_by": needer} for name, (path, needer) in sorted(libraries.items())}
    manifest = {"commit": commit(), "glibc": ".".join(map(str, GLIBC)), "libraries": origins, "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))
    return manifest


def pack(folder, out):
    """Writes the pieces; returns their names and sizes."""
    def anonymous(entry):
        entry.uid = entry.gid = entry.mtime = 0
        entry.uname = entry.gname = "root"
        return entry

    whole = out / f"{NAME}.tar.xz"
    with tarfile.open(whole, "w:xz") as archive:
        archive.add(folder, arcname=NAME, filter=anonymous)
    pieces = []
    with whole.open("rb") as stream:
        for number, piece in enumerate(iter(lambda: stream.read(PIECE_BYTES), b"")):
            path = out / f"{whole.name}.{number:02}"
            path.write_bytes(piece)
            pieces.append((path.name, len(piece), hashlib.sha256(piece).hexdigest()))
    whole.unlink()
    (out / "SHA256SUMS").write_text("".join(f"{digest}  {name}\n" for name, _, digest in pieces))
    return pieces


def print_sizes(manifest):
    for entry in sorted(manifest["files"], key=lambda entry: -entry["bytes"]):
        if entry["bytes"] >= 1 << 20:
            print(f"gpu-package: {entry['bytes'] / (1 << 20):7.1f} MiB  {entry['path']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    site = Path(cache_value(arguments.build, "FACEGATE_GPU_PREFIX")) / "python"
    arguments.out = arguments.out.resolve()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for left in [*arguments.out.glob(f"{NAME}.tar.xz*"), arguments.out / "SHA256SUMS", arguments.out / "manifest.json"]:
        left.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="gpu-package-", dir=arguments.out) as name:
        folder = Path(name) / NAME
        folder.mkdir()
        libraries = fill(folder, arguments.build, site)
        check_libraries(folder, site)
        check_modules(folder)
        manifest = write_manifest(folder, libraries)
        pieces = pack(folder, arguments.out)
        shutil.copy(folder / "manifest.json", arguments.out)
    shutil.copy(ROOT / "deploy/gpu-check.sh", arguments.out)
    print_sizes(manifest)
    total = sum(size for _, size, _ in pieces)
    print(f"gpu-package: {len(manifest['files'])} files, {len(libraries)} libraries, "
          f"{sum(entry['bytes'] for entry in manifest['files']) / (1 << 20):.1f} MiB; packed {total / (1 << 20):.1f} MiB in "
          f"{len(pieces)} pieces in {arguments.out}")
    if total > LIMIT_BYTES:
        fail(f"the package has {total} bytes, more than {LIMIT_BYTES}")


if __name__ == "__main__":
    main()
