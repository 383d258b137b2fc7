#!/usr/bin/env python3
"""The fenced blocks of README.md and of other pages, as tests/docs/readme_test.py runs them.

Usage: readme_blocks.py NAME OUT    writes the block whose first line is the comment "// NAME" or "# NAME" to the file OUT
"""

import dataclasses
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w*)$")
MARKER = re.compile(r"^<!-- docs: not run, (.+) -->$")
# The first line of a block that is a file: a comment that holds the file's name and nothing else.
FILE_NAME = re.compile(r"^(?:#|//) ([\w.-]+\.\w+)$")
LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclasses.dataclass
class Block:
    line: int  # of the opening fence, from 1
    language: str
    text: str
    not_run: str | None = None  # why it is not run, by the marker above it

    @property
    def file_name(self):
        """The name of the file that the block is, or None."""
        named = FILE_NAME.match(self.text.split("\n", 1)[0])
        return named.group(1) if named else None


def blocks_of(page, name="README.md"):
    """The blocks in order. ValueError names the page and the line where a fence or a marker is not what it must be."""
    blocks, lines = [], page.split("\n")
    number = 0
    while number < len(lines):
        line = lines[number]
        marker = MARKER.match(line)
        if line.startswith("<!-- docs:") and not marker:
            raise ValueError(f"{name}:{number + 1}: a marker is written <!-- docs: not run, REASON -->")
        if marker and not FENCE.match(lines[number + 1]):
            raise ValueError(f"{name}:{number + 1}: a marker stands on the line above a fence")
        if line.startswith("    ") and number > 0 and not lines[number - 1].strip():
            raise ValueError(f"{name}:{number + 1}: an indented block, which nothing runs: fence it")
        if opening := FENCE.match(line):
            end = next((n for n in range(number + 1, len(lines)) if lines[n] == "```"), None)
            if end is None:
                raise ValueError(f"{name}:{number + 1}: the fence is not closed")
            above = MARKER.match(lines[number - 1]) if number else None
            blocks.append(Block(number + 1, opening.group(1), "\n".join(lines[number + 1:end]) + "\n",
                                above.group(1) if above else None))
            number = end
        elif line.lstrip().startswith("```"):
            raise ValueError(f"{name}:{number + 1}: a fence is ``` and one word, at the beginning of the line")
        number += 1
    return blocks


def anchor_of(heading):
    """The anchor that GitHub and others give a heading."""
    return re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")


def broken_links(page, folder=ROOT):
    """Targets of links to this page's headings and to files of the source that are not there; the page is in `folder`."""
    anchors = {anchor_of(line.lstrip("#")) for line in page.split("\n") if line.startswith("#")}

    def is_broken(target):
        if target.startswith("#"):
            return target[1:] not in anchors
        return "://" not in target and not (folder / target).exists()
    return [target for target in LINK.findall(page) if is_broken(target)]


def main():
    name, out = sys.argv[1:]
    found = [block for block in blocks_of((ROOT / "README.md").read_text(encoding="utf-8")) if block.file_name == name]
    if len(found) != 1:
        sys.exit(f"readme_blocks: README.md has {len(found)} blocks named {name}, expected one")
    pathlib.Path(out).write_text(found[0].text, encoding="utf-8")


if __name__ == "__main__":
    main()
