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

import os
import statistics
import sys
from pathlib import Path

import in_turn

PACKAGES = ["onnxruntime", "onnx", "numpy"]
LEAST_COSINE = 0.9999  # of the two sides' embeddings of one face
PAUSE_S = 0.02

EXAMPLES = """examples:
  compare_onnxruntime.py
  compare_onnxruntime.py --network mobilefacenet-128 --threads 1 2 --batch 8 --rounds 40
  compare_onnxruntime.py --build build/release --cores 2,3 --require 1.0
"""


def parse_arguments():
    parser = in_turn.parser_of(__doc__, EXAMPLES, "embed_bench", PACKAGES, rounds=20, burst=0.25,
                               required="MobileFaceNet at batch 8")
    parser.add_argument("--network", nargs="+", default=["mobilefacenet-128", "iresnet-50"])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--batch", nargs="+", type=int, default=[1, 8, 32])
    arguments = parser.parse_args()
    if min(arguments.threads + arguments.batch + [arguments.rounds]) < 1 or arguments.burst <= 0:
        parser.error("threads, batch, rounds and burst must be above 0")
    arguments.build = arguments.build.resolve()  # ONNX Runtime ignores a relative home folder
    return arguments


class OurSide(in_turn.Commanded):
    """embed_bench, doing bursts on command."""

    def __init__(self, arguments, network, threads, folder):
        command = [arguments.build / "bin/embed_bench", "--architecture", network]
        command += ["--threads", str(threads), "--on-command", folder, "--batch"]
        super().__init__([*command, *(str(batch) for batch in arguments.batch)])

    def burst(self, batch, seconds):
        """Median milliseconds of a call with `batch` faces."""
        return float(self.ask(batch, seconds))


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
        return in_turn.burst_of(lambda: self.embed(batch), seconds)


def check_embeddings(arguments, network, theirs, expected):
    """Ends the program unless both sides give the same embeddings for each batch size."""
    import numpy as np

    for batch in arguments.batch:
        embeddings = theirs.embed(batch)
        embeddings = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
        cosines = embeddings @ expected[:batch].T
        same = cosines.diagonal().min()
        if not same >= LEAST_COSINE:
            in_turn.fail(f"{network}, batch {batch}: the embeddings of the two sides have a cosine of {same:.6f}, "
                         f"expected {LEAST_COSINE} or more")
        # Two faces that a network cannot tell apart would pass with their rows exchanged.
        others = cosines[~np.eye(batch, dtype=bool)]
        if others.size and others.max() >= LEAST_COSINE:
            in_turn.fail(f"{network}: different faces give equal embeddings")


def print_row(network, threads, batch, times):
    """Prints a row of the table; returns the median ratio."""
    ratio, columns = in_turn.ratio_of(times)
    our, their = (statistics.median(side) for side in times)
    print(f"{network:<20}{threads:>8}{batch:>7}{our:>11.2f}{their:>11.2f}{columns}", flush=True)
    return ratio


def compare(arguments, folder):
    """Measures everything; returns the exit code."""
    import onnx_networks
    import onnxruntime

    for network in arguments.network:
        if network not in onnx_networks.ARCHITECTURES:
            in_turn.fail(f"unknown network {network}; known are {', '.join(onnx_networks.ARCHITECTURES)}")
    cores = arguments.cores
    if len(cores) < max(arguments.threads):
        in_turn.fail(f"{max(arguments.threads)} threads, but {len(cores)} cores")

    print(f"ONNX Runtime {onnxruntime.__version__}; {arguments.rounds} pairs of bursts of {arguments.burst} s; "
          f"cores {cores[: max(arguments.threads)]}")
    print(f"{'network':<20}{'threads':>8}{'batch':>7}{'ours ms':>11}{'ORT ms':>11}{in_turn.RATIO_HEADINGS}")
    slow = False
    for network in arguments.network:
        for threads in arguments.threads:
            in_turn.pin(cores, threads)
            ours = OurSide(arguments, network, threads, folder)
            weights = onnx_networks.read_safetensors(Path(folder) / "model.safetensors")
            faces = onnx_networks.read_safetensors(Path(folder) / "faces.safetensors")
            theirs = TheirSide(arguments, network, threads, weights, faces["input"])
            check_embeddings(arguments, network, theirs, faces["embedding"])
            for batch in arguments.batch:
                times = in_turn.in_turn(arguments.rounds, PAUSE_S, lambda: ours.burst(batch, arguments.burst),
                                        lambda: theirs.burst(batch, arguments.burst))
                ratio = print_row(network, threads, batch, times)
                required = network.startswith("mobilefacenet") and batch == 8
                if required and arguments.require is not None and ratio < arguments.require:
                    slow = True
            ours.close()
    return 3 if slow else 0


def main():
    arguments = parse_arguments()
    folder = os.environ.get(in_turn.FOLDER)
    if folder is not None:
        return compare(arguments, folder)
    return in_turn.run_with_packages(arguments, "embed_bench", PACKAGES)


if __name__ == "__main__":
    sys.exit(main())
