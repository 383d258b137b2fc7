#!/usr/bin/env python3
"""The other side of the comparison of embedding speed: the same network in PyTorch, eager and compiled.

Reads what gpu_embed_bench --write has written. Both sides do the same: 8-bit crops in the memory of the machine in,
unit-length embeddings in the memory of the machine out. Batches are copied from pinned memory, channels last, and several
may be in flight, each on a stream of its own. Compiled: torch.compile with frozen weights, recorded as CUDA graphs.

Greets with a line of JSON once it has compiled. Then answers "MODE BATCH IN_FLIGHT SECONDS" and "matrix SECONDS", the rate
of a large product of matrices in the same precision.
"""

import argparse
import contextlib
import sys
import time
from pathlib import Path

import torch

import peer_networks
from peer import OutOfTime, reason, say, wait_for, within

PRECISIONS = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
WARM_UPS = 3


class Slot:
    """A batch in flight."""

    def __init__(self, step, crops, device, record):
        self._step, self._graph = step, None
        self._cuda = device.type == "cuda"
        self._stream = torch.cuda.Stream(device) if self._cuda else None
        self._event = torch.cuda.Event() if self._cuda else None
        self._crops = crops.pin_memory() if self._cuda else crops
        self._input = torch.empty_like(crops, device=device)
        self._started = None
        with self._on_stream():
            for _ in range(WARM_UPS):
                self._output = step(self._input)
        wait_for(device)
        if record and self._cuda:
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph, stream=self._stream):
                self._output = step(self._input)
        self._embeddings = torch.empty(self._output.shape, dtype=self._output.dtype, pin_memory=self._cuda)

    def _on_stream(self):
        return torch.cuda.stream(self._stream) if self._cuda else contextlib.nullcontext()

    def launch(self):
        self._started = time.perf_counter()
        with self._on_stream():
            self._input.copy_(self._crops, non_blocking=True)
            if self._graph:
                self._graph.replay()
            else:
                self._output = self._step(self._input)
            self._embeddings.copy_(self._output, non_blocking=True)
            if self._cuda:
                self._event.record()

    def wait(self):
        """Seconds since it was launched."""
        if self._cuda:
            self._event.synchronize()
        return time.perf_counter() - self._started


class Peer:
    def __init__(self, arguments):
        self.device = torch.device(arguments.device)
        network = peer_networks.NETWORKS[arguments.architecture]().eval()
        network.load_state_dict(peer_networks.read_safetensors(arguments.folder / "model.safetensors"))
        self.multiply_adds = peer_networks.multiply_adds(network)
        self.dtype = PRECISIONS[arguments.precision]
        self._network = network.to(self.device, self.dtype, memory_format=torch.channels_last)
        self._faces = peer_networks.read_safetensors(arguments.folder / "faces.safetensors")
        self._steps = {"eager": self._embed}
        self._slots = {}
        self.compiled = []  # batches
        self.why = ""  # there are no more of them

    def _embed(self, crops):
        pictures = crops.flip(-1).float().sub(127.5).div(127.5).to(self.dtype)
        raw = self._network(pictures.permute(0, 3, 1, 2)).float()
        return torch.nn.functional.normalize(raw)

    def _crops(self, batch):
        return torch.randint(0, 256, (batch, peer_networks.SIDE, peer_networks.SIDE, 3), dtype=torch.uint8)

    def compile(self, batches, seconds, mode):
        """Compiles for one batch after the other while there is time."""
        torch._inductor.config.freezing = True
        step = self._steps["compiled"] = torch.compile(self._embed, mode=mode, dynamic=False)
        try:
            with within(seconds):
                for batch in batches:
                    step(self._crops(batch).to(self.device))
                    self.compiled.append(batch)
        except (Exception, OutOfTime) as error:  # of whatever kind: what was compiled before is still measured
            self.why = reason(error)

    def least_cosine(self):
        """Of its embeddings and ours."""
        made = self._embed(self._faces["crop"].to(self.device)).cpu()
        return torch.nn.functional.cosine_similarity(made.double(), self._faces["embedding"].double()).min().item()

    def rate(self, mode, batch, in_flight, seconds):
        key = mode, batch, in_flight
        if key not in self._slots:
            self._slots[key] = [Slot(self._steps[mode], self._crops(batch), self.device, mode == "compiled")
                                for _ in range(in_flight)]
        slots, times, launched = self._slots[key], [], 0
        started = time.perf_counter()
        while launched < max(3, in_flight) or time.perf_counter() - started < seconds:
            slot = slots[launched % in_flight]
            if launched >= in_flight:
                times.append(slot.wait())
            slot.launch()
            launched += 1
        times += [slots[i % in_flight].wait() for i in range(launched, launched + in_flight)]
        taken = time.perf_counter() - started
        times.sort()
        return {"batch": batch, "callers": in_flight, "faces_per_s": launched * batch / taken,
                "p50_ms": 1e3 * times[len(times) // 2], "p99_ms": 1e3 * times[len(times) * 99 // 100], "calls": launched}

    def matrix(self, seconds):
        """Multiplications and additions a second of a large product."""
        side = 8192 if self.device.type == "cuda" else 512
        a, b = (torch.randn(side, side, device=self.device, dtype=self.dtype) for _ in range(2))
        torch.mm(a, b)
        wait_for(self.device)
        started, products = time.perf_counter(), 0
        while time.perf_counter() - started < seconds:
            for _ in range(10):
                torch.mm(a, b)
            wait_for(self.device)
            products += 10
        return {"side": side, "tflops": 2e-12 * side**3 * products / (time.perf_counter() - started)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architecture", choices=peer_networks.NETWORKS, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="that gpu_embed_bench --write has filled")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--precision", choices=PRECISIONS, default="bf16")
    parser.add_argument("--batch", type=int, nargs="+", default=[256, 1, 64, 8], help="to compile for, in this order")
    parser.add_argument("--compile-limit", type=float, default=100.0, help="seconds; 0: eager alone")
    parser.add_argument("--compile-mode", default="default", help="of torch.compile, one without CUDA graphs of its own")
    arguments = parser.parse_args()
    started = time.monotonic()
    with torch.no_grad():
        peer = Peer(arguments)
        if arguments.compile_limit > 0:
            peer.compile(arguments.batch, arguments.compile_limit, arguments.compile_mode)
        say(torch=torch.__version__, architecture=arguments.architecture, precision=arguments.precision,
            multiply_adds=peer.multiply_adds, least_cosine=peer.least_cosine(), compiled=peer.compiled,
            compile_mode=arguments.compile_mode, ready_s=time.monotonic() - started, why=peer.why)
        for line in sys.stdin:
            # From the first question on the device is ours alone: cuDNN may try what is fastest.
            torch.backends.cudnn.benchmark = True
            words = line.split()
            if words[0] == "matrix":
                say(**peer.matrix(float(words[1])))
            else:
                say(**peer.rate(words[0], int(words[1]), int(words[2]), float(words[3])))


if __name__ == "__main__":
    main()
