#!/usr/bin/env python3
"""Checks and measures an unpacked package of deploy/gpu-package.sh on the machine that it runs on; deploy/gpu-check.sh
calls it. Each part has a time limit; one that fails is told, and the others go on. After each part all that is known is
written to gpu-results.json and gpu-results.md.

Exit code: 0 only if all equality tests passed; with --quick, also only if no other part failed.
"""

import argparse
import datetime
import json
import signal
import sys
import time
import traceback
from pathlib import Path

import embedding
import equality
import machine
import report
import searching
import serving
import training
from peers import Peers
from processes import Failed, Missing


class Check:
    """What is checked, where, and what came of it."""

    def __init__(self, arguments):
        self.package, self.out, self.device = arguments.package, arguments.out, arguments.device
        self.quick, self.compile_mode = arguments.quick, arguments.compile_mode
        self.on_card = arguments.device != "cpu"
        self._started = time.monotonic()
        self._end = self._started + arguments.limit
        self._parts = arguments.parts
        manifest = json.loads((self.package / "manifest.json").read_text())
        self.results = {"commit": manifest["commit"], "device": self.device, "quick": self.quick,
                        "started": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
                        "command": arguments.command, "limit_s": arguments.limit, "parts": []}

    def program(self, name):
        """The first words of a command that runs a program of the package."""
        return [self.package / "run", self.package / name]

    def record(self, part, command, environment=()):
        """Notes a command, as it would be called in the unpacked package."""
        words = [*(f"{key}={value}" for key, value in dict(environment).items()), *map(str, command)]
        part["commands"].append(" ".join(words).replace(f"{self.package}/", "").replace(sys.executable, "python3"))

    def folder(self, name):
        """A folder for what a part writes."""
        folder = self.package.parent / "work" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def part(self, kind, name, limit_s, function, *arguments):
        """Calls function(check, part, limit_s, …), which fills part["figures"]."""
        if self._parts and kind not in self._parts:
            return
        limit_s = min(limit_s, self._end - time.monotonic())
        part = {"kind": kind, "name": name, "limit_s": round(limit_s, 1), "commands": [], "figures": {}, "outcome": "running"}
        self.results["parts"].append(part)
        print(f"gpu-check: {kind}: {name}", flush=True)
        started = time.monotonic()
        try:
            if limit_s < 5:
                raise Missing("the time of the whole check is over")
            function(self, part, limit_s, *arguments)
            part["outcome"] = "passed"
        except Missing as why:
            part["outcome"], part["why"] = "not run", str(why)
        except Failed as why:
            part["outcome"], part["why"] = "failed", str(why)
        except Exception:  # pylint: disable=broad-except  # a mistake in one part must not cost the others
            part["outcome"], part["why"] = "failed", traceback.format_exc(limit=3)
        finally:
            part["seconds"] = round(time.monotonic() - started, 1)
            self.results["seconds"] = round(time.monotonic() - self._started, 1)
            self._write()
        why = report.shortened(part.get("why", ""))
        print(f"gpu-check: {part['outcome']} after {part['seconds']} s{': ' if why else ''}{why}", flush=True)

    def _write(self):
        try:
            report.write(self.results, self.out)
        except Exception:  # pylint: disable=broad-except  # the parts that follow may be told again
            traceback.print_exc()


def check_all(check):
    """All parts, what matters most first."""
    check.part("machine", "what there is", 60, machine.describe)
    check.part("starts", "each program", 90, machine.start_programs)
    networks = ["mobilefacenet-512"] if check.quick else ["iresnet-50", "mobilefacenet-512", "iresnet-100"]
    lessons = [("mobilefacenet-512", 4)] if check.quick else [("iresnet-50", 256), ("mobilefacenet-512", 512)]
    peers = Peers()
    try:
        # PyTorch compiles while the tests run, which measure no time.
        check.part("peers", "PyTorch embeds", 60, embedding.start, networks, peers)
        check.part("peers", "PyTorch learns", 10, training.start, lessons, peers)
        for test in sorted((check.package / "tests").glob("gpu_*_test")):
            check.part("equality", test.name, 400 if check.quick else 150, equality.run_tests, test)
        check.part("peers", "PyTorch is ready", 90, peers.wait)
        for network in networks[:2]:
            check.part("embedding", network, 80, embedding.measure, network, peers)
        check.part("serving", networks[0], 60, serving.measure, networks[0])
        for architecture, batch in lessons:
            check.part("training", architecture, 60, training.measure, architecture, batch, peers)
        for network in networks[2:]:
            check.part("embedding", network, 80, embedding.measure, network, peers)
        check.part("search", "1 and 10 million rows", 100, searching.measure)
    finally:
        peers.close()


def stop(*_):
    raise SystemExit("gpu-check: it was told to stop; what it has measured is written")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", type=Path, required=True, help="the unpacked package")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument("--device", default="cuda:0", help="cuda:N, or cpu (default: cuda:0)")
    parser.add_argument("--quick", action="store_true", help="measure as little as possible: to try the check itself")
    parser.add_argument("--limit", type=float, default=465.0, help="seconds of everything (default: 465)")
    parser.add_argument("--parts", nargs="+", choices=report.KINDS, help="these alone (default: all)")
    parser.add_argument("--compile-mode", default="default", help="of torch.compile (default: default)")
    parser.add_argument("--command", default=" ".join(sys.argv), help="what the report says was called")
    arguments = parser.parse_args()
    arguments.package, arguments.out = arguments.package.resolve(), arguments.out.resolve()
    arguments.out.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, stop)
    check = Check(arguments)
    check_all(check)
    print((check.out / "gpu-results.md").read_text())
    failed = [part for part in check.results["parts"] if part["outcome"] == "failed"]
    return 0 if report.equality_passed(check.results) and not (check.quick and failed) else 1


if __name__ == "__main__":
    sys.exit(main())
