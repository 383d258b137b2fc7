#!/usr/bin/env python3
"""Runs clang-tidy (version 14, .clang-tidy) on the product's source files and fails on any finding.

tests/tidy.lock has a line for each file that was clean: a hash of its code, of that of its own header and of the headers
without a source that it includes, of the options that it is compiled with, and of the configuration. Headers of other
sources are read with those; that they change seldom makes a finding elsewhere, and --all (deploy/soak.sh) reads every
file. What has not changed since, was only moved, or got other words in comments on lines of their own or another
namespace around it, is not read again, but for a sample of ten, which moves on with each commit. A file that the lock
does not cover is read, and the check fails even where it is clean: --update writes the lock. So a change travels with the
proof that it was read.

Files that reach LibTorch, whose headers clang 14 cannot parse as C++20, are compiled instead, without any precompiled
header, so that they are known at least to include what they use. Name a test to read it too.
"""

import argparse
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "tidy"
LOCK = ROOT / "tests" / "tidy.lock"
ARGUMENTS = ["--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wthread-safety"]
INCLUDE = re.compile(rb'^\s*(?:#\s*include|import)\s*"([^"]+)"', re.MULTILINE)  # of C++ and of protos
# A line that is a comment; not one that speaks to clang-tidy, or that it may object to.
COMMENT_LINE = re.compile(rb"^[ \t]*//(?![^\n]*(?:NOLINT|TODO))[^\n]*\n", re.MULTILINE)
NAMESPACE_LINE = re.compile(rb"^(?:namespace [\w:]* ?\{|\}  // namespace[^\n]*)\n", re.MULTILINE)
INCLUDE_LINE = re.compile(INCLUDE.pattern + rb"[^\n]*\n?", re.MULTILINE)
# Options that change what the compiler sees; paths differ between machines and are left out.
OPTION = re.compile(r"-(?:D|U|W|f|m|O|std=|pthread)\S*$")
# clang 14 in C++20 mode fails inside the headers of LibTorch 1.13 themselves.
LIBTORCH = re.compile(rb"^\s*#\s*include\s*<(torch|ATen|c10)/", re.MULTILINE)
ROOMS = ("face", "index", "server", "trainer", "clients")
SAMPLE = 10
SAVE_EVERY = 20
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


@functools.lru_cache(maxsize=None)
def essence_of(path):
    """Digest of `path` without comments, namespaces, and lines that name others of the project: where a file lies changes
    no finding."""
    text = bytes_of(path)
    for line in (INCLUDE_LINE, COMMENT_LINE, NAMESPACE_LINE):
        text = line.sub(b"", text)
    return hashlib.sha256(text).digest()


def read_with(path):
    """`path`, its own header, and the headers that no other source is read with."""
    own = path.with_suffix(".h")
    alone = [file for file in included(path) if file.suffix == ".h" and not file.with_suffix(".cc").is_file()]
    return {path, *alone, *([own] if own.is_file() else [])}


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def options_in(command):
    return [option.replace(str(ROOT), ".") for option in shlex.split(command) if OPTION.match(option)]


def key_of(path, command):
    """Digest of everything of ours that can change what clang-tidy says of `path`, which `command` compiles."""
    digest = hashlib.sha256(bytes_of(ROOT / ".clang-tidy") + "\0".join([*ARGUMENTS, *options_in(command)]).encode())
    for essence in sorted(essence_of(file) for file in read_with(path)):
        digest.update(essence)
    return digest.hexdigest()


