#!/usr/bin/env python3
"""Writes networks of backbone_reference.py as ONNX graphs by PyTorch's own exporter.

Writes FOLDER/NAME.onnx for each, and prints a JSON object with the embeddings of two pictures by NAME, of unit length.
Exits with 77 where torch.onnx.export cannot be used.

    tests/golden/export_backbones.py FOLDER NAME...
"""
import json
import pathlib
import sys
import warnings

try:
    import onnx  # noqa: F401 - the exporter needs it
    import torch
except ImportError:
    sys.exit(77)

import backbone_reference as reference
from reference_layers import Layers


class Network(torch.nn.Module):
    """A reference network whose tensors are parameters, so that the graph has them as initializers of their names."""

    def __init__(self, net, forward):
        super().__init__()
        self.net = net
        self.function = forward
        self.names = list(net.tensors)
        self.values = torch.nn.ParameterList([torch.nn.Parameter(net.tensors[name]) for name in self.names])

    def forward(self, x):
        self.net.tensors = dict(zip(self.names, self.values))
        return self.function(self.net, x)


def main():
    warnings.simplefilter("ignore")
    folder = pathlib.Path(sys.argv[1])
    embeddings = {}
    for name in sys.argv[2:]:
        (channels, side), forward = reference.NETWORKS[name]
        pictures = reference.pictures(channels, side)
        net = Layers(7)
        with torch.no_grad():
            rows = torch.nn.functional.normalize(forward(net, pictures).double())
            torch.onnx.export(
                Network(net, forward).eval(), (pictures[:1],), str(folder / f"{name}.onnx"), opset_version=13,
                input_names=["data"], output_names=["embedding"], dynamic_axes={"data": {0: "batch"}}, dynamo=False,
            )  # fmt: skip
        embeddings[name] = rows.tolist()
    print(json.dumps(embeddings))


if __name__ == "__main__":
    main()
