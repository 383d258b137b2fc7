#!/usr/bin/env python3
"""The quickstart's main job as it is run without any file: drawn people, the bundled model, the built-in landmark network;
and what it makes of somebody whose photo is not good enough to enrol.

Usage: main_job_test.py --bin DIR
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PNG = b"\x89PNG\r\n\x1a\n"


class EnrolledServer:
    """A server that knows ada alone, and takes every photo for hers."""

    def facegate(self, command, *arguments, allowed=(0,)):
        if "bob" in arguments:
            raise AssertionError("somebody who is not enrolled was asked about")
        return [{"decision": "DECISION_MATCH"}]


def problems_without_enrolment():
    """Of one who could not be enrolled: he is not recognised, nobody claims to be him, and the job goes on."""
    sys.path.insert(0, str(ROOT / "deploy"))
    import main_job  # pylint: disable=import-outside-toplevel
    people = [("ada", "a1", "a2"), ("bob", "b1", "b2")]
    answers = [{"decision": "MATCH", "identity": "ada", "cosine": 0.9},
               {"decision": "NO_MATCH", "identity": "ada", "cosine": 0.1},
               {"decision": "NO_MATCH", "identity": "ada", "cosine": 0.1},
               {"decision": "NO_MATCH", "identity": "ada", "cosine": 0.1}]
    counts = main_job.judge(EnrolledServer(), people, ["ada"], [("carl", "c"), ("dora", "d")], answers)
    return [] if counts == (1, 1, 2) else [f"with one of two enrolled it counted {counts}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        sheet = work / "found.png"
        command = [sys.executable, ROOT / "deploy/main_job.py", "--bin", options.bin, "--model",
                   ROOT / "deploy/models/default.safetensors", "--bundled", "--work", work, "--people", "10", "--sheet", sheet]
        run = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             check=False, timeout=280)
        print(run.stdout)
        problems = problems_without_enrolment()
        if run.returncode != 0 or not run.stdout.rstrip().endswith("quickstart: PASS"):
            problems.append(f"it ended with exit code {run.returncode}")
        if run.stdout.count("do not exist") < 2:
            problems.append("it does not say before and after that the people are drawn")
        if not sheet.is_file() or not sheet.read_bytes().startswith(PNG):
            problems.append("it drew no picture of who was found")
    for problem in problems:
        print(f"main_job_test: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
