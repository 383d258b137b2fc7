#!/usr/bin/env python3
"""Writes networks of faces as TorchScript, scripted and traced, and what PyTorch makes of two pictures.

Writes FOLDER/KIND-WAY.pt for the kinds ir, mobile and normed and the ways script and trace, and prints a JSON object: the
embeddings of the two pictures by KIND, of unit length, and the pixels of the pictures (0..255, B G R, N x 112 x 112 x 3).
Exits with 77 where PyTorch is absent.

    tests/golden/write_torchscript.py FOLDER
"""

import json
import pathlib
import sys
import warnings

try:
    import torch
    import torch.nn.functional as F
    from torch import nn
except ImportError:
    sys.exit(77)


def norm(channels):
    """A batch norm that has learned."""
    layer = nn.BatchNorm2d(channels)
    with torch.no_grad():
        layer.weight.uniform_(0.5, 1.5)
        layer.bias.normal_(std=0.1)
        layer.running_mean.normal_(std=0.1)
        layer.running_var.uniform_(0.5, 1.5)
    return layer


class IrUnit(nn.Module):
    def __init__(self, channels, out, stride):
        super().__init__()
        self.bn1 = norm(channels)
        self.conv1 = nn.Conv2d(channels, out, 3, padding=1, bias=False)
        self.bn2 = norm(out)
        self.prelu = nn.PReLU(out)
        self.conv2 = nn.Conv2d(out, out, 3, stride, 1, bias=False)
        self.bn3 = norm(out)
        self.downsample = None
        if stride > 1:
            self.downsample = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), norm(out))

    def forward(self, x):
        identity = x
        out = self.bn3(self.conv2(self.prelu(self.bn2(self.conv1(self.bn1(x))))))
        if self.downsample is not None:
            identity = self.downsample(x)
        out += identity
        return out


class Ir(nn.Module):
    """Shaped and named as insightface's iResNets are."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.bn1 = norm(8)
        self.prelu = nn.PReLU(8)
        self.layer1 = nn.Sequential(IrUnit(8, 8, 2), IrUnit(8, 8, 1))
        self.layer2 = nn.Sequential(IrUnit(8, 16, 2))
        self.layer3 = nn.Sequential(IrUnit(16, 16, 2))
        self.layer4 = nn.Sequential(IrUnit(16, 16, 2))
        self.bn2 = norm(16)
        self.dropout = nn.Dropout(0.4, inplace=True)
        self.fc = nn.Linear(16 * 7 * 7, 64)
        self.features = nn.BatchNorm1d(64)

    def forward(self, x):
        x = self.prelu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        x = self.dropout(torch.flatten(self.bn2(x), 1))
        return self.features(self.fc(x))


class Gate(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.layers = nn.Sequential(nn.Linear(channels, 4), nn.ReLU(inplace=True), nn.Linear(4, channels), nn.Sigmoid())

    def forward(self, x):
        n, c = x.size(0), x.size(1)
        return x * self.layers(self.pool(x).view(n, c)).view(n, c, 1, 1)


class MobileUnit(nn.Module):
    def __init__(self, channels, middle, stride, residual):
        super().__init__()
        self.residual = residual
        self.layers = nn.Sequential(
            nn.Conv2d(channels, middle, 1, bias=False), norm(middle), nn.ReLU6(inplace=True),
            nn.Conv2d(middle, middle, 3, stride, 1, groups=middle, bias=False), norm(middle), nn.PReLU(middle),
            Gate(middle), nn.Conv2d(middle, channels, 1, bias=False), norm(channels),
        )  # fmt: skip

    def forward(self, x):
        return x + self.layers(x) if self.residual else self.layers(x)


class Mobile(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 4, 1), norm(8), nn.LeakyReLU(0.1))
        self.units = nn.ModuleList([MobileUnit(8, 16, 2, False), MobileUnit(8, 16, 1, True), MobileUnit(8, 16, 2, False)])
        self.last = nn.Sequential(nn.Conv2d(8, 32, 7, groups=8), norm(32))

    def forward(self, x):
        x = self.stem(x)
        for unit in self.units:
            x = unit(x)
        return self.last(x).reshape(x.size(0), -1)


class Normed(nn.Module):
    """Takes pixels, and gives an embedding of length 1 and its length, as AdaFace's networks do."""

    def __init__(self):
        super().__init__()
        self.trunk = Mobile()

    def forward(self, x):
        x = self.trunk((x - 127.5) / 127.5)
        return F.normalize(x), torch.norm(x, 2, 1, True)


def main():
    warnings.simplefilter("ignore")
    folder = pathlib.Path(sys.argv[1])
    torch.manual_seed(5)
    pixels = torch.randint(0, 256, (2, 3, 112, 112)).float()
    answer = {"pixels": pixels.flip(1).permute(0, 2, 3, 1).flatten().int().tolist()}
    for kind, network in (("ir", Ir()), ("mobile", Mobile()), ("normed", Normed())):
        network.eval()
        pictures = pixels if kind == "normed" else (pixels - 127.5) / 127.5
        with torch.no_grad():
            torch.jit.script(network).save(str(folder / f"{kind}-script.pt"))
            torch.jit.trace(network, pictures[:1]).save(str(folder / f"{kind}-trace.pt"))
            embeddings = network(pictures)
        rows = embeddings[0] if kind == "normed" else embeddings
        answer[kind] = F.normalize(rows.double()).tolist()
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
