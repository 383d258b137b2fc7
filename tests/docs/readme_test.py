#!/usr/bin/env python3
"""Runs README.md, or another page: all its shell blocks, in order, in one shell, with the programs of a build.

Usage: readme_test.py --build DIR [--page docs/training.md]

The shell begins in a folder of links to the source, so that nothing is written into it, with a home of its own. Each fenced
block is one of these:
  sh       it is run; a command that fails ends the test
  text     what the block above prints: each of its lines is found in that output, and … stands for anything
  a file   its first line is a comment with a file name: it is written where the shell is then. C++ is built by CMake instead
  marked   <!-- docs: not run, REASON --> on the line above
The port of the pages is used where it is free, else another. What was started in the background is stopped at the end.

Exit code: 0 passed, 1 failed, 77 passed without the blocks that need Debian's python3-grpcio and python3-protobuf.
"""

import argparse
import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile

from readme_blocks import ROOT, blocks_of

PYTHON = "/usr/bin/python3"
PORT = 50051
SECONDS = 800  # for all blocks together, which take half a minute on two quiet cores, and many times that under sanitizers
SKIPPED = 77  # what ctest counts as skipped
BEGIN = "@@ line {} @@"


class ReadmeError(Exception):
    """The page says what is not so."""


def has_grpc():
    probe = subprocess.run([PYTHON, "-c", "import grpc, google.protobuf"], capture_output=True, check=False)
    return probe.returncode == 0


def is_run(block):
    return block.language == "sh" and block.not_run is None


def is_file(block):
    return block.language not in ("sh", "text") and block.file_name is not None


def steps_of(blocks, name="README.md"):
    """[(block, lines that it prints)] of what is run or written, in order."""
    steps, above = [], None
    for block in blocks:
        if block.not_run is None:
            if block.language == "text":
                if above is None or not is_run(above):
                    raise ReadmeError(f"{name}:{block.line}: this output belongs to no block that is run")
                steps[-1][1].extend(block.text.splitlines())
            elif is_run(block) or is_file(block):
                steps.append((block, []))
            else:
                raise ReadmeError(f"{name}:{block.line}: this block is neither run nor a file, and not marked "
                                  "<!-- docs: not run, REASON -->")
        above = block
    return steps


def without_grpc(steps):
    """The steps that need no Python package, and how many are left out."""
    kept = [step for step in steps if PYTHON not in step[0].text]
    return kept, len(steps) - len(kept)


def free_port(wanted):
    """`wanted`, or another where something listens on it."""
    for port in (wanted, 0):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return listener.getsockname()[1]
    raise ReadmeError("no port is free")


def script_of(steps, port):
    """One shell script of all steps."""
    lines = ["set -eu"]
    for block, _ in steps:
        lines.append(f"echo {shlex.quote(BEGIN.format(block.line))}")
        if block.language == "sh":
            lines.append(block.text)
        elif block.language != "cpp":
            lines.append(f"printf %s {shlex.quote(block.text)} > {shlex.quote(block.file_name)}")
    return "\n".join(lines).replace(f":{PORT}", f":{port}") + "\n"


def link_source(folder, build):
    """Makes `folder` look like the source with a release build in it."""
    for entry in ROOT.iterdir():
        if entry.name not in ("build", ".git"):
            (folder / entry.name).symlink_to(entry)
    (folder / "build").mkdir()
    (folder / "build" / "release").symlink_to(build)


def run_shell(script, source, environment):
    """(exit code or None where the time was not enough, output) of the script, all of whose children are stopped."""
    log = source.parent / "log"
    with log.open("wb") as output:
        shell = subprocess.Popen(["bash", "-c", script], cwd=source, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                                 stderr=subprocess.STDOUT, start_new_session=True)
    try:
        code = shell.wait(SECONDS)
    except subprocess.TimeoutExpired:
        code = None
    finally:
        try:
            os.killpg(shell.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # nothing was left behind
        shell.wait()
    return code, log.read_text(errors="replace")


def printed_by(output):
    """{line of a block: what it printed}."""
    parts = re.split(r"^" + BEGIN.format(r"(\d+)") + "\n", output, flags=re.MULTILINE)
    return {int(line): text for line, text in zip(parts[1::2], parts[2::2])}


def missing_lines(expected, printed):
    """Those of the `expected` lines that `printed` does not have."""
    def pattern(line):
        return ".*".join(re.escape(part) for part in line.split("…"))
    return [line for line in expected if not re.search(pattern(line), printed)]


def run_steps(steps, build, name):
    """What the page of that name says and is not so, in sentences; prints what the blocks print."""
    with tempfile.TemporaryDirectory() as folder:
        source, home = pathlib.Path(folder, "facegate"), pathlib.Path(folder, "home")
        source.mkdir()
        home.mkdir()
        link_source(source, build)
        port = free_port(PORT)
        environment = {**os.environ, "HOME": str(home), "FACEGATE_SERVER": f"127.0.0.1:{port}"}
        code, output = run_shell(script_of(steps, port), source, environment)
    print(output)
    printed = printed_by(output)
    if code != 0:
        last = max(printed, default=0)
        how = f"took longer than {SECONDS} s" if code is None else f"ended with exit code {code}"
        return [f"{name}:{last}: this block {how}"]
    return [f"{name}:{block.line}: it does not print: {line}"
            for block, expected in steps for line in missing_lines(expected, printed[block.line])]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="the build folder")
    parser.add_argument("--page", default="README.md", help="the page, below the source folder")
    options = parser.parse_args()
    blocks, left_out = blocks_of((ROOT / options.page).read_text(encoding="utf-8"), options.page), 0
    steps = steps_of(blocks, options.page)
    if not has_grpc():
        steps, left_out = without_grpc(steps)
    problems = run_steps(steps, options.build.resolve(), options.page)
    for problem in problems:
        print(f"readme_test: {problem}")
    if problems:
        return 1
    run = sum(is_run(block) for block, _ in steps)
    marked = sum(block.not_run is not None for block in blocks)
    print(f"readme_test: {run} blocks were run, {marked} are marked as not run")
    if left_out:
        print(f"readme_test: SKIPPED {left_out} blocks: they need Debian's python3-grpcio and python3-protobuf, which "
              "deploy/bootstrap.sh installs")
        return SKIPPED
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ReadmeError, ValueError) as error:
        sys.exit(f"readme_test: {error}")
