#!/usr/bin/env python3
"""Compares the embedder's speed with ONNX Runtime's, on the same network, in the same run.

Makes a throw-away Python environment inside the build folder, installs onnxruntime, onnx and numpy
from PyPI into it, builds the ONNX graph from the weights that embed_bench writes, checks that both
sides give the same embeddings, and then measures them in turn: short bursts, ours, theirs, theirs,
ours, and so on, pinned to the same cores. The environment is removed at the end.

What is timed: ours, Embedder::Embed() from 8-bit crops to unit vectors (normalisation of pixels and
of embeddings included); theirs, InferenceSession.run() from a float tensor to raw embeddings, with
all graph optimisations and a fixed batch size. So our side does a little more. A ratio is their
time over ours in bursts next to each other: 1.0 or more means that ours is as fast or faster. The
table shows medians, the median ratio with its quartiles, and "best", their fastest burst over our
fastest, which a machine that does other things too disturbs least.

Exit code: 0; 1 when something failed or the embeddings differ; 3 when MobileFaceNet is slower than
--require says.
"""

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
PACKAGES = ["onnxruntime", "onnx", "numpy"]
LEAST_COSINE = 0.9999  # of the two sides' embeddings of one face
PAUSE_S = 0.02  # between bursts: the other side's threads stop spinning

EXAMPLES = """examples:
  compare_onnxruntime.py
  compare_onnxruntime.py --network mobilefacenet-128 --threads 1 2 --batch 8 --rounds 40
  compare_onnxruntime.py --build build/release --cores 2,3 --require 1.0
"""


def core_list(text):
    """The numbers of "0,1", for argparse."""
    cores = [int(core) for core in text.split(",")]
    if len(set(cores)) != len(cores) or not set(cores) <= os.sched_getaffinity(0):
        raise argparse.ArgumentTypeError(f"{text}: not cores that this process may use, each once")
    return cores


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--build",
        type=Path,
        default=ROOT / "build/release",
        help="build folder that holds bin/embed_bench (default: build/release)",
    )
    parser.add_argument("--network", nargs="+", default=["mobilefacenet-128", "iresnet-50"])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--batch", nargs="+", type=int, default=[1, 8, 32])
    parser.add_argument("--rounds", type=int, default=20, help="pairs of bursts (default: 20)")
    parser.add_argument(
        "--burst", type=float, default=0.25, help="seconds of one burst (default: 0.25)"
    )
    parser.add_argument(
        "--cores",
        type=core_list,
        default=sorted(os.sched_getaffinity(0)),
        help="cores to pin to, such as 0,1 (default: the first ones this process may use)",
    )
    parser.add_argument(
        "--require",
        type=float,
        metavar="RATIO",
        help="exit with 3 when MobileFaceNet at batch 8 has a smaller ratio",
    )
    parser.add_argument(
        "--python",
        type=Path,
        help="interpreter that has onnxruntime, onnx and numpy, instead of a throw-away one",
    )
    arguments = parser.parse_args()
    if min(arguments.threads + arguments.batch + [arguments.rounds]) < 1 or arguments.burst <= 0:
        parser.error("threads, batch, rounds and burst must be above 0")
    arguments.build = arguments.build.resolve()  # ONNX Runtime ignores a relative home folder
    return arguments


# In the first process: the environment.


