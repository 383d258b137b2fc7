#!/usr/bin/env python3
"""Runs clang-tidy (version 14, .clang-tidy) on the product's source files and fails on any finding.

Not read, and said so: files that include LibTorch, whose headers clang 14 cannot parse as C++20. Tests are compiled with
all warnings as errors instead; name them to read them too.

A file that was clean is not read again until it, a project header that it includes, or the configuration changes: the
results lie in build/tidy/clean. Usage: check_tidy.py [-j JOBS] [FILE…]
"""

import argparse
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "tidy"
CLEAN = BUILD / "clean"
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
# clang 14 in C++20 mode fails inside the headers of LibTorch 1.13 themselves.
LIBTORCH = re.compile(rb"^\s*#\s*include\s*<(torch|ATen|c10)/", re.MULTILINE)
ROOMS = ("face", "index", "server", "trainer", "clients")


@functools.lru_cache(maxsize=None)
def bytes_of(path):
    return path.read_bytes() if path.is_file() else b""


@functools.lru_cache(maxsize=None)
def included(path):
    """The project's own headers and protos that `path` names directly."""
    found = []
    for name in INCLUDE.findall(bytes_of(path)):
        text = name.decode()
        proto = re.sub(r"(\.grpc)?\.pb\.h$", ".proto", text)
        for candidate in (ROOT / text, ROOT / "protos" / proto):
            if candidate.is_file():
                found.append(candidate)
    return found


def reached(path):
    """`path` and all of the project that it includes, directly or not."""
    seen, waiting = set(), [path]
    while waiting:
        file = waiting.pop()
        if file not in seen:
            seen.add(file)
            waiting.extend(included(file))
    return seen


def key_of(path):
    """Digest of everything of ours that can change what clang-tidy says of `path`."""
    digest = hashlib.sha256(bytes_of(ROOT / ".clang-tidy"))
    for file in sorted(reached(path)):
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + bytes_of(file) + b"\0")
    return digest.hexdigest()


def tidy(path):
    """(path, seconds, output); the output is empty when the file is clean."""
    started = time.monotonic()
    run = subprocess.run(["clang-tidy-14", "-quiet", "-p", str(BUILD), "--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wthread-safety", str(path)],
                         capture_output=True, text=True, check=False)
    if run.returncode == 0:
        (CLEAN / key_of(path)).touch()
        return path, time.monotonic() - started, ""
    return path, time.monotonic() - started, run.stdout + run.stderr


def sources(named):
    if not (BUILD / "compile_commands.json").is_file() or newest_cmake_file() > (BUILD / "compile_commands.json").stat().st_mtime:
        subprocess.run(["cmake", "--preset", "tidy"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    # Generated headers must exist for clang to read the files that include them.
    subprocess.run(["cmake", "--build", str(BUILD), "--target", "facegate_generated"], check=True, stdout=subprocess.DEVNULL)
    files = {pathlib.Path(entry["file"]) for entry in json.loads((BUILD / "compile_commands.json").read_text())}
    files = sorted(f for f in files if BUILD not in f.parents)
    if named:
        wanted = {pathlib.Path(name).resolve() for name in named}
        return [f for f in files if f in wanted]
    return [f for f in files if f.relative_to(ROOT).parts[0] in ROOMS]


def newest_cmake_file():
    names = [ROOT / "CMakeLists.txt", ROOT / "CMakePresets.json", *ROOT.glob("[a-z]*/**/CMakeLists.txt")]
    return max(f.stat().st_mtime for f in names if ROOT / "build" not in f.parents and f.is_file())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count())
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    files = sources(options.files)
    if not files:
        print("check_tidy: no files to check")
        return 1
    unreadable = [f for f in files if any(LIBTORCH.search(bytes_of(file)) for file in reached(f))]
    files = [f for f in files if f not in unreadable]
    CLEAN.mkdir(parents=True, exist_ok=True)
    stale = [f for f in files if not (CLEAN / key_of(f)).exists()]
    failed = 0
    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for done, (path, seconds, output) in enumerate(pool.map(tidy, stale), start=1):
            name = path.relative_to(ROOT)
            rate = done / (time.monotonic() - started)
            print(f"[{done}/{len(stale)}] {name} {seconds:.0f} s, {(len(stale) - done) / rate:.0f} s left{'' if not output else ': FINDINGS'}", flush=True)
            if output:
                failed += 1
                print(output, flush=True)
    print(f"check_tidy: {len(files)} files, {len(files) - len(stale)} unchanged since they were clean, "
          f"{failed} with findings; {len(unreadable)} not read because of LibTorch's headers")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
