#!/usr/bin/env python3
"""The other side of the comparison of training speed: the same network and recipe in PyTorch, eager and compiled.

A step on random pictures that lie ready: forward in BF16 by autocast, channels last, ArcFace and its loss in fp32, backward,
the norm of all gradients, and fused SGD with Nesterov momentum and weight decay. Nothing is read back within a step.

Greets with a line of JSON, then answers "MODE SECONDS".
"""

import argparse
import sys
import time

import torch
from torch.nn import functional

import peer_networks
from peer import OutOfTime, reason, say, wait_for, within


class Peer:
    def __init__(self, arguments):
        torch.manual_seed(1)
        self.device = torch.device(arguments.device)
        self.batch = arguments.batch
        network = peer_networks.NETWORKS[arguments.architecture]().train()
        self._network = network.to(self.device, memory_format=torch.channels_last)
        self._centres = torch.nn.Parameter(0.01 * torch.randn(arguments.classes, 512, device=self.device))
        pictures = torch.rand(arguments.batch, 3, peer_networks.SIDE, peer_networks.SIDE, device=self.device)
        self._pictures = pictures.mul_(2).sub_(1).contiguous(memory_format=torch.channels_last)
        self._labels = torch.randint(arguments.classes, (arguments.batch,), device=self.device)
        self._parameters = [*self._network.parameters(), self._centres]
        groups = [{"params": [p for p in self._parameters if p.dim() > 1], "weight_decay": 5e-4},
                  {"params": [p for p in self._parameters if p.dim() <= 1], "weight_decay": 0.0}]
        self._optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9, nesterov=True, fused=True)
        self.losses = {"eager": self._loss}
        self.why = ""  # there is no compiled one

    def _loss(self, pictures, labels):
        with torch.autocast(self.device.type, torch.bfloat16):
            embeddings = self._network(pictures)
        cosines = functional.linear(functional.normalize(embeddings.float()), functional.normalize(self._centres))
        right = cosines.clamp(-1.0, 1.0).gather(1, labels[:, None])
        angle = torch.acos(right.clamp(-1 + 1e-7, 1 - 1e-7))
        logits = 64.0 * cosines.scatter(1, labels[:, None], torch.cos(angle + 0.5))
        return functional.cross_entropy(logits, labels)

    def compile(self, seconds):
        self.losses["compiled"] = torch.compile(self._loss, dynamic=False)
        try:
            with within(seconds):
                self.step("compiled")
        except (Exception, OutOfTime) as error:  # of whatever kind: the eager side is still measured
            del self.losses["compiled"]
            self.why = reason(error)

    def step(self, mode):
        self._optimizer.zero_grad(set_to_none=True)
        self.losses[mode](self._pictures, self._labels).backward()
        torch.nn.utils.get_total_norm([p.grad for p in self._parameters])
        self._optimizer.step()

    def rate(self, mode, seconds):
        for _ in range(2):
            self.step(mode)
        wait_for(self.device)
        started, steps = time.perf_counter(), 0
        while steps < 2 or time.perf_counter() - started < seconds:
            for _ in range(2):
                self.step(mode)
            wait_for(self.device)
            steps += 2
        taken = time.perf_counter() - started
        return {"images_per_s": steps * self.batch / taken, "step_ms": 1e3 * taken / steps}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architecture", choices=peer_networks.NETWORKS, required=True)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--classes", type=int, default=10_000)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--compile-limit", type=float, default=100.0, help="seconds; 0: eager alone")
    arguments = parser.parse_args()
    started = time.monotonic()
    peer = Peer(arguments)
    if arguments.compile_limit > 0:
        peer.compile(arguments.compile_limit)
    say(torch=torch.__version__, modes=list(peer.losses), ready_s=time.monotonic() - started, why=peer.why)
    for line in sys.stdin:
        # From the first question on the device is ours alone: cuDNN may try what is fastest.
        torch.backends.cudnn.benchmark = True
        mode, seconds = line.split()
        say(**peer.rate(mode, float(seconds)))


if __name__ == "__main__":
    main()
