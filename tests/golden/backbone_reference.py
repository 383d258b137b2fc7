#!/usr/bin/env python3
"""Computes what the backbones of face/network give, by PyTorch's functions and nothing of facegate.

Prints for each network its parameters, and for random weights of seed 7 the first numbers of the second picture's
embedding of unit length and the cosine of two pictures: the table of tests/face/torch/backbone_test.cc. The networks are
those of the projects that face/network/architecture.h names. Needs numpy and torch (Debian: python3-torch).

    tests/golden/backbone_reference.py [NAME...]
"""
import sys

import torch
import torch.nn.functional as F

from reference_layers import Layers


def mobilefacenet(net, x, stem, names, inner, layer, parts, repeats):
    """The trunk; `layer` names convolution, norm and PReLU of a block, `parts` the three blocks of a unit."""

    def block(x, at, out, kernel, stride=1, padding=0, groups=1, active=True):
        x = net.norm(net.conv(x, at + layer[0], out, kernel, stride, padding, groups), at + layer[1])
        return net.prelu(x, at + layer[2]) if active else x

    def unit(x, at, out, middle, stride):
        y = block(x, f"{at}{parts[0]}.{inner}", middle, 1)
        y = block(y, f"{at}{parts[1]}.{inner}", middle, 3, stride, 1, middle)
        y = block(y, f"{at}{parts[2]}.{inner}", out, 1, active=False)
        return x + y if stride == 1 else y

    x = block(x, f"{names[0]}.{inner}", stem, 3, 2, 1)
    x = block(x, f"{names[1]}.{inner}", stem, 3, 1, 1, 64)
    stages = ((1, 128, 4, 128), (2, 256, 6, 256), (2, 512, 2, 256))
    for i, (wide, down, units, middle) in enumerate(stages):
        x = unit(x, f"{names[2 + 2 * i]}.{inner}", wide * stem, down, 2)
        for number in range(units):
            x = unit(x, f"{names[3 + 2 * i]}.{repeats}.{number}.{inner}", wide * stem, middle, 1)
    return x


def mobilefacenet_128(net, x):
    names = ("conv1", "conv2_dw", "conv_23", "conv_3", "conv_34", "conv_4", "conv_45", "conv_5")
    x = mobilefacenet(net, x, 64, names, "", ("conv", "bn", "prelu"), ("conv", "conv_dw", "project"), "model")
    x = net.prelu(net.norm(net.conv(x, "sep", 512, 1), "sep_bn"), "prelu")
    x = net.norm(net.conv(x, "GDC_dw", 512, 7, groups=512), "GDC_bn")
    return net.norm(net.conv(x, "features", 128, 1), "last_bn").flatten(1)


def mobilefacenet_512(net, x):
    names = [f"layers.{i}" for i in range(8)]
    x = mobilefacenet(net, x, 128, names, "layers.", "012", "012", "layers")
    x = net.norm(net.conv(x, "conv_sep.layers.0", 512, 1), "conv_sep.layers.1")
    x = net.prelu(x, "conv_sep.layers.2")
    at = "features.layers."
    x = net.norm(net.conv(x, at + "0.layers.0", 512, 7, groups=512), at + "0.layers.1")
    return net.norm(net.linear(x.flatten(1), at + "2", 512, False), at + "3")


def iresnet(net, x, units):
    x = net.prelu(net.norm(net.conv(x, "conv1", 64, 3, padding=1), "bn1"), "prelu")
    for stage, count in enumerate(units):
        width = 64 << stage
        for unit in range(count):
            at, stride = f"layer{stage + 1}.{unit}.", 1 if unit else 2
            y = net.norm(net.conv(net.norm(x, at + "bn1"), at + "conv1", width, 3, 1, 1), at + "bn2")
            y = net.norm(net.conv(net.prelu(y, at + "prelu"), at + "conv2", width, 3, stride, 1), at + "bn3")
            if unit == 0:
                x = net.norm(net.conv(x, at + "downsample.0", width, 1, stride), at + "downsample.1")
            x = x + y
    return net.norm(net.linear(net.norm(x, "bn2").flatten(1), "fc", 512), "features")


