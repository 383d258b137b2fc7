#!/usr/bin/env python3
"""Compares the speed of a training step with PyTorch's, on the same network, in the same run.

Makes a throw-away Python environment inside the build folder, installs torch and numpy from PyPI
into it (some gigabytes: what PyPI has runs on the CPU and on GPUs; here it sees no GPU), and
measures both sides in turn: ours, theirs, theirs, ours, and so on, pinned to the same cores. The
environment is removed at the end.

What is timed, on both sides: one step of MobileFaceNet-128 on a batch of random pictures that lies
ready, in fp32: forward, ArcFace with the loss, backward, the share of right answers, the norm of
all gradients, and SGD with Nesterov momentum and weight decay. Theirs is eager mode, in the better
of NCHW and channels_last, with what PyTorch offers for speed there: its own choice of optimiser kernels,
gradients set to None. A ratio is their time over ours in bursts next to each other: 1.0 or more
means that ours is as fast or faster. The table shows medians, the median ratio with its quartiles,
and "best", their fastest burst over our fastest, which a machine that does other things too
disturbs least.

Exit code: 0; 1 when something failed or the networks differ; 3 when ours is slower than --require
says.
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
PACKAGES = ["torch", "numpy"]
PAUSE_S = 0.05  # between bursts: the other side's threads stop spinning
SIDE = 112

EXAMPLES = """examples:
  compare_pytorch.py
  compare_pytorch.py --threads 1 2 --batch 32 64 --rounds 20
  compare_pytorch.py --build build/release --cores 2,3 --require 1.0
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
        help="build folder that holds bin/train_bench (default: build/release)",
    )
    parser.add_argument("--threads", nargs="+", type=int, default=[2])
    parser.add_argument("--batch", nargs="+", type=int, default=[64])
    parser.add_argument("--classes", type=int, default=1000, help="of the head (default: 1000)")
    parser.add_argument("--rounds", type=int, default=10, help="pairs of bursts (default: 10)")
    parser.add_argument(
        "--burst", type=float, default=2.0, help="seconds of one burst (default: 2)"
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
        help="exit with 3 when a row has a smaller ratio",
    )
    parser.add_argument(
        "--python",
        type=Path,
        help="interpreter that has torch and numpy, instead of a throw-away one",
    )
    arguments = parser.parse_args()
    if min(arguments.threads + [arguments.rounds]) < 1 or arguments.burst <= 0:
        parser.error("threads, rounds and burst must be above 0")
    if min(arguments.batch + [arguments.classes]) < 2:
        parser.error("batch and classes must be at least 2")
    arguments.build = arguments.build.resolve()
    return arguments


# In the first process: the environment.


def install(folder):
    """Makes a virtual environment in `folder`; returns its interpreter."""
    venv.create(folder, with_pip=True)
    python = Path(folder) / "bin/python"
    command = [python, "-m", "pip", "install", "--quiet", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--retries", "1", "--timeout", "30", *PACKAGES]
    # Unpacked where the environment is: a small /tmp would be too small.
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=dict(os.environ, TMPDIR=str(folder)),
    )
    if done.returncode != 0:
        last = "\n".join(done.stdout.strip().splitlines()[-3:])
        sys.exit(
            f"compare_pytorch: pip cannot install {', '.join(PACKAGES)}: is PyPI (or the index "
            f"that PIP_INDEX_URL names) in reach? pip says:\n{last}"
        )
    return python


def run_with_packages(arguments):
    """Runs this file again under an interpreter that has the packages; returns its exit code."""
    bench = arguments.build / "bin/train_bench"
    if not bench.is_file():
        sys.exit(f"compare_pytorch: {bench} is not there; build the target train_bench first")
    # So that the environment is removed after a SIGTERM, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="pytorch-", dir=arguments.build) as folder:
        python = arguments.python
        if python is None:
            print(f"installing {', '.join(PACKAGES)} into {folder}", file=sys.stderr)
            python = install(folder)
        environment = dict(os.environ, HOME=folder, XDG_CACHE_HOME=folder)
        environment["PYTHONUSERBASE"] = site.getuserbase()
        environment.update(FACEGATE_BENCH_FOLDER=folder, PYTHONDONTWRITEBYTECODE="1")
        environment["CUDA_VISIBLE_DEVICES"] = ""
        return subprocess.run([python, __file__, *sys.argv[1:]], env=environment).returncode


