#!/usr/bin/env python3
"""Checks the tables of docs/training.md: each row names a test, and all tests, commands, options, keys of recipes, values,
files and recipes that the tables name are there. Before that it must find wrong names that it plants itself.

Usage: training_table_test.py [--source DIR]

Exit code: 0 all names are there, 1 some are not; each is said with its line.
"""

import argparse
import fnmatch
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = "docs/training.md"
TEST = re.compile(r"\bTEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)")
QUOTED = re.compile(r"`([^`]+)`")
OPTION = re.compile(r"--[a-z][a-z-]+")
KEY = re.compile(r"^([a-z]+)\.[a-z_0-9]+$")
ARCHITECTURE = re.compile(r"^[a-z][a-z0-9]*(-[a-z0-9*]+)+$")
FILE = re.compile(r"^[\w-]+\.(py|sh)$")


class Names:
    """What the source has, to be named by the page."""

    def __init__(self, source):
        self.source = source
        self.tests, self.files = set(), set()
        for path in (source / "tests").rglob("*"):
            if path.suffix == ".cc":
                self.tests |= {f"{suite}.{name}" for suite, name in TEST.findall(path.read_text(encoding="utf-8"))}
            elif path.suffix in (".py", ".sh"):
                self.files.add(path.name)
        keys = (source / "trainer/run/recipe_keys.cc").read_text(encoding="utf-8")
        self.keys = set(re.findall(r'\{"([a-z]+\.[a-z_0-9]+)",', keys))
        self.sections = {key.split(".")[0] for key in self.keys}
        commands = "".join(path.read_text(encoding="utf-8") for path in sorted((source / "trainer/command").glob("*.cc")))
        self.commands = set(re.findall(r'add_subcommand\(\s*"([a-z-]+)"', commands))
        literals = " ".join(re.findall(r'"([^"\n]*)"', commands))
        self.options = set(OPTION.findall(literals))
        networks = (source / "face/network/architecture.cc").read_text(encoding="utf-8")
        self.architectures = set(re.findall(r'"([a-z][a-z0-9]*(?:-[a-z0-9]+)+)"', networks))
        self.recipes = {path.name for path in (source / "deploy/recipes").glob("*.yaml")}


def rows_of(page, heading):
    """[(line number, cells)] of the table below a heading, without its head and the names of its parts."""
    rows, inside = [], False
    for number, line in enumerate(page.split("\n"), 1):
        if line.startswith("## "):
            inside = line == f"## {heading}"
        elif inside and line.startswith("|"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            is_head = len(rows) < 2 and (set(line) <= set("|- ") or not rows)
            rows.append((number, None if is_head or cells[0].startswith("**") else cells))
    return [(number, cells) for number, cells in rows if cells is not None]


def wrong_tests(cell, names):
    quoted = QUOTED.findall(cell)
    if not quoted:
        return ["this row names no test"]
    return [f"there is no test {name}" for name in quoted
            if name not in (names.files if FILE.match(name) else names.tests)]


def wrong_token(token, names):
    """What is wrong with something in back-quotes, or None: a command, a key, a network, a path, or words."""
    words = token.split()
    for option in OPTION.findall(token):
        if option not in names.options:
            return f"there is no option {option}"
    if words[0] == "facegate-train":
        return None if len(words) > 1 and words[1] in names.commands else f"there is no command {token}"
    key = KEY.match(words[0])
    if key and key.group(1) in names.sections:
        return None if words[0] in names.keys else f"there is no key {words[0]}"
    if ARCHITECTURE.match(words[0]):
        found = fnmatch.filter(names.architectures, words[0])
        return None if found else f"there is no network {words[0]}"
    if "/" in words[0] and words[0].isascii() and not words[0].startswith("PATH"):
        return None if (names.source / words[0]).exists() else f"there is no file {words[0]}"
    return None


def problems_of(page, names):
    """[(line number, what is wrong)]."""
    problems = []
    tables = {heading: rows_of(page, heading) for heading in ("Features", "Recipes of other projects", "Left out on purpose",
                                                             "Defects that do not come back")}
    problems += [(0, f"the table of {heading} has no rows") for heading, rows in tables.items() if not rows]
    for heading in ("Features", "Defects that do not come back"):
        for number, cells in tables[heading]:
            problems += [(number, wrong) for wrong in wrong_tests(cells[-1], names)]
    here = [(number, cells[2]) for heading in ("Features", "Left out on purpose")
            for number, cells in tables[heading]]
    for number, cell in here:
        wrong = [wrong_token(token, names) for token in QUOTED.findall(cell)]
        problems += [(number, what) for what in wrong if what]
    named = set()
    for number, cells in tables["Recipes of other projects"]:
        for recipe in QUOTED.findall(cells[0]):
            named.add(recipe)
            if recipe not in names.recipes:
                problems.append((number, f"there is no recipe {recipe}"))
    return problems


def missed_plants(page, names):
    """Those of the planted mistakes that are not found."""
    plants = {
        "| a | all | always | `NoSuchTest.Passes` |": "there is no test NoSuchTest.Passes",
        "| a | all | always | `no_such_test.py` |": "there is no test no_such_test.py",
        "| a | all | always | none |": "this row names no test",
        "| a | all | `data.trian` | `training_table_test.py` |": "there is no key data.trian",
        "| a | all | `facegate-train alien` | `training_table_test.py` |": "there is no command facegate-train alien",
        "| a | all | `facegate-train fit --no-such` | `training_table_test.py` |": "there is no option --no-such",
        "| a | all | `iresnet-51` | `training_table_test.py` |": "there is no network iresnet-51",
        "| a | all | `deploy/none.yaml` | `training_table_test.py` |": "there is no file deploy/none.yaml",
    }
    end = re.search(r"^\|---\|---\|---\|---\|$", page, flags=re.MULTILINE).end()
    missed = []
    for row, said in plants.items():
        found = problems_of(f"{page[:end]}\n{row}{page[end:]}", names)
        if said not in [what for _, what in found]:
            missed.append(row)
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=pathlib.Path, default=ROOT, help="the source folder")
    source = parser.parse_args().source
    names = Names(source)
    page = (source / PAGE).read_text(encoding="utf-8")
    missed = missed_plants(page, names)
    for row in missed:
        print(f"training_table_test: this wrong row was not found: {row}")
    problems = problems_of(page, names)
    for number, what in problems:
        print(f"{PAGE}:{number}: {what}")
    rows = len(rows_of(page, "Features"))
    print(f"training_table_test: {rows} features, {len(problems)} wrong names")
    return 1 if missed or problems else 0


if __name__ == "__main__":
    sys.exit(main())
