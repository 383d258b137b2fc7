#!/usr/bin/env python3
"""The quickstart's main job as it is run without any file: drawn people, the bundled model, the built-in landmark network.

Usage: main_job_test.py --bin DIR
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PNG = b"\x89PNG\r\n\x1a\n"


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
        problems = []
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
