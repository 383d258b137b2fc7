#!/usr/bin/env python3
"""Logits of AdaFace and of ArcFace with InsightFace's straight-through gradient, in NumPy alone.

Written from the papers' formulas, without any code of the trainer, to check it against. Prints a C++
header: tests/trainer/heads/margin_reference.h.

  tests/golden/margin_reference.py > tests/trainer/heads/margin_reference.h
"""
import numpy as np

BATCH, CLASSES = 5, 7
SCALE, MARGIN, H, MOMENTUM, EPS = 64.0, 0.4, 0.333, 0.01, 1e-3


def inputs():
    """Numbers that every language can make: no generator is needed."""
    i = np.arange(BATCH * CLASSES, dtype=np.float64)
    cosines = np.sin(1.7 * i + 0.3).reshape(BATCH, CLASSES) * 0.95
    norms = 12.0 + 9.0 * np.cos(np.arange(BATCH, dtype=np.float64))
    labels = np.array([3, 0, 6, 2, 2])
    return cosines, norms, labels


def adaface(cosines, norms, labels, mean, deviation):
    """Kim et al. 2022, equations 13 to 16; the statistics are updated first."""
    safe = np.clip(norms, 0.001, 100.0)
    mean = safe.mean() * MOMENTUM + (1 - MOMENTUM) * mean
    deviation = safe.std(ddof=1) * MOMENTUM + (1 - MOMENTUM) * deviation
    quality = np.clip((safe - mean) / (deviation + EPS) * H, -1.0, 1.0)
    logits = np.clip(cosines, -1 + EPS, 1 - EPS)
    for row, label in enumerate(labels):
        angle = np.arccos(logits[row, label]) - MARGIN * quality[row]
        angle = np.clip(angle, EPS, np.pi - EPS)
        logits[row, label] = np.cos(angle) - (MARGIN + MARGIN * quality[row])
    return logits * SCALE, mean, deviation


def straight_through(cosines, labels, margin):
    """cos(angle + m), and a derivative of the logit by the cosine of exactly s."""
    logits = cosines.copy()
    for row, label in enumerate(labels):
        logits[row, label] = np.cos(np.arccos(cosines[row, label]) + margin)
    logits *= SCALE
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    gradient = shares.copy()
    gradient[np.arange(len(labels)), labels] -= 1.0
    return logits, gradient * SCALE / len(labels)


def array(name, values):
    flat = ", ".join(f"{value:.17g}" for value in np.asarray(values).ravel())
    print(f"inline constexpr double {name}[] = {{{flat}}};")


def main():
    cosines, norms, labels = inputs()
    print("// Made by tests/golden/margin_reference.py; not by hand.")
    print("#pragma once\n\nnamespace facegate::margin_reference {\n\n// clang-format off")
    first, mean, deviation = adaface(cosines, norms, labels, 20.0, 100.0)
    second, mean, deviation = adaface(cosines, norms + 3.0, labels, mean, deviation)
    array("kAdaFaceFirst", first)
    array("kAdaFaceSecond", second)
    array("kAdaFaceStatistics", [mean, deviation])
    logits, gradient = straight_through(cosines, labels, 0.5)
    array("kStraightThroughLogits", logits)
    array("kStraightThroughGradient", gradient)
    print("// clang-format on\n\n}  // namespace facegate::margin_reference")


if __name__ == "__main__":
    main()
