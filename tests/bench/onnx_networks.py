"""The backbones of face/network as ONNX graphs, built from their state dicts.

Names and shapes are those of face/network/mobilefacenet.cc and face/network/iresnet.cc. Batch norms are
left as they are: folding them is the runtime's own work, as it is ours.
"""

import json
from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

SIDE = 112  # pixels of the input
EPSILON = 1e-5  # of the batch norms
OPSET = 17
IR_VERSION = 8


def read_safetensors(path):
    """Arrays by name; float32 and int64 only, which is all that embed_bench writes."""
    data = Path(path).read_bytes()
    header_bytes = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + header_bytes])
    header.pop("__metadata__", None)
    body = data[8 + header_bytes :]
    arrays = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        dtype = {"F32": "<f4", "I64": "<i8"}[entry["dtype"]]
        arrays[name] = np.frombuffer(body[begin:end], dtype).reshape(entry["shape"])
    return arrays


class GraphBuilder:
    """Appends nodes; each call takes and returns the name of a value."""

    def __init__(self, weights):
        self._weights = weights
        self._unused = {name for name in weights if not name.endswith("num_batches_tracked")}
        self._nodes = []
        self._constants = {}

    def conv(self, x, name, stride=1, padding=0, groups=1):
        kernel = self._weights[name + ".weight"].shape[2]
        return self._node(
            "Conv",
            [x, self._weight(name + ".weight")],
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[padding] * 4,
            group=groups,
        )

    def batch_norm(self, x, name):
        parts = ["weight", "bias", "running_mean", "running_var"]
        inputs = [x] + [self._weight(f"{name}.{part}") for part in parts]
        return self._node("BatchNormalization", inputs, epsilon=EPSILON)

    def prelu(self, x, name):
        slope = self._weights[name + ".weight"]
        return self._node("PRelu", [x, self._weight(name + ".weight", slope.reshape(-1, 1, 1))])

    def linear(self, x, name):
        inputs = [x, self._weight(name + ".weight"), self._weight(name + ".bias")]
        return self._node("Gemm", inputs, transB=1)

    def add(self, x, y):
        return self._node("Add", [x, y])

    def flatten(self, x):
        return self._node("Flatten", [x], axis=1)

    def finish(self, output, batch):
        """The model for inputs of exactly `batch` rows, as bytes."""
        if self._unused:
            raise ValueError(f"weights that the graph does not use: {sorted(self._unused)[:3]}")
        self._nodes.append(helper.make_node("Identity", [output], ["embedding"]))
        graph = helper.make_graph(
            self._nodes,
            "backbone",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, [batch, 3, SIDE, SIDE])],
            [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [batch, None])],
            [numpy_helper.from_array(array, name) for name, array in self._constants.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = IR_VERSION
        checker.check_model(model)
        return model.SerializeToString()

    def _weight(self, name, array=None):
        self._constants[name] = np.ascontiguousarray(
            self._weights[name] if array is None else array
        )
        self._unused.discard(name)
        return name

    def _node(self, kind, inputs, **attributes):
        output = f"value{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output


def _mobilefacenet_128(net):
    def block(x, name, activate=True, **shape):
        x = net.batch_norm(net.conv(x, name + ".conv", **shape), name + ".bn")
        return net.prelu(x, name + ".prelu") if activate else x

    def unit(x, name, width, stride):
        y = block(x, name + ".conv")
        y = block(y, name + ".conv_dw", stride=stride, padding=1, groups=width)
        y = block(y, name + ".project", activate=False)
        return net.add(y, x) if stride == 1 else y

    def repeat(x, name, count, width):
        for i in range(count):
            x = unit(x, f"{name}.model.{i}", width, stride=1)
        return x

    x = block("input", "conv1", stride=2, padding=1)
    x = block(x, "conv2_dw", padding=1, groups=64)
    x = unit(x, "conv_23", 128, stride=2)
    x = repeat(x, "conv_3", 4, 128)
    x = unit(x, "conv_34", 256, stride=2)
    x = repeat(x, "conv_4", 6, 256)
    x = unit(x, "conv_45", 512, stride=2)
    x = repeat(x, "conv_5", 2, 256)
    x = net.prelu(net.batch_norm(net.conv(x, "sep"), "sep_bn"), "prelu")
    x = net.batch_norm(net.conv(x, "GDC_dw", groups=512), "GDC_bn")
    x = net.batch_norm(net.conv(x, "features"), "last_bn")
    return net.flatten(x)


def _iresnet(net, units):
    def unit(x, name, stride, shortcut):
        y = net.conv(net.batch_norm(x, name + ".bn1"), name + ".conv1", padding=1)
        y = net.prelu(net.batch_norm(y, name + ".bn2"), name + ".prelu")
        y = net.batch_norm(net.conv(y, name + ".conv2", stride=stride, padding=1), name + ".bn3")
        if shortcut:
            x = net.conv(x, name + ".downsample.0", stride=stride)
            x = net.batch_norm(x, name + ".downsample.1")
        return net.add(y, x)

    x = net.prelu(net.batch_norm(net.conv("input", "conv1", padding=1), "bn1"), "prelu")
    for stage, count in enumerate(units, start=1):
        for i in range(count):
            first = i == 0
            x = unit(x, f"layer{stage}.{i}", stride=2 if first else 1, shortcut=first)
    x = net.linear(net.flatten(net.batch_norm(x, "bn2")), "fc")
    return net.batch_norm(x, "features")


_NETWORKS = {
    "mobilefacenet-128": _mobilefacenet_128,
    "iresnet-18": lambda net: _iresnet(net, (2, 2, 2, 2)),
    "iresnet-34": lambda net: _iresnet(net, (3, 4, 6, 3)),
    "iresnet-50": lambda net: _iresnet(net, (3, 4, 14, 3)),
    "iresnet-100": lambda net: _iresnet(net, (3, 13, 30, 3)),
}
ARCHITECTURES = tuple(_NETWORKS)


def build(architecture, weights, batch):
    """The ONNX model of `architecture` for inputs of `batch` rows, as bytes."""
    net = GraphBuilder(weights)
    return net.finish(_NETWORKS[architecture](net), batch)