def resnet_face(net, x, gates):
    x = net.prelu(net.norm(net.conv(x, "conv1", 64, 3, padding=1), "bn1"), "prelu", 1)
    x = F.max_pool2d(x, 2)
    for stage, width in enumerate((64, 128, 256, 512), 1):
        for unit in range(2):
            at = f"layer{stage}.{unit}"
            stride = 2 if stage > 1 and unit == 0 else 1
            y = net.conv(net.norm(x, at + ".bn0"), at + ".conv1", x.shape[1], 3, padding=1)
            y = net.prelu(net.norm(y, at + ".bn1"), at + ".prelu", 1)
            y = net.norm(net.conv(y, at + ".conv2", width, 3, stride, 1), at + ".bn2")
            if gates:
                gate = net.linear(y.mean((2, 3)), at + ".se.fc.0", width // 16)
                gate = net.linear(net.prelu(gate, at + ".se.fc.1", 1), at + ".se.fc.2", width)
                y = y * torch.sigmoid(gate).view(-1, width, 1, 1)
            if stride == 2:
                x = net.norm(net.conv(x, at + ".downsample.0", width, 1, 2), at + ".downsample.1")
            x = net.prelu(x + y, at + ".prelu", 1)
    return net.norm(net.linear(net.norm(x, "bn4").flatten(1), "fc5", 512), "bn5")


def resnet(net, x, units, deep, names, seven=False, pool=False, first=2):
    """The trunk; `names` are those of the stem's two layers and of the four stages."""
    x = net.conv(x, names[0], 64, 7 if seven else 3, 2 if seven else 1, 3 if seven else 1)
    x = F.relu(net.norm(x, names[1]))
    if pool:
        x = F.max_pool2d(x, 3, 2, 1)
    for stage in range(4):
        width = 64 << stage
        for unit in range(units[stage]):
            at = f"{names[2 + stage]}.{unit}"
            stride = (first if stage == 0 else 2) if unit == 0 else 1
            if deep:
                y = F.relu(net.norm(net.conv(x, at + ".conv1", width, 1), at + ".bn1"))
                y = F.relu(net.norm(net.conv(y, at + ".conv2", width, 3, stride, 1), at + ".bn2"))
                y = net.norm(net.conv(y, at + ".conv3", 4 * width, 1), at + ".bn3")
            else:
                y = F.relu(net.norm(net.conv(x, at + ".conv1", width, 3, stride, 1), at + ".bn1"))
                y = net.norm(net.conv(y, at + ".conv2", width, 3, 1, 1), at + ".bn2")
            if stride != 1 or x.shape[1] != y.shape[1]:
                x = net.norm(net.conv(x, at + ".downsample.0", y.shape[1], 1, stride), at + ".downsample.1")
            x = F.relu(x + y)
    return x


PLAIN = ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4")
NUMBERED = tuple(f"resnet_layer.{i}" for i in (0, 1, 4, 5, 6, 7))
UNITS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


def grey_resnet(net, x, depth):
    return net.linear(resnet(net, x, UNITS[depth], depth >= 50, PLAIN).flatten(1), "fc5", 512)


def pooled_resnet(net, x, depth):
    x = resnet(net, x, UNITS[depth], depth >= 50, PLAIN, pool=True).flatten(1)
    return net.norm(net.linear(net.norm(x, "fc.0"), "fc.2", 512), "fc.3")


def mean_resnet(net, x):
    x = resnet(net, x, UNITS[50], True, NUMBERED, seven=True, pool=True, first=1).mean((2, 3))
    return net.norm(net.linear(x, "extract_layer.0", 128), "extract_layer.1")


def plane_resnet(net, x):
    x = resnet(net, x, UNITS[18], False, NUMBERED, seven=True, pool=True, first=1).flatten(1)
    return net.norm(net.linear(x, "extract_layer.0", 2), "extract_layer.1")


def mobilenet_v1(net, x):
    def unit(x, at, out, stride):
        x = F.relu6(net.norm(net.conv(x, at + ".0", x.shape[1], 3, stride, 1, x.shape[1]), at + ".1"))
        return F.relu6(net.norm(net.conv(x, at + ".3", out, 1), at + ".4"))

    x = F.relu6(net.norm(net.conv(x, "stage1.0.0", 32, 3, 1, 1), "stage1.0.1"))
    for i, (out, stride) in enumerate(((64, 1), (128, 2), (128, 1), (256, 2), (256, 1)), 1):
        x = unit(x, f"stage1.{i}", out, stride)
    for i in range(6):
        x = unit(x, f"stage2.{i}", 512, 1 if i else 2)
    for i in range(2):
        x = unit(x, f"stage3.{i}", 1024, 1 if i else 2)
    x = net.prelu(net.norm(net.conv(x, "sep", 512, 1), "sep_bn"), "prelu")
    return net.norm(net.linear(net.norm(x, "bn2").flatten(1), "linear", 512), "features")


def ir(net, x, units, kind, gates, affine, wide=1):
    x = net.prelu(net.norm(net.conv(x, "input_layer.0", 64, 3, 1, 1), "input_layer.1"), "input_layer.2")
    number = 0
    for stage in range(4):
        out = (64 << stage) * wide
        for unit in range(units[stage]):
            at, stride = f"body.{number}.", 1 if unit else 2
            number += 1
            res = at + "res_layer."
            y = net.norm(x, res + "0")
            if kind == "bottleneck":
                y = net.prelu(net.norm(net.conv(y, res + "1", out // 4, 1), res + "2"), res + "3")
                y = net.prelu(net.norm(net.conv(y, res + "4", out // 4, 3, 1, 1), res + "5"), res + "6")
                y = net.norm(net.conv(y, res + "7", out, 1, stride), res + "8")
            else:
                y = net.conv(y, res + "1", out, 3, 1, 1)
                after = 2
                if kind == "normed":
                    y = net.norm(y, res + "2")
                    after = 3
                y = net.conv(net.prelu(y, f"{res}{after}"), f"{res}{after + 1}", out, 3, stride, 1)
                y = net.norm(y, f"{res}{after + 2}")
            if gates:
                gate = res + ("5" if kind == "plain" else "se_block")
                mean = y.mean((2, 3), keepdim=True)
                mean = F.relu(net.conv(mean, gate + ".fc1", out // 16, 1))
                y = y * torch.sigmoid(net.conv(mean, gate + ".fc2", out, 1))
            if x.shape[1] == out:
                x = F.max_pool2d(x, 1, stride)
            else:
                cut = at + "shortcut_layer."
                x = net.norm(net.conv(x, cut + "0", out, 1, stride), cut + "1")
            x = x + y
    x = net.linear(net.norm(x, "output_layer.0").flatten(1), "output_layer.3", 512)
    return net.norm(x, "output_layer.4", affine=affine)


def keras_head(net, x):
    x = net.norm(x, "OutputLayer.batch_normalization", 1e-3).flatten(1)
    return net.norm(net.linear(x, "OutputLayer.dense", 512), "OutputLayer.batch_normalization_1", 1e-3)


def keras_resnet50(net, x):
    def conv_norm(x, at, out, kernel, stride=1, padding=0):
        x = net.conv(x, f"resnet50.{at}_conv", out, kernel, stride, padding, bias=True)
        return net.norm(x, f"resnet50.{at}_bn", 1.001e-5)

    x = F.relu(conv_norm(F.pad(x, (3, 3, 3, 3)), "conv1", 64, 7, 2))
    x = F.max_pool2d(F.pad(x, (1, 1, 1, 1)), 3, 2)
    for stage, units in enumerate((3, 4, 6, 3)):
        width = 64 << stage
        for unit in range(1, units + 1):
            at = f"conv{stage + 2}_block{unit}"
            stride = 2 if unit == 1 and stage else 1
            y = F.relu(conv_norm(x, at + "_1", width, 1, stride))
            y = F.relu(conv_norm(y, at + "_2", width, 3, 1, 1))
            y = conv_norm(y, at + "_3", 4 * width, 1)
            x = F.relu(y + (conv_norm(x, at + "_0", 4 * width, 1, stride) if unit == 1 else x))
    return keras_head(net, x)


def keras_mobilenet_v2(net, x):
    def same(x, stride):
        """What TensorFlow's padding 'same' puts around a map for a 3x3 window."""
        put = []
        for side in (int(x.shape[3]), int(x.shape[2])):
            total = max((-(-side // stride) - 1) * stride + 3 - side, 0)
            put += [total // 2, total - total // 2]
        return F.pad(x, put)

    def norm(x, name):
        return net.norm(x, "mobilenetv2." + name, 1e-3)

    def conv(x, name, *shape, **more):
        return net.conv(x, "mobilenetv2." + name, *shape, **more)

    x = F.relu6(norm(conv(same(x, 2), "Conv1", 32, 3, 2), "bn_Conv1"))
    number = 0
    for out, units, factor, first in (
        (16, 1, 1, 1), (24, 2, 6, 2), (32, 3, 6, 2), (64, 4, 6, 2), (96, 3, 6, 1), (160, 3, 6, 2), (320, 1, 6, 1),
    ):  # fmt: skip
        for unit in range(units):
            at = f"block_{number}" if number else "expanded_conv"
            number += 1
            stride = 1 if unit else first
            y = x
            if factor > 1:
                y = F.relu6(norm(conv(y, at + "_expand", factor * x.shape[1], 1), at + "_expand_BN"))
            y = conv(same(y, stride), at + "_depthwise", y.shape[1], 3, stride, groups=y.shape[1])
            y = F.relu6(norm(y, at + "_depthwise_BN"))
            y = norm(conv(y, at + "_project", out, 1), at + "_project_BN")
            x = x + y if stride == 1 and x.shape[1] == out else y
    return keras_head(net, F.relu6(norm(conv(x, "Conv_1", 1280, 1), "Conv_1_bn")))


def ghostfacenet(net, x, stride):
    """GhostFaceNetV1 of width 1.3; `stride` is the first convolution's."""

    def channels(wanted):
        near = max(4, int(wanted + 2) // 4 * 4)
        return near + 4 if near < 0.9 * wanted else near

    def same(x, name, out, kernel, stride, groups=1):
        """A convolution that pads as TensorFlow's padding 'same' does."""
        total = max((-(-int(x.shape[2]) // stride) - 1) * stride + kernel - int(x.shape[2]), 0)
        put = (total // 2, total - total // 2)
        return net.conv(F.pad(x, put + put), name, out, kernel, stride, groups=groups)

    def ghost(x, at, out, active):
        own = net.norm(net.conv(x, at + ".primary_conv.conv", out // 2, 1), at + ".primary_conv.bn")
        own = net.prelu(own, at + ".primary_conv.prelu") if active else own
        made = net.norm(same(own, at + ".cheap_operation.conv", out // 2, 3, 1, out // 2), at + ".cheap_operation.bn")
        made = net.prelu(made, at + ".cheap_operation.prelu") if active else made
        return torch.cat((own, made), 1)

    kernels = (3, 3, 3, 5, 5, 3, 3, 3, 3, 3, 3, 5, 5, 5, 5, 5)
    middles = (16, 48, 72, 72, 120, 240, 200, 184, 184, 480, 672, 672, 960, 960, 960, 512)
    outs = (16, 24, 24, 40, 40, 80, 80, 80, 80, 112, 112, 160, 160, 160, 160, 160)
    gated, halving = (3, 4, 9, 10, 11, 13, 15), (1, 3, 5, 11)
    x = net.prelu(net.norm(same(x, "conv_stem", channels(16 * 1.3), 3, stride), "bn1"), "prelu1")
    for i, (kernel, middle, out) in enumerate(zip(kernels, middles, outs)):
        at, step = f"blocks.{i}.", 2 if i in halving else 1
        middle, out, before = channels(middle * 1.3), channels(out * 1.3), x.shape[1]
        y = ghost(x, at + "ghost1", middle, True)
        if step > 1:
            y = net.norm(same(y, at + "conv_dw", middle, kernel, step, middle), at + "bn_dw")
        if i in gated:
            gate = net.conv(y.mean((2, 3), keepdim=True), at + "se.conv_reduce", channels(middle * 0.25), 1, bias=True)
            gate = net.conv(net.prelu(gate, at + "se.prelu"), at + "se.conv_expand", middle, 1, bias=True)
            y = y * torch.clamp(0.2 * gate + 0.5, 0, 1)
        y = ghost(y, at + "ghost2", out, False)
        if step > 1 or before != out:
            x = net.norm(same(x, at + "shortcut.0", before, kernel, step, before), at + "shortcut.1")
            x = net.norm(net.conv(x, at + "shortcut.2", out, 1), at + "shortcut.3")
        x = x + y
    last = channels(512 * 1.3)
    x = net.prelu(net.norm(net.conv(x, "conv_last", last, 1), "bn2"), "prelu2")
    x = net.norm(net.conv(x, "GDC_dw", last, int(x.shape[2]), groups=last), "GDC_batchnorm")
    return net.norm(net.conv(x, "GDC_conv", 512, 1).flatten(1), "pre_embedding")


IR = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 14, 3), 100: (3, 13, 30, 3), 152: (3, 8, 36, 3)}
IRESNET = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 14, 3), 100: (3, 13, 30, 3), 200: (6, 26, 60, 6)}
def vit(net, x, width):
    heads = 8
    x = net.conv(x, "patch_embed.proj", width, 9, 9, bias=True).flatten(2).transpose(1, 2)
    x = x + net.tensor("pos_embed", (1, *x.shape[1:]))
    net.tensor("mask_token", (1, 1, width))  # is for training
    for block in range(12):
        at = f"blocks.{block}."
        qkv = net.linear(net.layer_norm(x, at + "norm1"), at + "attn.qkv", 3 * width, False)
        parts = (part.unflatten(2, (heads, -1)).transpose(1, 2) for part in qkv.split(width, 2))
        y = F.scaled_dot_product_attention(*parts).transpose(1, 2).flatten(2)
        x = x + net.linear(y, at + "attn.proj", width)
        y = F.relu6(net.linear(net.layer_norm(x, at + "norm2"), at + "mlp.fc1", 4 * width))
        x = x + net.linear(y, at + "mlp.fc2", width)
    x = net.norm(net.linear(net.layer_norm(x, "norm").flatten(1), "feature.0", width, False), "feature.1", 2e-5)
    return net.norm(net.linear(x, "feature.2", 512, False), "feature.3", 2e-5)


NETWORKS = {
    "mobilefacenet-128": ((3, 112), mobilefacenet_128),
    "mobilefacenet-512": ((3, 112), mobilefacenet_512),
    **{f"iresnet-{d}": ((3, 112), lambda n, x, d=d: iresnet(n, x, IRESNET[d])) for d in IRESNET},
    "ir-18": ((3, 112), lambda n, x: ir(n, x, IR[18], "normed", False, False)),
    "irse-18": ((3, 112), lambda n, x: ir(n, x, IR[18], "normed", True, False)),
    "ir-34": ((3, 112), lambda n, x: ir(n, x, IR[34], "normed", False, False)),
    "irse-34": ((3, 112), lambda n, x: ir(n, x, IR[34], "normed", True, False)),
    "ir-50": ((3, 112), lambda n, x: ir(n, x, IR[50], "plain", False, True)),
    "irse-50": ((3, 112), lambda n, x: ir(n, x, IR[50], "plain", True, True)),
    "ir-100": ((3, 112), lambda n, x: ir(n, x, IR[100], "plain", False, True)),
    "irse-100": ((3, 112), lambda n, x: ir(n, x, IR[100], "plain", True, True)),
    "ir-152": ((3, 112), lambda n, x: ir(n, x, IR[152], "plain", False, True)),
    "irse-152": ((3, 112), lambda n, x: ir(n, x, IR[152], "plain", True, True)),
    "adaface-ir-50": ((3, 112), lambda n, x: ir(n, x, IR[50], "normed", False, False)),
    "adaface-ir-100": ((3, 112), lambda n, x: ir(n, x, IR[100], "normed", False, False)),
    "adaface-ir-152": ((3, 112), lambda n, x: ir(n, x, IR[152], "bottleneck", False, False, 4)),
    "adaface-ir-200": ((3, 112), lambda n, x: ir(n, x, (3, 24, 36, 3), "bottleneck", False, False, 4)),
    "resnet-face-18": ((1, 128), lambda n, x: resnet_face(n, x, False)),
    "resnet-face-18-se": ((1, 128), lambda n, x: resnet_face(n, x, True)),
    "resnet-face-18-rgb200": ((3, 200), lambda n, x: resnet_face(n, x, False)),
    "resnet-face-18-rgb200-se": ((3, 200), lambda n, x: resnet_face(n, x, True)),
    **{f"resnet-{d}-grey128": ((1, 128), lambda n, x, d=d: grey_resnet(n, x, d)) for d in UNITS},
    **{f"resnet-{d}-pooled": ((3, 200), lambda n, x, d=d: pooled_resnet(n, x, d)) for d in UNITS},
    "resnet-50-mean-128": ((3, 160), mean_resnet),
    "resnet-18-plane-2": ((3, 160), plane_resnet),
    "mobilenetv1-512": ((3, 112), mobilenet_v1),
    "keras-resnet-50": ((3, 112), keras_resnet50),
    "keras-mobilenetv2": ((3, 112), keras_mobilenet_v2),
    "ghostfacenet-v1-s1": ((3, 112), lambda n, x: ghostfacenet(n, x, 1)),
    "ghostfacenet-v1-s2": ((3, 112), lambda n, x: ghostfacenet(n, x, 2)),
    "vit-t": ((3, 112), lambda n, x: vit(n, x, 256)),
    "vit-s": ((3, 112), lambda n, x: vit(n, x, 512)),
}


def pictures(channels, side):
    """Two pictures of exact numbers."""
    index = torch.arange(2 * channels * side * side)
    return (((index * 7919) % 65521 % 256).float() - 127.5).div(127.5).view(2, channels, side, side)


def main():
    for name in sys.argv[1:] or NETWORKS:
        (channels, side), forward = NETWORKS[name]
        net = Layers(7)
        with torch.no_grad():
            embeddings = F.normalize(forward(net, pictures(channels, side)).double())
        values = ", ".join(f"{value:.6f}f" for value in embeddings[1, :4])
        cosine = float(embeddings[0] @ embeddings[1])
        print(f'{{"{name}", {{{values}}}, {cosine:.6f}f}}  // {net.parameters}', flush=True)


if __name__ == "__main__":
    main()
