#!/usr/bin/env python3
"""Fails when a source file is not as clang-format (version 14, .clang-format) writes it. With --fix it rewrites them."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROOMS = ("face", "index", "server", "trainer", "clients", "tests")


def main():
    files = [str(f) for room in ROOMS for suffix in ("*.h", "*.cc") for f in sorted((ROOT / room).rglob(suffix))]
    mode = ["-i"] if "--fix" in sys.argv[1:] else ["--dry-run", "--Werror"]
    result = subprocess.run(["clang-format-14", *mode, *files], check=False)
    print(f"check_format: {len(files)} files, {'ok' if result.returncode == 0 else 'NOT formatted: run tests/check_format.py --fix'}")
    return result.returncode


if __name__ == "__main__":
    sys.exit(main())
