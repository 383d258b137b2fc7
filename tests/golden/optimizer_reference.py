#!/usr/bin/env python3
"""Steps of AdaBound and AMSBound in NumPy alone, from Luo et al. 2019, algorithm 1 with the bounds of its section 4.

Written without any code of the trainer, to check it against. Prints a C++ header:

  tests/golden/optimizer_reference.py > tests/trainer/learn/optimizer_reference.h
"""
import numpy as np

SIZE, STEPS, DECAY = 12, 10, 0.01
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
BASE, FINAL, SPEED = 0.02, 0.1, 0.05


def rate(step):
    """A schedule: half of it from the sixth step on. Steps count from 1."""
    return BASE if step <= 5 else BASE / 2


def run(amsbound):
    i = np.arange(SIZE, dtype=np.float64)
    value = np.sin(i)
    mean, square, largest = np.zeros(SIZE), np.zeros(SIZE), np.zeros(SIZE)
    after = []
    for step in range(1, STEPS + 1):
        gradient = 0.3 * value + np.cos(i * (step - 1)) * (3.0 if step < 4 else 0.2) + DECAY * value
        mean = BETA1 * mean + (1 - BETA1) * gradient
        square = BETA2 * square + (1 - BETA2) * gradient ** 2
        largest = np.maximum(largest, square)
        spread = np.sqrt(largest if amsbound else square) + EPSILON
        size = rate(step) * np.sqrt(1 - BETA2 ** step) / (1 - BETA1 ** step)
        end = FINAL * rate(step) / BASE
        low = end * (1 - 1 / (SPEED * step + 1))
        high = end * (1 + 1 / (SPEED * step))
        value = value - np.clip(size / spread, low, high) * mean
        after.append(value.copy())
    return after


def array(name, values):
    print(f"inline constexpr double {name}[] = {{{', '.join(f'{value:.17g}' for value in values)}}};")


def main():
    print("// Made by tests/golden/optimizer_reference.py; not by hand.")
    print("#pragma once\n\nnamespace facegate::optimizer_reference {\n\n// clang-format off")
    for name, amsbound in (("kAdaBound", False), ("kAmsBound", True)):
        after = run(amsbound)
        array(name + "First", after[0])
        array(name + "Last", after[-1])
    print("// clang-format on\n\n}  // namespace facegate::optimizer_reference")


if __name__ == "__main__":
    main()
