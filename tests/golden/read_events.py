#!/usr/bin/env python3
"""Prints what TensorBoard's own package reads from the event files of a folder, as JSON.

Usage: read_events.py DIR. Exits with 77 where the package tensorboard is absent.
"""

import json
import sys

try:
    from tensorboard.backend.event_processing import event_accumulator
    from tensorboard.util import tensor_util
except ImportError as error:
    print(f"the package tensorboard is absent: {error}", file=sys.stderr)
    sys.exit(77)


def main():
    keep_all = {kind: 0 for kind in ("scalars", "images", "histograms", "tensors")}
    events = event_accumulator.EventAccumulator(sys.argv[1], size_guidance=keep_all)
    events.Reload()
    tags = events.Tags()
    result = {"scalars": {}, "images": {}, "histograms": {}, "texts": {}}
    for tag in tags["scalars"]:
        result["scalars"][tag] = [[one.step, one.value] for one in events.Scalars(tag)]
    for tag in tags["images"]:
        result["images"][tag] = [
            {"step": one.step, "width": one.width, "height": one.height, "png": list(one.encoded_image_string)}
            for one in events.Images(tag)
        ]
    for tag in tags["histograms"]:
        result["histograms"][tag] = [
            {"step": one.step} | {name: getattr(one.histogram_value, name) for name in
                                  ("min", "max", "num", "sum", "sum_squares", "bucket_limit", "bucket")}
            for one in events.Histograms(tag)
        ]
    for tag in tags["tensors"]:
        result["texts"][tag] = [
            [one.step, tensor_util.make_ndarray(one.tensor_proto).item(0).decode()] for one in events.Tensors(tag)
        ]
    result["graph"] = [
        {"name": node.name, "op": node.op, "input": list(node.input), "parameters": node.attr["parameters"].i,
         "shape": [dim.size for dim in node.attr["_output_shapes"].list.shape[0].dim]}
        for node in (events.Graph().node if tags["graph"] else [])
    ]
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
