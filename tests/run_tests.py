#!/usr/bin/env python3
"""Runs the tests of a build by ctest, in parallel, and tells them case by case.

ctest starts whole programs. Their cases are read from the XML that GoogleTest writes; of a program that crashed, hung or
was killed, from what it had printed. Of each case that failed, its output is shown and how to run it alone. Ends with
a line that counts cases; the exit code is 0 only when none failed and at least one passed.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Lines by which GoogleTest frames a case. What the case prints without a newline stands before such a frame.
FRAME = re.compile(r"\[( RUN      |       OK |  FAILED  |  SKIPPED )\] ([A-Za-z_]\w*(?:/\w+)*\.\w+(?:/\w+)*)(?=$|[ ,\n])")
SHOWN_BYTES = 12_000  # of the output of one failed case
EPILOG = """Examples:
  tests/run_tests.py                              all tests of build/release
  tests/run_tests.py --case 'GalleryTest.*'       these cases alone, in whatever program they are
  tests/run_tests.py -L golden                    ctest's own arguments are passed on
  tests/run_tests.py --build build/asan -j 1
"""


@dataclasses.dataclass
class Case:
    name: str  # Suite.Name, or the name of a test that is a script
    outcome: str  # passed, failed, skipped
    output: str = ""
    why: str = ""  # where more than its output is to be said
    alone: str = ""  # the command that runs it alone


def framed(output):
    """The outcome and output of each case that a GoogleTest program began, in order; None where it did not end."""
    cases, name, begin = {}, None, 0
    for frame in FRAME.finditer(output):
        kind = frame.group(1).strip()
        if kind == "RUN":
            name, begin = frame.group(2), frame.end()
            cases[name] = (None, output[begin:])
        elif frame.group(2) == name:
            outcome = {"OK": "passed", "FAILED": "failed", "SKIPPED": "skipped"}[kind]
            cases[name] = (outcome, output[begin:frame.start()])
            name = None
    return cases


def outcomes_in_xml(path):
    """The outcome of each case by GoogleTest's XML; None where there is none, or it was cut off."""
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError):
        return None
    outcomes = {}
    for case in root.iter("testcase"):
        if case.get("status") == "notrun":  # filtered out, or another shard's
            continue
        skipped = case.get("result") == "skipped" or case.find("skipped") is not None
        outcome = "failed" if case.find("failure") is not None else "skipped" if skipped else "passed"
        outcomes[f"{case.get('classname')}.{case.get('name')}"] = outcome
    return outcomes


def cases_of_program(name, program, xml, ended_well, said, output):
    """The cases of one ctest entry that is a GoogleTest program. `said` is what ctest says of it as a whole."""
    begun = framed(output)
    outcomes = outcomes_in_xml(xml)
    cases = []
    for case, (outcome, text) in begun.items():
        why = ""
        if outcomes is not None and case in outcomes:
            outcome = outcomes[case]
        elif outcome is None:
            outcome, why = "failed", f"the program ended in it ({said}); its later cases did not run"
        cases.append(Case(case, outcome, text, why, f"{program} --gtest_filter={case}"))
    # Cases in the XML alone: a program whose output was cut.
    for case, outcome in (outcomes or {}).items():
        if case not in begun:
            cases.append(Case(case, outcome, "", "", f"{program} --gtest_filter={case}"))
    if not ended_well and all(case.outcome != "failed" for case in cases):
        cases.append(Case(name, "failed", output[-SHOWN_BYTES:], f"no case failed, but the program did ({said})", program))
    return cases


def commands_of(build):
    """The command of each ctest entry, by ctest's own list."""
    shown = subprocess.run(["ctest", "--test-dir", str(build), "--show-only=json-v1"], capture_output=True, text=True, check=True)
    return {test["name"]: test.get("command", []) for test in json.loads(shown.stdout)["tests"]}


def read_cases(junit, results, commands):
    cases = []
    for entry in ElementTree.parse(junit).getroot().iter("testcase"):
        name = entry.get("name")
        output = entry.findtext("system-out") or ""
        ended_well = entry.get("status") == "run"
        failure = entry.find("failure")
        said = (failure.get("message") if failure is not None else "") or entry.get("status", "")
        command = [str(pathlib.Path(c).relative_to(ROOT)) if c.startswith(f"{ROOT}/") else c for c in commands.get(name, [name])]
        if any(c.startswith("--gtest_output=") for c in command):
            cases += cases_of_program(name, command[0], results / f"{name}.xml", ended_well, said, output)
        elif entry.get("status") in ("notrun", "disabled") or entry.find("skipped") is not None:
            cases.append(Case(name, "skipped", output))
        else:
            cases.append(Case(name, "passed" if ended_well else "failed", output, "" if ended_well else said, " ".join(command)))
    return cases


def show(cases):
    for case in cases:
        if case.outcome == "skipped":
            print(f"skipped: {case.name}")
    for case in cases:
        if case.outcome != "failed":
            continue
        text = case.output.strip("\n")
        if len(text) > SHOWN_BYTES:
            text = f"… (its last {SHOWN_BYTES} bytes)\n{text[-SHOWN_BYTES:]}"
        print(f"\nFAILED: {case.name}{': ' + case.why if case.why else ''}")
        print("\n".join("    " + line for line in text.splitlines()))
        print(f"  alone: {case.alone}")


def environment(filters):
    chosen = dict(os.environ)
    # The tests sync thousands of small writes: in memory that takes seconds, on a disk minutes.
    memory = pathlib.Path("/dev/shm")
    if not chosen.get("TMPDIR") and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2 << 30:
        chosen["TMPDIR"] = str(memory)
    # Threads that wait in a spin take the core that another program's work needs.
    chosen.setdefault("OMP_WAIT_POLICY", "passive")
    if filters:
        chosen["GTEST_FILTER"] = ":".join(filters)
    return chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release", help="the build folder")
    parser.add_argument("--case", action="append", default=[], metavar="PATTERN",
                        help="run only cases whose Suite.Name matches (GoogleTest's pattern); may be given again")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count(), help="programs at a time")
    parser.add_argument("--timeout", type=int, default=900, metavar="SECONDS", help="of one program (%(default)s)")
    options, for_ctest = parser.parse_known_args()
    build = options.build.resolve()
    results, junit = build / "test-results", build / "test-results" / "ctest.xml"
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir(parents=True)
    if options.case:
        for_ctest += ["-LE", "script"]

    if not os.environ.get("FACEGATE_DATA"):
        print("FACEGATE_DATA is not set: the tests on real photos and weights are skipped and counted below", flush=True)
    started = time.monotonic()
    commands = commands_of(build)
    code = subprocess.run(["ctest", "--test-dir", str(build), "--parallel", str(options.jobs), "--timeout", str(options.timeout), "--output-junit", str(junit),
                           "--test-output-size-passed", "8000000", "--test-output-size-failed", "8000000", *for_ctest],
                          env=environment(options.case), check=False).returncode
    cases = read_cases(junit, results, commands) if junit.is_file() else []
    show(cases)
    count = {outcome: sum(case.outcome == outcome for case in cases) for outcome in ("passed", "failed", "skipped")}
    if code != 0 and count["failed"] == 0:
        print(f"\nFAILED: ctest ended with code {code}, though no case failed")
        count["failed"] = 1
    print(f"\ntests: {len(cases)} cases of {len({case.alone.split()[0] if case.alone else case.name for case in cases})} programs, "
          f"{time.monotonic() - started:.0f} s")
    if cases and count["passed"] == 0 and count["failed"] == 0:
        print("tests: none ran")
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return 0 if count["failed"] == 0 and count["passed"] > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
