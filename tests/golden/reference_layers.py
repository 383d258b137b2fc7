"""PyTorch's layers with the random weights of face/network/random_weights.cc, for backbone_reference.py."""
import numpy as np
import torch
import torch.nn.functional as F

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


def stream_seed(seed, name):
    value = 0xCBF29CE484222325 ^ seed
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return value


def split_mix(seed, count):
    """SplitMix64 (Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.uint64(GOLDEN) * np.arange(1, count + 1, dtype=np.uint64)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def random_tensor(seed, name, shape):
    """The numbers of face/network/random_weights.cc."""
    count = int(np.prod(shape))
    bits = split_mix(stream_seed(seed, name), count)
    uniform = (bits >> np.uint64(43)).astype(np.float64) * 2.0**-20 - 1.0
    if name.endswith("running_mean") or name.endswith("bias"):
        values = 0.125 * uniform
    elif name.endswith("running_var"):
        values = 1.0 + 0.1875 * uniform
    elif len(shape) > 1:
        parts = sum(((bits >> np.uint64(16 * i)) & np.uint64(0xFFFF)).astype(np.int64) for i in range(4))
        spread = np.sqrt(2.0 / ((1.0 + 0.25 * 0.25) * np.prod(shape[1:], dtype=np.float64)))
        values = spread * ((parts - 2 * 65535).astype(np.float64) / 37837.2272)
    elif "prelu" in name:
        values = 0.25 + 0.125 * uniform
    else:
        values = 0.8125 + 0.125 * uniform
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


class Layers:
    """PyTorch's layers, whose weights are made when they are called first."""

    def __init__(self, seed):
        self.seed = seed
        self.tensors = {}
        self.parameters = 0

    def tensor(self, name, shape, parameter=True):
        if name not in self.tensors:
            self.tensors[name] = random_tensor(self.seed, name, shape)
            self.parameters += int(np.prod(shape)) if parameter else 0
        return self.tensors[name]

    def conv(self, x, name, out, kernel, stride=1, padding=0, groups=1, bias=False):
        weight = self.tensor(name + ".weight", (out, x.shape[1] // groups, kernel, kernel))
        return F.conv2d(x, weight, self.tensor(name + ".bias", (out,)) if bias else None, stride, padding, 1, groups)

    def norm(self, x, name, eps=1e-5, affine=True):
        size = (x.shape[1],)
        weight = self.tensor(name + ".weight", size) if affine else None
        bias = self.tensor(name + ".bias", size) if affine else None
        mean = self.tensor(name + ".running_mean", size, False)
        return F.batch_norm(x, mean, self.tensor(name + ".running_var", size, False), weight, bias, False, 0.1, eps)

    def layer_norm(self, x, name):
        size = (x.shape[-1],)
        return F.layer_norm(x, size, self.tensor(name + ".weight", size), self.tensor(name + ".bias", size))

    def prelu(self, x, name, slopes=None):
        return F.prelu(x, self.tensor(name + ".weight", (x.shape[1] if slopes is None else slopes,)))

    def linear(self, x, name, out, bias=True):
        weight = self.tensor(name + ".weight", (out, x.shape[-1]))
        return F.linear(x, weight, self.tensor(name + ".bias", (out,)) if bias else None)
