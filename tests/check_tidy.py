#!/usr/bin/env python3
"""Runs clang-tidy (version 14, .clang-tidy) on the product's source files and fails on any finding.

tests/tidy.lock has a line for each file that was clean: a hash of its content, of the project's headers and protos that
it reaches, and of the configuration. What has not changed since is not read again, but for a sample of ten, which
moves on with each commit. A file that the lock does not cover is read, and the check fails even where it is clean:
--update writes the lock. So a change travels with the proof that it was read.

Not read, and said so: files that reach LibTorch, whose headers clang 14 cannot parse as C++20. Tests are compiled with
all warnings as errors instead; name them to read them too.
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
LOCK = ROOT / "tests" / "tidy.lock"
ARGUMENTS = ["--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wthread-safety"]
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
# clang 14 in C++20 mode fails inside the headers of LibTorch 1.13 themselves.
LIBTORCH = re.compile(rb"^\s*#\s*include\s*<(torch|ATen|c10)/", re.MULTILINE)
ROOMS = ("face", "index", "server", "trainer", "clients")
SAMPLE = 10
EPILOG = """Exit code: 0 clean and covered by the lock, 1 findings or a lock that is out of date.

Examples:
  tests/check_tidy.py                       what the lock does not cover, and a sample of ten
  tests/check_tidy.py --update              the same without the sample; clean files enter the lock
  tests/check_tidy.py --all                 every file
  tests/check_tidy.py index/collection.cc   this file, whatever the lock says
"""


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


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def key_of(path):
    """Digest of everything of ours that can change what clang-tidy says of `path`."""
    digest = hashlib.sha256(bytes_of(ROOT / ".clang-tidy") + "\0".join(ARGUMENTS).encode())
    for file in sorted(reached(path)):
        digest.update(name_of(file).encode() + b"\0" + bytes_of(file) + b"\0")
    return digest.hexdigest()


def read_lock():
    """{name: key}"""
    if not LOCK.is_file():
        return {}
    lines = [line.split() for line in LOCK.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return {name: key for key, name in lines}


def write_lock(keys):
    lines = [f"{keys[name]}  {name}\n" for name in sorted(keys)]
    LOCK.write_text("# Files that clang-tidy found clean, as they were then: tests/check_tidy.py --update\n" + "".join(lines), encoding="utf-8")


def tidy(path):
    """(path, seconds, output); the output is empty when the file is clean."""
    started = time.monotonic()
    run = subprocess.run(["clang-tidy-14", "-quiet", "-p", str(BUILD), *ARGUMENTS, str(path)], capture_output=True, text=True, check=False)
    return path, time.monotonic() - started, "" if run.returncode == 0 else run.stdout + run.stderr


def read_files(files, jobs):
    """Reads them and yields those that are clean as they are done."""
    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        readings = [pool.submit(tidy, file) for file in files]
        for done, reading in enumerate(concurrent.futures.as_completed(readings), start=1):
            path, seconds, output = reading.result()
            left = (len(files) - done) * (time.monotonic() - started) / done
            print(f"[{done}/{len(files)}] {name_of(path)} {seconds:.0f} s, {left:.0f} s left{': FINDINGS' if output else ''}", flush=True)
            if output:
                print(output, flush=True)
            else:
                yield path


def sources():
    """The product's files that clang-tidy can read, and how many it cannot."""
    if not (BUILD / "compile_commands.json").is_file() or newest_cmake_file() > (BUILD / "compile_commands.json").stat().st_mtime:
        subprocess.run(["cmake", "--preset", "tidy"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    # Generated headers must exist for clang to read the files that include them.
    subprocess.run(["cmake", "--build", str(BUILD), "--target", "facegate_generated"], check=True, stdout=subprocess.DEVNULL)
    files = {pathlib.Path(entry["file"]) for entry in json.loads((BUILD / "compile_commands.json").read_text())}
    files = sorted(f for f in files if BUILD not in f.parents and f.relative_to(ROOT).parts[0] in ROOMS)
    readable = [f for f in files if not any(LIBTORCH.search(bytes_of(file)) for file in reached(f))]
    return readable, len(files) - len(readable)


def newest_cmake_file():
    names = [ROOT / "CMakeLists.txt", ROOT / "CMakePresets.json", *ROOT.glob("[a-z]*/**/CMakeLists.txt")]
    return max(f.stat().st_mtime for f in names if ROOT / "build" not in f.parents and f.is_file())


def sample_of(files):
    """Ten of `files`: the next ones with each commit, the same for the same commit."""
    counted = subprocess.run(["git", "rev-list", "--count", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    turn = int(counted.stdout) if counted.returncode == 0 else int(time.time() // 86400)
    begin = turn * SAMPLE % max(1, len(files))
    return (files[begin:] + files[:begin])[:SAMPLE]


def main():
    parser = argparse.ArgumentParser(description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--update", action="store_true", help="write the lock")
    parser.add_argument("--all", action="store_true", help="read every file")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    files, unreadable = sources()
    if not files:
        print("check_tidy: no files to check")
        return 1
    if options.files:
        # Tests are in the compilation database, too.
        named = [pathlib.Path(name).resolve() for name in options.files]
        return 0 if len(list(read_files(named, options.jobs))) == len(named) else 1

    lock, keys = read_lock(), {name_of(f): key_of(f) for f in files}
    stale = [f for f in files if lock.get(name_of(f)) != keys[name_of(f)]]
    covered = [f for f in files if f not in stale]
    again = covered if options.all else [] if options.update else sample_of(covered)
    clean = set(read_files(stale + again, options.jobs))
    findings = len(stale) + len(again) - len(clean)
    gone = sorted(set(lock) - set(keys))
    if options.update:
        write_lock({name_of(f): keys[name_of(f)] for f in files if f in clean or (f in covered and f not in again)})
        stale, gone = [f for f in stale if f not in clean], []
    print(f"check_tidy: {len(files)} files, {len(covered)} as in tests/tidy.lock, {len(again)} of these read again, "
          f"{findings} with findings; {unreadable} not read because of LibTorch's headers")
    if stale or gone:
        print(f"check_tidy: tests/tidy.lock does not cover {', '.join([name_of(f) for f in stale] + [f'{name} (gone)' for name in gone])}; "
              "run tests/check_tidy.py --update and commit it")
    return 1 if findings or stale or gone else 0


if __name__ == "__main__":
    sys.exit(main())
