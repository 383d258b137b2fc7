#!/usr/bin/env python3
"""Prints what PyTorch itself reads from a file of torch.save, with weights_only, as JSON.

Usage: read_torch_file.py FILE. For each tensor its type, its shape and the sha256 of its elements in C order. Exits with
77 where the package torch is absent.
"""

import ctypes
import hashlib
import json
import sys

try:
    import torch
except ImportError as error:
    print(f"the package torch is absent: {error}", file=sys.stderr)
    sys.exit(77)


def main():
    loaded = torch.load(sys.argv[1], map_location="cpu", weights_only=True)
    result = {}
    for name, tensor in loaded.items():
        tensor = tensor.contiguous()
        size = tensor.numel() * tensor.element_size()
        content = ctypes.string_at(tensor.data_ptr(), size) if size else b""
        result[name] = {
            "dtype": str(tensor.dtype),
            "shape": list(tensor.shape),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    json.dump({"type": type(loaded).__name__, "tensors": result}, sys.stdout)


if __name__ == "__main__":
    main()
