#!/usr/bin/env python3
"""Prints what ONNX Runtime gives for a model and the pixels of a .npy (N x numbers), as JSON; ONNX's own checker sees the
model first.

Usage: run_onnx.py MODEL PIXELS. The pixels get the shape and the type of the model's input. Exits with 77 where one of the
packages numpy, onnx and onnxruntime is absent.
"""

import json
import sys

try:
    import numpy
    import onnx
    import onnxruntime
except ImportError as error:
    print(f"a package is absent: {error}", file=sys.stderr)
    sys.exit(77)

TYPES = {"tensor(float)": numpy.float32, "tensor(uint8)": numpy.uint8}


def main():
    onnx.checker.check_model(onnx.load(sys.argv[1]), full_check=True)
    session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
    (data,) = session.get_inputs()
    pixels = numpy.load(sys.argv[2]).reshape([-1, *data.shape[1:]]).astype(TYPES[data.type])
    (embedding,) = session.get_outputs()
    (values,) = session.run(None, {data.name: pixels})
    json.dump({"input": data.name, "output": embedding.name, "values": values.tolist()}, sys.stdout)


if __name__ == "__main__":
    main()