def read_lock():
    """{name: key}"""
    if not LOCK.is_file():
        return {}
    lines = [line.split() for line in LOCK.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return {name: key for key, name in lines}


def write_lock(keys):
    lines = ["# Files that clang-tidy found clean, as they were then: tests/check_tidy.py --update\n"]
    lines += [f"{keys[name]}  {name}\n" for name in sorted(keys)]
    LOCK.write_text("".join(lines), encoding="utf-8")


def syntax_check_of(command):
    """`command` such that it writes nothing and does not optimise."""
    words = shlex.split(command)
    at = words.index("-o")
    return [word for word in words[:at] + words[at + 2:] if word != "-c"] + ["-O0", "-fsyntax-only"]


def tidy(path, command):
    """(path, seconds, output); the output is empty when the file, which `command` compiles, is clean."""
    started = time.monotonic()
    reading = ["clang-tidy-14", "-quiet", "-p", str(BUILD), *ARGUMENTS, str(path)]
    if reaches_libtorch(path):
        reading = syntax_check_of(command)
    run = subprocess.run(reading, cwd=BUILD, capture_output=True, text=True, check=False)
    return path, time.monotonic() - started, "" if run.returncode == 0 else run.stdout + run.stderr


def read_files(files, commands, jobs):
    """Reads them and yields those that are clean as they are done."""
    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        readings = [pool.submit(tidy, file, commands[file]) for file in files]
        for done, reading in enumerate(concurrent.futures.as_completed(readings), start=1):
            path, seconds, output = reading.result()
            left = (len(files) - done) * (time.monotonic() - started) / done
            verdict = ": FINDINGS" if output else ""
            print(f"[{done}/{len(files)}] {name_of(path)} {seconds:.0f} s, {left:.0f} s left{verdict}", flush=True)
            if output:
                print(output, flush=True)
            else:
                yield path


def compiled():
    """{file: command} of the project's own files, tests included."""
    database = BUILD / "compile_commands.json"
    if not database.is_file() or newest_cmake_file() > database.stat().st_mtime:
        subprocess.run(["cmake", "--preset", "tidy"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    # Generated headers must exist for clang to read the files that include them.
    subprocess.run(["cmake", "--build", str(BUILD), "--target", "facegate_generated"], check=True, stdout=subprocess.DEVNULL)
    commands = {pathlib.Path(entry["file"]): entry["command"] for entry in json.loads(database.read_text())}
    return {file: commands[file] for file in sorted(commands) if BUILD not in file.parents}


def reaches_libtorch(path):
    return any(LIBTORCH.search(bytes_of(file)) for file in reached(path))


def newest_cmake_file():
    names = [ROOT / "CMakeLists.txt", ROOT / "CMakePresets.json", *ROOT.glob("[a-z]*/**/CMakeLists.txt")]
    return max(f.stat().st_mtime for f in names if ROOT / "build" not in f.parents and f.is_file())


def sample_of(files):
    """Ten of `files`: others with each commit, the same for the same commit."""
    turn = int(time.time() // 86400)  # for a tree without its history
    try:
        shown = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False)
        turn = int(shown.stdout) if shown.returncode == 0 else turn
    except (OSError, ValueError):
        pass
    begin = turn * SAMPLE % max(1, len(files))
    return (files[begin:] + files[:begin])[:SAMPLE]


def check_named(names, jobs):
    commands, named = compiled(), [pathlib.Path(name).resolve() for name in names]
    unknown = [str(file) for file in named if file not in commands]
    if unknown:
        print(f"check_tidy: {', '.join(unknown)}: not compiled here")
    known = [file for file in named if file in commands]
    return 0 if not unknown and len(list(read_files(known, commands, jobs))) == len(known) else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-j", "--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--update", action="store_true", help="write the lock")
    parser.add_argument("--all", action="store_true", help="read every file")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    if options.files:
        return check_named(options.files, options.jobs)
    commands = {file: command for file, command in compiled().items() if file.relative_to(ROOT).parts[0] in ROOMS}
    files = list(commands)
    if not files:
        print("check_tidy: no files to check")
        return 1

    lock, keys = read_lock(), {name_of(file): key_of(file, commands[file]) for file in files}
    proven = set(lock.values())
    stale = [file for file in files if keys[name_of(file)] not in proven]
    covered = [file for file in files if file not in stale]
    again = covered if options.all else [] if options.update else sample_of(covered)
    clean = set()
    for file in read_files(stale + again, commands, options.jobs):
        clean.add(file)
        if options.update and len(clean) % SAVE_EVERY == 0:  # what was read is known, even where this is stopped
            write_lock({name_of(known): keys[name_of(known)] for known in files if known in clean or known in covered})
    findings = len(stale) + len(again) - len(clean)
    gone = sorted(name for name in set(lock) - set(keys) if lock[name] not in keys.values())
    if options.update:
        clean_now = clean | (set(covered) - set(again))
        write_lock({name_of(file): keys[name_of(file)] for file in files if file in clean_now})
        stale, gone = [file for file in stale if file not in clean], []
    print(f"check_tidy: {len(files)} files, {len(covered)} as in tests/tidy.lock, {len(again)} of these read again, "
          f"{findings} with findings; {sum(map(reaches_libtorch, files))} are compiled instead because of LibTorch's headers")
    if stale or gone:
        names = ", ".join([name_of(file) for file in stale] + [f"{name} (gone)" for name in gone])
        print(f"check_tidy: tests/tidy.lock does not cover {names}; "
              + ("fix the findings first" if findings else "run tests/check_tidy.py --update and commit it"))
    return 1 if findings or stale or gone else 0


if __name__ == "__main__":
    sys.exit(main())
