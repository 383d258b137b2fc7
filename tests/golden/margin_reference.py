#!/usr/bin/env python3
"""Logits and gradients of the margins of the ArcFace family, in NumPy alone.

Written from the papers' formulas, without any code of the trainer, to check it against. Prints a C++
header: tests/trainer/learn/margin_reference.h.

  tests/golden/margin_reference.py > tests/trainer/learn/margin_reference.h
"""
import numpy as np

BATCH, CLASSES = 5, 7
SCALE, MARGIN, H, MOMENTUM, EPS = 64.0, 0.4, 0.333, 0.01, 1e-3
# For those with a gradient by the formula: at 64 nearly all of it is 0.
SMALL_SCALE = 16.0


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


def angle_added(cosine, margin):
    """cos(angle + m), continued by a line beyond angle = pi - m (Deng et al. 2019, the authors' first code)."""
    if cosine.real > np.cos(np.pi - margin).real:
        return np.cos(np.arccos(cosine) + margin)
    return cosine - np.sin(np.pi - margin) * margin


def arcface(cosines, norms, labels):
    logits = cosines.copy()
    for row, label in enumerate(labels):
        logits[row, label] = angle_added(cosines[row, label], 0.5)
    return logits * SMALL_SCALE, 0.0


class CurricularFace:
    """Huang et al. 2020, equations 5 to 11; no gradient goes through t."""

    def __init__(self):
        self.t = 0.0

    def __call__(self, cosines, norms, labels):
        rows = np.arange(len(labels))
        targets = cosines[rows, labels]
        t = 0.01 * targets.real.mean() + 0.99 * self.t
        logits = cosines.copy()
        for row, label in enumerate(labels):
            plain = np.cos(np.arccos(targets[row]) + 0.5)
            for other in range(cosines.shape[1]):
                if cosines[row, other].real > plain.real:
                    logits[row, other] = cosines[row, other] * (t + cosines[row, other])
            logits[row, label] = angle_added(targets[row], 0.5)
        self.next_t = t
        return logits * SMALL_SCALE, 0.0


def magface(cosines, norms, labels):
    """Meng et al. 2021, equations 4 to 6, with the linear m(a) and the g(a) of their code."""
    low, high, low_margin, high_margin, weight = 10.0, 110.0, 0.45, 0.8, 35.0
    clipped = np.where(norms.real < low, low, np.where(norms.real > high, high, norms))
    margins = low_margin + (high_margin - low_margin) / (high - low) * (clipped - low)
    logits = cosines.copy()
    for row, label in enumerate(labels):
        logits[row, label] = angle_added(cosines[row, label], margins[row])
    return logits * SMALL_SCALE, weight * np.mean(clipped / high ** 2 + 1.0 / clipped)


def sphereface(cosines, norms, labels):
    """Liu et al. 2017, equation 7, and the annealing of its appendix; the first step."""
    factor, weight = 4, max(5.0, 1000.0 * (1.0 + 0.12 * 1) ** -1.0)
    logits = cosines.copy()
    for row, label in enumerate(labels):
        angle = np.arccos(cosines[row, label])
        k = np.floor(factor * angle.real / np.pi)
        psi = (-1.0) ** k * np.cos(factor * angle) - 2.0 * k
        logits[row, label] = (weight * cosines[row, label] + psi) / (1.0 + weight)
    return logits * norms[:, None], 0.0


def loss(rule, cosines, norms, labels):
    logits, added = rule(cosines, norms, labels)
    top = logits.real.max(axis=1, keepdims=True)
    entropy = np.log(np.exp(logits - top).sum(axis=1)) + top[:, 0] - logits[np.arange(len(labels)), labels]
    return entropy.mean() + added


def gradients(rule, cosines, norms, labels):
    """By complex steps, which are exact to the last digits: f'(x) = Im f(x + ih) / h."""
    step = 1e-30
    found = []
    for which in range(2):
        shape = (cosines, norms)[which].shape
        gradient = np.zeros(shape)
        for place in np.ndindex(shape):
            inputs_ = [cosines.astype(complex), norms.astype(complex)]
            inputs_[which][place] += 1j * step
            gradient[place] = loss(rule, *inputs_, labels).imag / step
        found.append(gradient)
    return found


def rule_arrays(name, rule, cosines, norms, labels):
    logits, added = rule(cosines, norms, labels)
    by_cosine, by_norm = gradients(rule, cosines, norms, labels)
    array(f"k{name}Logits", logits)
    array(f"k{name}AddedLoss", [added])
    array(f"k{name}ByCosine", by_cosine)
    array(f"k{name}ByNorm", by_norm)


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
    rule_arrays("ArcFace", arcface, cosines, norms, labels)
    curricular = CurricularFace()
    rule_arrays("CurricularFirst", curricular, cosines, norms, labels)
    curricular.t = curricular.next_t
    rule_arrays("CurricularSecond", curricular, -cosines, norms, labels)
    array("kCurricularProgress", [curricular.next_t])
    rule_arrays("MagFace", magface, cosines, norms, labels)
    rule_arrays("SphereFace", sphereface, cosines, norms, labels)
    print("// clang-format on\n\n}  // namespace facegate::margin_reference")


if __name__ == "__main__":
    main()
