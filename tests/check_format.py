#!/usr/bin/env python3
"""Fails when a source file is not as clang-format (version 14, .clang-format) writes it, or when a comment is wider than a
line, which clang-format leaves alone. With --fix it rewrites the code; comments are for people to wrap."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
WIDTH = 100
COMMENT = re.compile(r"\s*//")
ROOMS = ("face", "index", "server", "trainer", "clients", "tests")


def wide_comments(name, text):
    """Yields the place of each comment on a line of its own that is wider than a line; an address cannot be wrapped."""
    for number, line in enumerate(text.splitlines(), start=1):
        if len(line) > WIDTH and COMMENT.match(line) and "://" not in line:
            yield f"{name}:{number}: the comment has {len(line)} columns, {WIDTH} is the most"


def main():
    files = [str(f) for room in ROOMS for suffix in ("*.h", "*.cc", "*.cu") for f in sorted((ROOT / room).rglob(suffix))]
    mode = ["-i"] if "--fix" in sys.argv[1:] else ["--dry-run", "--Werror"]
    result = subprocess.run(["clang-format-14", *mode, *files], check=False)
    wide = [place for file in files for place in wide_comments(file, pathlib.Path(file).read_text(encoding="utf-8"))]
    for place in wide:
        print(place)
    print(f"check_format: {len(files)} files, {len(wide)} comments that are too wide, "
          f"{'ok' if result.returncode == 0 else 'NOT formatted: run tests/check_format.py --fix'}")
    return 1 if result.returncode != 0 or wide else 0


if __name__ == "__main__":
    sys.exit(main())
