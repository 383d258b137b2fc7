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

import os
import statistics
import sys

import in_turn

PACKAGES = ["torch", "numpy"]
PAUSE_S = 0.05
SIDE = 112

EXAMPLES = """examples:
  compare_pytorch.py
  compare_pytorch.py --threads 1 2 --batch 32 64 --rounds 20
  compare_pytorch.py --build build/release --cores 2,3 --require 1.0
"""


def parse_arguments():
    parser = in_turn.parser_of(__doc__, EXAMPLES, "train_bench", PACKAGES, rounds=10, burst=2.0, required="a row")
    parser.add_argument("--threads", nargs="+", type=int, default=[2])
    parser.add_argument("--batch", nargs="+", type=int, default=[64])
    parser.add_argument("--classes", type=int, default=1000, help="of the head (default: 1000)")
    arguments = parser.parse_args()
    if min(arguments.threads + [arguments.rounds]) < 1 or arguments.burst <= 0:
        parser.error("threads, rounds and burst must be above 0")
    if min(arguments.batch + [arguments.classes]) < 2:
        parser.error("batch and classes must be at least 2")
    arguments.build = arguments.build.resolve()
    return arguments


class OurSide(in_turn.Commanded):
    """train_bench, doing bursts on command."""

    def __init__(self, arguments, threads, batch):
        command = [arguments.build / "bin/train_bench", "--on-command", "--threads", str(threads)]
        super().__init__([*command, "--batch", str(batch), "--classes", str(arguments.classes)])
        self.parameters = int(self.greeting.split()[1])

    def burst(self, seconds):
        """Median milliseconds of a step."""
        return float(self.ask(seconds))


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
        return in_turn.burst_of(self.step, seconds)


def faster_order(arguments, threads, batch):
    """Their side in the faster order of memory."""
    sides = [TheirSide(threads, batch, arguments.classes, last) for last in (True, False)]
    times = ([], [])
    for _ in range(2):
        for i, side in enumerate(sides):
            times[i].append(side.burst(arguments.burst / 2))
    return sides[0] if min(times[0]) <= min(times[1]) else sides[1]


def print_row(threads, batch, order, times):
    """Prints a row of the table; returns the median ratio."""
    ratio, columns = in_turn.ratio_of(times)
    our, their = (statistics.median(side) for side in times)
    print(f"{threads:>7}{batch:>7}{our:>11.1f}{their:>13.1f}{columns}  {order}", flush=True)
    return ratio


def compare(arguments):
    """Measures everything; returns the exit code."""
    import torch

    cores = arguments.cores
    if len(cores) < max(arguments.threads):
        in_turn.fail(f"{max(arguments.threads)} threads, but {len(cores)} cores")
    print(f"PyTorch {torch.__version__}; MobileFaceNet-128, {arguments.classes} classes; {arguments.rounds} pairs of bursts "
          f"of {arguments.burst} s; cores {cores[: max(arguments.threads)]}")
    print(f"{'threads':>7}{'batch':>7}{'ours ms':>11}{'PyTorch ms':>13}{in_turn.RATIO_HEADINGS}  PyTorch's order", flush=True)
    slow = False
    for threads in arguments.threads:
        in_turn.pin(cores, threads)
        for batch in arguments.batch:
            theirs = faster_order(arguments, threads, batch)
            ours = OurSide(arguments, threads, batch)
            if ours.parameters != theirs.parameters:
                in_turn.fail(f"our network has {ours.parameters} parameters, PyTorch's {theirs.parameters}")
            times = in_turn.in_turn(arguments.rounds, PAUSE_S, lambda: ours.burst(arguments.burst),
                                    lambda: theirs.burst(arguments.burst))
            ratio = print_row(threads, batch, theirs.name, times)
            slow = slow or (arguments.require is not None and ratio < arguments.require)
            ours.close()
    return 3 if slow else 0


def main():
    arguments = parse_arguments()
    if os.environ.get(in_turn.FOLDER) is not None:
        return compare(arguments)
    return in_turn.run_with_packages(arguments, "train_bench", PACKAGES, CUDA_VISIBLE_DEVICES="")


if __name__ == "__main__":
    sys.exit(main())
