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
import shlex
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Lines by which GoogleTest frames a case. What the case prints without a newline stands before such a frame.
FRAME = re.compile(r"\[( RUN      |       OK |  FAILED  |  SKIPPED )\] ([A-Za-z_]\w*(?:/\w+)*\.\w+(?:/\w+)*)(?=$|[ ,\n])")
# How ctest says that an entry ended.
ENDED = re.compile(r"\s*\d+/\d+ Test +#\d+: (\S+) \.*\s*(?:\*\*\*)?(.+?) +[\d.]+ sec")
# What ctest puts in the place of output past MOST_OUTPUT.
CUT = re.compile(r"test output was removed since it exceeds the threshold")
MOST_OUTPUT = 50_000_000  # bytes of one program
SHOWN = 12_000  # characters of the output of one failed case
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
    """{case: (outcome, output)} of what a GoogleTest program printed, in order; the outcome is None where it did not end."""
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
    """{case: outcome} by GoogleTest's XML; None where there is none, or it was cut off."""
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError):
        return None
    outcomes = {}
    for case in root.iter("testcase"):
        # "notrun" has what is DISABLED_; what a filter or another shard leaves out is not there.
        skipped = case.get("status") == "notrun" or case.get("result") == "skipped" or case.find("skipped") is not None
        outcome = "failed" if case.find("failure") is not None else "skipped" if skipped else "passed"
        outcomes[f"{case.get('classname')}.{case.get('name')}"] = outcome
    return outcomes


def cases_of_program(entry, program, xml, end, output):
    """The cases of one ctest entry that is a GoogleTest program. `end` is how it ended, in ctest's words."""
    def case(name, outcome, text="", why=""):
        if name == ".":  # GoogleTest's name for what fails outside of all cases
            return Case(entry, outcome, output[-SHOWN:], "it failed outside of its cases", alone(program))
        return Case(name, outcome, text, why, f"{alone(program)} --gtest_filter={name}")

    printed, outcomes = framed(output), outcomes_in_xml(xml)
    ended_well = end == "Passed"
    if outcomes is None:
        cases = [case(name, outcome, text) for name, (outcome, text) in printed.items() if outcome is not None]
        begun = [name for name, (outcome, _) in printed.items() if outcome is None]
        if begun and not CUT.search(output):
            why = f"the program ended in it ({end}); its later cases did not run"
            cases.append(case(begun[-1], "failed", printed[begun[-1]][1], why))
        else:
            cases.append(Case(entry, "failed", output[-SHOWN:], f"the program wrote no result file ({end})", alone(program)))
        return cases
    cases = [case(name, outcome, printed.get(name, (None, ""))[1]) for name, outcome in outcomes.items()]
    # A failed case explains "Failed" and nothing worse.
    if not ended_well and (end != "Failed" or all(one.outcome != "failed" for one in cases)):
        cases.append(Case(entry, "failed", output[-SHOWN:], f"the program itself failed ({end})", alone(program)))
    return cases


def alone(program):
    """The command that runs a program as it ran here."""
    names = ("FACEGATE_DATA", "FACEGATE_SOAK", "TSAN_OPTIONS", "ASAN_OPTIONS", "UBSAN_OPTIONS")
    return " ".join([f"{name}={shlex.quote(os.environ[name])}" for name in names if os.environ.get(name)] + [program])


def commands_of(build):
    """{entry: command} by ctest's own list."""
    command = ["ctest", "--test-dir", str(build), "--show-only=json-v1"]
    shown = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if shown.returncode != 0:
        sys.exit(f"run_tests: ctest cannot list the tests of {build}")
    return {test["name"]: test.get("command", []) for test in json.loads(shown.stdout)["tests"]}


def read_cases(junit, results, commands, ends):
    """All cases. `ends` is how each entry ended: "Passed", "Failed", "Timeout", "Exception: SegFault", "Skipped", …"""
    cases = []
    for entry in ElementTree.parse(junit).getroot().iter("testcase"):
        name = entry.get("name")
        output = entry.findtext("system-out") or ""
        end = ends.get(name, "Passed" if entry.get("status") == "run" else "Failed")
        command = [c.removeprefix(f"{ROOT}/") for c in commands.get(name, [])]
        if any(c.startswith("--gtest_output=") for c in command):
            cases += cases_of_program(name, command[0], results / f"{name}.xml", end, output)
        elif end == "Skipped":
            cases.append(Case(name, "skipped", output))
        else:
            outcome, why = ("passed", "") if end == "Passed" else ("failed", f"it ended with {end}")
            cases.append(Case(name, outcome, output, why, alone(" ".join(command) or name)))
    return cases


