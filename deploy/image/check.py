#!/usr/bin/env python3
"""Runs the steps of a Dockerfile in chroots and tries what comes out: the part of deploy/image-check.sh that runs in
namespaces of its own, so that nothing here needs to be unmounted or stopped by hand."""

import argparse
import pathlib
import sys
import time

import layers
import trial
from dockerfile import problems

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("file", "work"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("--jobs", required=True)
    parser.add_argument("--cuda", type=pathlib.Path)
    options = parser.parse_args()
    started = time.monotonic()
    try:
        said = problems(options.file, SOURCE)
        if said:
            raise layers.CheckError("; ".join(said))
        image = layers.build(options.file, SOURCE, options.work, {"JOBS": options.jobs}, options.cuda)
        trial.try_out(image, SOURCE)
        trial.measure(image)
        layers.prune(options.work, options.file.name)
    except layers.CheckError as error:
        print(f"\nimage-check: FAIL {error}", flush=True)
        return 1
    print(f"\nimage-check: PASS {options.file.name} in {time.monotonic() - started:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
