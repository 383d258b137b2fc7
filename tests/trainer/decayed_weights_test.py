#!/usr/bin/env python3
"""Sees which tensors weight decay acts on: a network learns one batch of drawn faces with it and without; convolutions and
linear layers must differ then, and what has one dimension (batch norms, biases, slopes of PReLU) must be the same to the bit.

  decayed_weights_test.py --program build/bin/facegate-train
"""
import argparse
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

SETTINGS = {
    "synthetic.identities": 2, "synthetic.views": 2, "data.batch": 4, "schedule.epochs": 1, "schedule.warmup": 0,
    "schedule.kind": "constant", "machine.device": "cpu", "machine.threads": 2, "card.training_data": "drawn people",
}


def tensors_of(path):
    """{name: (shape, bytes)} of a safetensors file."""
    data = path.read_bytes()
    size, = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    return {name: (tensor["shape"], data[8 + size + tensor["data_offsets"][0]:8 + size + tensor["data_offsets"][1]])
            for name, tensor in header.items()}


def learned(program, folder, decay):
    run = folder / f"run-{decay}"
    command = [program, "fit", run, "--set", f"optimizer.weight_decay={decay}"]
    for key, value in SETTINGS.items():
        command += ["--set", f"{key}={value}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"decayed_weights_test: fit failed:\n{done.stdout}{done.stderr}")
    return tensors_of(run / "model.safetensors")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", type=pathlib.Path, required=True)
    program = parser.parse_args().program
    with tempfile.TemporaryDirectory() as name:
        without, decayed = (learned(program, pathlib.Path(name), decay) for decay in (0, 0.5))
    wrong = [tensor for tensor, (shape, data) in without.items()
             if (data == decayed[tensor][1]) != (len(shape) < 2)]
    layers = sum(len(shape) > 1 for shape, _ in without.values())
    print(f"{layers} layers are decayed, {len(without) - layers} other tensors are not; wrong: {wrong or 'none'}")
    return 1 if wrong or layers < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
