"""What the comparisons with other libraries share: a throw-away environment with the other side's packages, and bursts of
both sides in turn, pinned to the same cores."""

import argparse
import os
import signal
import site
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = "FACEGATE_BENCH_FOLDER"  # set in the second process: the folder of the environment


def fail(message):
    """Ends the program with 1."""
    sys.exit(f"{Path(sys.argv[0]).stem}: {message}")


def core_list(text):
    """The numbers of "0,1", for argparse."""
    cores = [int(core) for core in text.split(",")]
    if len(set(cores)) != len(cores) or not set(cores) <= os.sched_getaffinity(0):
        raise argparse.ArgumentTypeError(f"{text}: not cores that this process may use, each once")
    return cores


def parser_of(description, examples, bench, packages, rounds, burst, required):
    """A parser of the options that every comparison has. `required` says which ratio --require is about."""
    parser = argparse.ArgumentParser(
        description=description, epilog=examples, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build/release",
                        help=f"build folder that holds bin/{bench} (default: build/release)")
    parser.add_argument("--rounds", type=int, default=rounds, help="pairs of bursts (default: %(default)s)")
    parser.add_argument("--burst", type=float, default=burst, help="seconds of one burst (default: %(default)s)")
    parser.add_argument("--cores", type=core_list, default=sorted(os.sched_getaffinity(0)),
                        help="cores to pin to, such as 0,1 (default: the first ones this process may use)")
    parser.add_argument("--require", type=float, metavar="RATIO", help=f"exit with 3 when {required} has a smaller ratio")
    parser.add_argument("--python", type=Path,
                        help=f"interpreter that has {', '.join(packages)}, instead of a throw-away one")
    return parser


def install(folder, packages):
    """Makes a virtual environment in `folder`; returns its interpreter."""
    venv.create(folder, with_pip=True)
    python = Path(folder) / "bin/python"
    command = [python, "-m", "pip", "install", "--quiet", "--no-cache-dir", "--disable-pip-version-check"]
    command += ["--retries", "1", "--timeout", "30", *packages]
    # Unpacked where the environment is: a small /tmp would be too small.
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=dict(os.environ, TMPDIR=str(folder)))
    if done.returncode != 0:
        last = "\n".join(done.stdout.strip().splitlines()[-3:])
        fail(f"pip cannot install {', '.join(packages)}: is PyPI (or the index that PIP_INDEX_URL names) in reach? "
             f"pip says:\n{last}")
    return python


def run_with_packages(arguments, bench, packages, **environment):
    """Runs the program again under an interpreter that has the packages; returns its exit code."""
    program = arguments.build / "bin" / bench
    if not program.is_file():
        fail(f"{program} is not there; build the target {bench} first")
    # So that the environment is removed after a SIGTERM, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix=f"{packages[0]}-", dir=arguments.build) as folder:
        python = arguments.python
        if python is None:
            print(f"installing {', '.join(packages)} into {folder}", file=sys.stderr)
            python = install(folder, packages)
        # What the packages keep below the home folder goes with the rest. Packages that --python has there are still
        # found.
        given = dict(os.environ, HOME=folder, XDG_CACHE_HOME=folder, PYTHONUSERBASE=site.getuserbase(),
                     PYTHONDONTWRITEBYTECODE="1", **environment)
        given[FOLDER] = folder
        return subprocess.run([python, sys.argv[0], *sys.argv[1:]], env=given).returncode


class Commanded:
    """A program of ours that answers each line of its input with a line (see --on-command of the programs)."""

    def __init__(self, command):
        self._name = Path(command[0]).name
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.greeting = self._answer()

    def ask(self, *words):
        print(*words, file=self._process.stdin, flush=True)
        return self._answer()

    def close(self):
        self._process.stdin.close()
        self._process.wait()

    def _answer(self):
        line = self._process.stdout.readline().strip()
        if not line:
            fail(f"{self._name} ended with code {self._process.wait()}")
        return line


def burst_of(call, seconds):
    """Median milliseconds of a call, as our programs count: the first is not counted, three are the least."""
    call()
    end = time.perf_counter() + seconds
    times = []
    while len(times) < 3 or time.perf_counter() < end:
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return 1e3 * statistics.median(times)


def in_turn(rounds, pause, ours, theirs):
    """Lists of milliseconds of bursts: ours, theirs; entries of equal index are of neighbouring bursts. In the pause, of
    that many seconds, the other side's threads stop spinning."""
    times = ([], [])
    sides = (ours, theirs)
    for i in range(rounds):
        for side in (0, 1) if i % 2 == 0 else (1, 0):
            time.sleep(pause)
            times[side].append(sides[side]())
    return times


def ratio_of(times):
    """The median of their time over ours, and the columns "ratio", "quartiles" and "best" of a table."""
    ratios = [their / our for our, their in zip(*times)]
    middle = statistics.median(ratios)
    low, high = min(ratios), max(ratios)
    if len(ratios) > 1:
        low, _, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return middle, f"{middle:>8.2f}{f'{low:.2f}-{high:.2f}':>12}{min(times[1]) / min(times[0]):>7.2f}"


RATIO_HEADINGS = f"{'ratio':>8}{'quartiles':>12}{'best':>7}"


def pin(cores, threads):
    """Keeps this process, and what it starts from here on, on the first `threads` of `cores`."""
    os.sched_setaffinity(0, cores[:threads])
