"""The backbones of face/network in plain PyTorch. Names and shapes of their tensors are those of our model files, so that
both sides compute the same from the same weights."""

import json
from pathlib import Path

import torch
from torch import nn

SIDE = 112  # pixels of the input


def chain(**layers):
    """A sequence of layers that have names."""
    named = nn.Sequential()
    for name, layer in layers.items():
        named.add_module(name.lstrip("_"), layer)
    return named


class Residual(nn.Module):
    """Adds its input, or what a shortcut makes of it."""

    def __init__(self, layers, downsample=None):
        super().__init__()
        for name, layer in layers.named_children():
            self.add_module(name, layer)
        self._order = [name for name, _ in layers.named_children()]
        if downsample is not None:
            self.downsample = downsample

    def forward(self, x):
        y = x
        for name in self._order:
            y = getattr(self, name)(y)
        return y + (self.downsample(x) if hasattr(self, "downsample") else x)


def conv(inputs, outputs, kernel=1, stride=1, padding=0, groups=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)


def iresnet(units):
    def unit(inputs, outputs, stride):
        layers = chain(bn1=nn.BatchNorm2d(inputs), conv1=conv(inputs, outputs, 3, 1, 1), bn2=nn.BatchNorm2d(outputs),
                       prelu=nn.PReLU(outputs), conv2=conv(outputs, outputs, 3, stride, 1), bn3=nn.BatchNorm2d(outputs))
        if stride == 1 and inputs == outputs:
            return Residual(layers)
        return Residual(layers, nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs)))

    def stage(count, inputs, outputs):
        return nn.Sequential(unit(inputs, outputs, 2), *(unit(outputs, outputs, 1) for _ in range(count - 1)))

    return chain(conv1=conv(3, 64, 3, 1, 1), bn1=nn.BatchNorm2d(64), prelu=nn.PReLU(64),
                 layer1=stage(units[0], 64, 64), layer2=stage(units[1], 64, 128), layer3=stage(units[2], 128, 256),
                 layer4=stage(units[3], 256, 512), bn2=nn.BatchNorm2d(512), flatten=nn.Flatten(),
                 fc=nn.Linear(512 * 7 * 7, 512), features=nn.BatchNorm1d(512))


def mobilefacenet_512():
    def block(inputs, outputs, kernel=1, stride=1, padding=0, groups=1, activate=True):
        layers = [conv(inputs, outputs, kernel, stride, padding, groups), nn.BatchNorm2d(outputs)]
        return chain(layers=nn.Sequential(*layers, *([nn.PReLU(outputs)] if activate else [])))

    def unit(inputs, outputs, middle, stride):
        layers = chain(layers=nn.Sequential(block(inputs, middle), block(middle, middle, 3, stride, 1, middle),
                                            block(middle, outputs, activate=False)))
        return layers if stride != 1 else Residual(layers)

    def repeat(count, width, middle):
        return chain(layers=nn.Sequential(*(unit(width, width, middle, 1) for _ in range(count))))

    trunk = nn.Sequential(block(3, 128, 3, 2, 1), block(128, 128, 3, 1, 1, 64), unit(128, 128, 128, 2),
                          repeat(4, 128, 128), unit(128, 256, 256, 2), repeat(6, 256, 256), unit(256, 256, 512, 2),
                          repeat(2, 256, 256))
    head = nn.Sequential(block(512, 512, 7, groups=512, activate=False), nn.Flatten(), nn.Linear(512, 512, bias=False),
                         nn.BatchNorm1d(512))
    return chain(layers=trunk, conv_sep=block(256, 512), features=chain(layers=head))


NETWORKS = {
    "iresnet-18": lambda: iresnet((2, 2, 2, 2)),
    "iresnet-50": lambda: iresnet((3, 4, 14, 3)),
    "iresnet-100": lambda: iresnet((3, 13, 30, 3)),
    "mobilefacenet-512": mobilefacenet_512,
}


def read_safetensors(path):
    """Tensors by name."""
    data = bytearray(Path(path).read_bytes())
    begin = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:begin])
    header.pop("__metadata__", None)
    types = {"F32": torch.float32, "I64": torch.int64, "U8": torch.uint8}
    tensors = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        flat = torch.frombuffer(data[begin + first:begin + last], dtype=types[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"])
    return tensors


def multiply_adds(network):
    """Of one picture through the convolutions and linear layers."""
    counts = []

    def count(layer, _inputs, output):
        places = output.numel() // output.shape[1]
        counts.append(places * layer.weight.numel())

    hooks = [layer.register_forward_hook(count) for layer in network.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    with torch.no_grad():
        network(torch.zeros(1, 3, SIDE, SIDE))
    for hook in hooks:
        hook.remove()
    return sum(counts)