# In the second process: the comparison.


class OurSide:
    """train_bench, doing bursts on command (see its --on-command)."""

    def __init__(self, arguments, threads, batch):
        command = [arguments.build / "bin/train_bench", "--on-command", "--threads", str(threads)]
        command += ["--batch", str(batch), "--classes", str(arguments.classes)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.parameters = int(self._answer().split()[1])

    def burst(self, seconds):
        """Median milliseconds of a step."""
        print(seconds, file=self._process.stdin, flush=True)
        return float(self._answer())

    def close(self):
        self._process.stdin.close()
        self._process.wait()

    def _answer(self):
        line = self._process.stdout.readline().strip()
        if not line:
            sys.exit(f"compare_pytorch: train_bench ended with code {self._process.wait()}")
        return line


def build_network():
    """MobileFaceNet with 128 numbers at its end, as a PyTorch module."""
    from torch import nn

    def block(inputs, outputs, kernel=1, stride=1, padding=0, groups=1, activate=True):
        layers = [
            nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False),
            nn.BatchNorm2d(outputs),
        ]
        return nn.Sequential(*layers, *([nn.PReLU(outputs)] if activate else []))

    class Unit(nn.Module):
        def __init__(self, inputs, outputs, middle, stride):
            super().__init__()
            self.residual = stride == 1
            self.layers = nn.Sequential(
                block(inputs, middle),
                block(middle, middle, 3, stride, 1, middle),
                block(middle, outputs, activate=False),
            )

        def forward(self, x):
            return x + self.layers(x) if self.residual else self.layers(x)

    def repeat(count, width, middle):
        return [Unit(width, width, middle, 1) for _ in range(count)]

    return nn.Sequential(
        block(3, 64, 3, 2, 1),
        block(64, 64, 3, 1, 1, 64),
        Unit(64, 64, 128, 2),
        *repeat(4, 64, 128),
        Unit(64, 128, 256, 2),
        *repeat(6, 128, 256),
        Unit(128, 128, 512, 2),
        *repeat(2, 128, 256),
        block(128, 512),
        block(512, 512, 7, groups=512, activate=False),
        block(512, 128, activate=False),
        nn.Flatten(),
    )