def show(cases):
    for case in cases:
        if case.outcome == "skipped":
            print(f"skipped: {case.name}")
    for case in cases:
        if case.outcome != "failed":
            continue
        text = case.output.strip("\n")
        if len(text) > SHOWN:
            text = f"… (the last {SHOWN} characters; all of it is in test-results/ctest.xml)\n{text[-SHOWN:]}"
        print(f"\nFAILED: {case.name}{': ' + case.why if case.why else ''}")
        print("\n".join("    " + line for line in text.splitlines()))
        print(f"  alone: {case.alone}")


def environment(patterns):
    chosen = dict(os.environ)
    # The tests sync thousands of small writes: in memory that takes seconds, on a disk minutes.
    memory = pathlib.Path("/dev/shm")
    if not chosen.get("TMPDIR") and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2 << 30:
        chosen["TMPDIR"] = str(memory)
    # Threads that spin for long while they wait take the core that another program's work needs (face/base/openmp.h).
    if "OMP_WAIT_POLICY" not in chosen and "GOMP_SPINCOUNT" not in chosen:
        chosen.update(OMP_WAIT_POLICY="passive", GOMP_SPINCOUNT="20000")
    if patterns:
        chosen["GTEST_FILTER"] = ":".join(patterns)
    return chosen


def without_scripts(arguments):
    """ctest's arguments such that no script runs; two -LE would leave out only what has both labels."""
    merged, excluded, wanted = [], ["^script$"], iter(arguments)
    for argument in wanted:
        if argument in ("-LE", "--label-exclude"):
            excluded.append(next(wanted, ""))
        else:
            merged.append(argument)
    return [*merged, "-LE", "|".join(excluded)]


def unmatched(patterns, cases):
    """Those patterns of cases to run that fit none of `cases`."""
    positive = [one for pattern in patterns for one in pattern.split("-", 1)[0].split(":") if one]
    fits = {one: re.compile(re.escape(one).replace(r"\*", ".*").replace(r"\?", ".")) for one in positive}
    return [one for one, fit in fits.items() if not any(fit.fullmatch(case.name) for case in cases)]


def run_ctest(build, junit, options, arguments):
    """Its exit code, and how each entry ended; shows what it prints."""
    command = ["ctest", "--test-dir", str(build), "--parallel", str(options.jobs), "--timeout", str(options.timeout),
               "--output-junit", str(junit), "--test-output-size-passed", str(MOST_OUTPUT),
               "--test-output-size-failed", str(MOST_OUTPUT), *arguments]
    ends = {}
    shown = {"stdout": subprocess.PIPE, "text": True, "errors": "replace"}
    with subprocess.Popen(command, env=environment(options.case), **shown) as ctest:
        for line in ctest.stdout:
            print(line, end="", flush=True)
            if ended := ENDED.match(line):
                ends[ended.group(1)] = ended.group(2)
    return ctest.returncode, ends


def default_jobs():
    """The cores that this process may use, but no more than a program for each 2 GiB of memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(len(os.sched_getaffinity(0)), memory >> 31))


def main():
    parser = argparse.ArgumentParser(description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release", help="the build folder")
    parser.add_argument("--case", action="append", default=[], metavar="PATTERN",
                        help="run only cases whose Suite.Name matches (GoogleTest's pattern); may be given again")
    parser.add_argument("-j", "--jobs", type=int, default=default_jobs(), help="programs at a time (%(default)s)")
    parser.add_argument("--timeout", type=int, default=900, metavar="SECONDS", help="of one program (%(default)s)")
    options, for_ctest = parser.parse_known_args()
    build = options.build.resolve()
    if not (build / "CTestTestfile.cmake").is_file():
        sys.exit(f"run_tests: {build} is not a build folder with tests")
    results, junit = build / "test-results", build / "test-results" / "ctest.xml"
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir()
    if options.case:
        for_ctest = without_scripts(for_ctest)

    if not os.environ.get("FACEGATE_DATA"):
        print("FACEGATE_DATA is not set: the tests on real photos and weights are skipped and counted below", flush=True)
    started = time.monotonic()
    code, ends = run_ctest(build, junit, options, for_ctest)
    cases = read_cases(junit, results, commands_of(build), ends) if junit.is_file() else []
    return judge(cases, code, options.case, time.monotonic() - started, len({name.split(".")[0] for name in ends}))


def judge(cases, code, patterns, seconds, programs):
    """Prints what came of it; the exit code."""
    show(cases)
    count = {outcome: sum(case.outcome == outcome for case in cases) for outcome in ("passed", "failed", "skipped")}
    complaints = [f"no case matches {pattern}" for pattern in unmatched(patterns, cases)]
    if code != 0 and count["failed"] == 0:
        complaints.append(f"ctest ended with code {code}, though no case failed")
    if not cases:
        complaints.append("no test ran")
    for complaint in complaints:
        print(f"\nFAILED: {complaint}")
    count["failed"] += len(complaints)
    print(f"\ntests: {len(cases)} cases, {programs} programs, {seconds:.0f} s")
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return 0 if count["failed"] == 0 and count["passed"] > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