def install(folder):
    """Makes a virtual environment in `folder`; returns its interpreter."""
    venv.create(folder, with_pip=True)
    python = Path(folder) / "bin/python"
    command = [python, "-m", "pip", "install", "--quiet", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--retries", "1", "--timeout", "30", *PACKAGES]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        last = "\n".join(done.stdout.strip().splitlines()[-3:])
        sys.exit(
            f"compare_onnxruntime: pip cannot install {', '.join(PACKAGES)}: is PyPI (or the index "
            f"that PIP_INDEX_URL names) in reach? pip says:\n{last}"
        )
    return python


def run_with_packages(arguments):
    """Runs this file again under an interpreter that has the packages; returns its exit code."""
    bench = arguments.build / "bin/embed_bench"
    if not bench.is_file():
        sys.exit(f"compare_onnxruntime: {bench} is not there; build the target embed_bench first")
    # So that the environment is removed after a SIGTERM, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="onnxruntime-", dir=arguments.build) as folder:
        python = arguments.python
        if python is None:
            print(f"installing {', '.join(PACKAGES)} into {folder}", file=sys.stderr)
            python = install(folder)
        # ONNX Runtime keeps files below the home folder: they go with the rest. Packages that
        # --python has there are still found.
        environment = dict(os.environ, HOME=folder, XDG_CACHE_HOME=folder)
        environment["PYTHONUSERBASE"] = site.getuserbase()
        environment.update(FACEGATE_BENCH_FOLDER=folder, PYTHONDONTWRITEBYTECODE="1")
        return subprocess.run([python, __file__, *sys.argv[1:]], env=environment).returncode


# In the second process: the comparison.


class OurSide:
    """embed_bench, doing bursts on command (see its --on-command)."""

    def __init__(self, arguments, network, threads, folder):
        command = [arguments.build / "bin/embed_bench", "--architecture", network]
        command += ["--threads", str(threads), "--on-command", folder, "--batch"]
        command += [str(batch) for batch in arguments.batch]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self._answer()  # "ready"

    def burst(self, batch, seconds):
        """Median milliseconds of a call with `batch` faces."""
        print(batch, seconds, file=self._process.stdin, flush=True)
        return float(self._answer())

    def close(self):
        self._process.stdin.close()
        self._process.wait()

    def _answer(self):
        line = self._process.stdout.readline().strip()
        if not line:
            sys.exit(f"compare_onnxruntime: embed_bench ended with code {self._process.wait()}")
        return line


class TheirSide:
    """One session of ONNX Runtime for each batch size."""

    def __init__(self, arguments, network, threads, weights, faces):
        import onnx_networks
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._faces = faces
        self._sessions = {
            batch: onnxruntime.InferenceSession(
                onnx_networks.build(network, weights, batch),
                options,
                providers=["CPUExecutionProvider"],
            )
            for batch in arguments.batch
        }

    def embed(self, batch):
        return self._sessions[batch].run(None, {"input": self._faces[:batch]})[0]

    def burst(self, batch, seconds):
        """As OurSide's: the first call is not counted, three are the least."""
        self.embed(batch)
        end = time.perf_counter() + seconds
        times = []
        while len(times) < 3 or time.perf_counter() < end:
            started = time.perf_counter()
            self.embed(batch)
            times.append(time.perf_counter() - started)
        return 1e3 * statistics.median(times)


def check_embeddings(arguments, network, theirs, expected):
    """Ends the program unless both sides give the same embeddings for each batch size."""
    import numpy as np

    for batch in arguments.batch:
        embeddings = theirs.embed(batch)
        embeddings = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
        cosines = embeddings @ expected[:batch].T
        same = cosines.diagonal().min()
        if not same >= LEAST_COSINE:
            sys.exit(
                f"compare_onnxruntime: {network}, batch {batch}: the embeddings of the two sides "
                f"have a cosine of {same:.6f}, expected {LEAST_COSINE} or more"
            )
        # Two faces that a network cannot tell apart would pass with their rows exchanged.
        others = cosines[~np.eye(batch, dtype=bool)]
        if others.size and others.max() >= LEAST_COSINE:
            sys.exit(f"compare_onnxruntime: {network}: different faces give equal embeddings")


def measure(arguments, batch, ours, theirs):
    """Lists of milliseconds: ours, theirs; entries of equal index are of neighbouring bursts."""
    times = ([], [])
    sides = (ours, theirs)
    for i in range(arguments.rounds):
        for side in (0, 1) if i % 2 == 0 else (1, 0):
            time.sleep(PAUSE_S)
            times[side].append(sides[side].burst(batch, arguments.burst))
    return times


def print_row(network, threads, batch, times):
    """Prints a row of the table; returns the median ratio."""
    ratios = [their / our for our, their in zip(*times)]
    middle = statistics.median(ratios)
    low, high = min(ratios), max(ratios)
    if len(ratios) > 1:
        low, _, high = statistics.quantiles(ratios, n=4, method="inclusive")
    our, their = (statistics.median(side) for side in times)
    print(
        f"{network:<20}{threads:>8}{batch:>7}{our:>11.2f}{their:>11.2f}{middle:>8.2f}"
        f"{f'{low:.2f}-{high:.2f}':>12}{min(times[1]) / min(times[0]):>7.2f}",
        flush=True,
    )
    return middle


def compare(arguments, folder):
    """Measures everything; returns the exit code."""
    import onnx_networks
    import onnxruntime

    for network in arguments.network:
        if network not in onnx_networks.ARCHITECTURES:
            known = ", ".join(onnx_networks.ARCHITECTURES)
            sys.exit(f"compare_onnxruntime: unknown network {network}; known are {known}")
    cores = arguments.cores
    if len(cores) < max(arguments.threads):
        sys.exit(f"compare_onnxruntime: {max(arguments.threads)} threads, but {len(cores)} cores")

    print(f"ONNX Runtime {onnxruntime.__version__}; {arguments.rounds} pairs of bursts of ", end="")
    print(f"{arguments.burst} s; cores {cores[: max(arguments.threads)]}")
    print(f"{'network':<20}{'threads':>8}{'batch':>7}{'ours ms':>11}{'ORT ms':>11}", end="")
    print(f"{'ratio':>8}{'quartiles':>12}{'best':>7}")
    slow = False
    for network in arguments.network:
        for threads in arguments.threads:
            os.sched_setaffinity(0, cores[:threads])  # what is started from here on inherits it
            ours = OurSide(arguments, network, threads, folder)
            weights = onnx_networks.read_safetensors(Path(folder) / "model.safetensors")
            faces = onnx_networks.read_safetensors(Path(folder) / "faces.safetensors")
            theirs = TheirSide(arguments, network, threads, weights, faces["input"])
            check_embeddings(arguments, network, theirs, faces["embedding"])
            for batch in arguments.batch:
                times = measure(arguments, batch, ours, theirs)
                ratio = print_row(network, threads, batch, times)
                required = network.startswith("mobilefacenet") and batch == 8
                if required and arguments.require is not None and ratio < arguments.require:
                    slow = True
            ours.close()
    return 3 if slow else 0


def main():
    arguments = parse_arguments()
    folder = os.environ.get("FACEGATE_BENCH_FOLDER")
    return run_with_packages(arguments) if folder is None else compare(arguments, folder)


if __name__ == "__main__":
    sys.exit(main())