class TheirSide:
    """The same step in PyTorch, in one order of memory."""

    def __init__(self, threads, batch, classes, channels_last):
        import torch

        self._torch = torch
        torch.set_num_threads(threads)
        torch.manual_seed(1)
        order = torch.channels_last if channels_last else torch.contiguous_format
        self.name = "channels_last" if channels_last else "NCHW"
        self._network = build_network().to(memory_format=order).train()
        self._centres = torch.nn.Parameter(0.01 * torch.randn(classes, 128))
        self._pictures = torch.rand(batch, 3, SIDE, SIDE).mul_(2).sub_(1)
        self._order = order
        self._labels = torch.randint(classes, (batch,))
        self._parameters = [*self._network.parameters(), self._centres]
        decayed = [p for p in self._parameters if p.dim() > 1]
        others = [p for p in self._parameters if p.dim() <= 1]
        self._optimizer = torch.optim.SGD(
            [
                {"params": decayed, "weight_decay": 5e-4},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=0.01,
            momentum=0.9,
            nesterov=True,
        )
        self.parameters = sum(p.numel() for p in self._parameters)

    def step(self):
        torch = self._torch
        functional = torch.nn.functional
        self._optimizer.zero_grad(set_to_none=True)
        embeddings = self._network(self._pictures.contiguous(memory_format=self._order))
        cosines = functional.linear(
            functional.normalize(embeddings), functional.normalize(self._centres)
        ).clamp(-1.0, 1.0)
        right = cosines.gather(1, self._labels[:, None])
        angle = torch.acos(right.clamp(-1 + 1e-7, 1 - 1e-7))
        logits = 64.0 * cosines.scatter(1, self._labels[:, None], torch.cos(angle + 0.5))
        loss = functional.cross_entropy(logits, self._labels)
        loss.backward()
        (cosines.argmax(1) == self._labels).float().mean().item()
        torch.nn.utils.get_total_norm([p.grad for p in self._parameters]).item()
        self._optimizer.step()
        return loss.item()

    def burst(self, seconds):
        """As OurSide's: the first step is not counted, three are the least."""
        self.step()
        end = time.perf_counter() + seconds
        times = []
        while len(times) < 3 or time.perf_counter() < end:
            started = time.perf_counter()
            self.step()
            times.append(time.perf_counter() - started)
        return 1e3 * statistics.median(times)


def faster_order(arguments, threads, batch):
    """Their side in the faster order of memory."""
    sides = [TheirSide(threads, batch, arguments.classes, last) for last in (True, False)]
    times = ([], [])
    for _ in range(2):
        for i, side in enumerate(sides):
            times[i].append(side.burst(arguments.burst / 2))
    return sides[0] if min(times[0]) <= min(times[1]) else sides[1]


def measure(arguments, ours, theirs):
    """Lists of milliseconds: ours, theirs; entries of equal index are of neighbouring bursts."""
    times = ([], [])
    sides = (ours, theirs)
    for i in range(arguments.rounds):
        for side in (0, 1) if i % 2 == 0 else (1, 0):
            time.sleep(PAUSE_S)
            times[side].append(sides[side].burst(arguments.burst))
    return times


def print_row(threads, batch, order, times):
    """Prints a row of the table; returns the median ratio."""
    ratios = [their / our for our, their in zip(*times)]
    middle = statistics.median(ratios)
    low, high = min(ratios), max(ratios)
    if len(ratios) > 1:
        low, _, high = statistics.quantiles(ratios, n=4, method="inclusive")
    our, their = (statistics.median(side) for side in times)
    print(
        f"{threads:>7}{batch:>7}{our:>11.1f}{their:>13.1f}{middle:>8.2f}"
        f"{f'{low:.2f}-{high:.2f}':>12}{min(times[1]) / min(times[0]):>7.2f}  {order}",
        flush=True,
    )
    return middle


def compare(arguments):
    """Measures everything; returns the exit code."""
    import torch

    cores = arguments.cores
    if len(cores) < max(arguments.threads):
        sys.exit(f"compare_pytorch: {max(arguments.threads)} threads, but {len(cores)} cores")
    print(f"PyTorch {torch.__version__}; MobileFaceNet-128, {arguments.classes} classes; ", end="")
    print(f"{arguments.rounds} pairs of bursts of {arguments.burst} s; ", end="")
    print(f"cores {cores[: max(arguments.threads)]}")
    print(f"{'threads':>7}{'batch':>7}{'ours ms':>11}{'PyTorch ms':>13}", end="")
    print(f"{'ratio':>8}{'quartiles':>12}{'best':>7}  PyTorch's order", flush=True)
    slow = False
    for threads in arguments.threads:
        os.sched_setaffinity(0, cores[:threads])  # what is started from here on inherits it
        for batch in arguments.batch:
            theirs = faster_order(arguments, threads, batch)
            ours = OurSide(arguments, threads, batch)
            if ours.parameters != theirs.parameters:
                sys.exit(
                    f"compare_pytorch: our network has {ours.parameters} parameters, "
                    f"PyTorch's {theirs.parameters}"
                )
            ratio = print_row(threads, batch, theirs.name, measure(arguments, ours, theirs))
            slow = slow or (arguments.require is not None and ratio < arguments.require)
            ours.close()
    return 3 if slow else 0


def main():
    arguments = parse_arguments()
    folder = os.environ.get("FACEGATE_BENCH_FOLDER")
    return run_with_packages(arguments) if folder is None else compare(arguments)


if __name__ == "__main__":
    sys.exit(main())
