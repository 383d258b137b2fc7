#!/usr/bin/env python3
"""Reads every #include of the tree and fails when a room includes what it may not (ARCHITECTURE.md, "Rooms").

Usage: check_layers.py [--root DIR] [--self-test]
"""

import argparse
import pathlib
import re
import sys

# What each room may include from the project itself. The longest matching prefix of a file's path decides.
ALLOWED = {
    "face/base": ["face/base"],
    "face/decide": ["face/base", "face/decide"],
    "face/image": ["face/base", "face/image"],
    # Depends on nothing, so that clients can link it.
    "face/image/image_format.h": [],
    "face/image/image_format.cc": ["face/image/image_format.h"],
    "face/image/system_name.h": [],  # the same
    "face/image/system_name.cc": ["face/image/system_name.h"],
    "face/detect": ["face/base", "face/image", "face/detect"],
    "face/model": ["face/base", "face/decide", "face/image", "face/model"],
    "index": ["face/base", "index", "facegate/storage"],
    "server": ["face", "index", "server", "facegate", "google"],
    # The use cases speak of our own types: no messages, no gRPC.
    "server/operations": ["face", "index", "server/engine", "server/operations"],
    "server/engine": ["face", "index", "server/engine"],
    "trainer": ["face", "trainer"],
    "face/base/did_you_mean.h": [],  # the same
    "face/base/escape_html.h": [],  # the same
    "clients": ["clients", "face/image/image_format.h", "face/image/system_name.h", "face/base/did_you_mean.h",
                "face/base/escape_html.h", "facegate/v1",
                "google", "grpc/health"],
    "tests": ["face", "index", "server", "trainer", "clients", "tests", "facegate", "google", "grpc/health"],
}

# Third-party headers that only some places may include: (pattern of the header, places).
RESTRICTED = [
    (r"^(torch|ATen|c10|caffe2)/", ["face/model", "trainer", "tests"]),
    (r"^faiss/", ["index/flat_index.cc", "index/cohort.cc", "tests"]),
    (r"^rocksdb/", ["index/store_database", "index/template_store.cc", "tests"]),
    (r"^(grpc|grpcpp|grpc\+\+)/(?!health)",
     ["server/rpc", "server/security", "server/app.cc", "clients", "tests"]),
    (r"^facegate/v1/", ["server/rpc", "server/security", "server/app.cc", "clients", "tests"]),
    (r"^opencv2/", ["face/image", "face/detect", "face/model", "trainer", "clients/cli", "tests"]),
    (r"^yaml-cpp/", ["server/config", "trainer/run/recipe_text", "tests"]),
    (r"^absl/strings/", ["face/base/status.cc"]),
    (r"^spdlog/", ["face/base/log.cc"]),
]

# Headers that stay free of LibTorch, because they reach files that must compile fast.
TORCH_HEADERS_ALLOWED = re.compile(
    r"^(face/model/(backbone|iresnet|irse|mobilefacenet|frozen_network|tensor_conversion)[a-z_]*\.h|trainer/.*\.h|tests/.*\.h)$")

# Headers that must not even reach LibTorch by way of others: what can be chosen about a training.
REACHES_NO_TORCH = re.compile(r"^trainer/(.*_options|run/recipe)\.h$")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
ROOMS = ("face", "index", "server", "trainer", "clients", "tests")


def longest_prefix(path, prefixes):
    fitting = [p for p in prefixes if path == p or path.startswith(p + "/")]
    return max(fitting, key=len) if fitting else None


def is_under(path, places):
    return any(path == p or path.startswith(p + "/") or (not p.endswith((".cc", ".h")) and path.startswith(p + ".")) for p in places)


def check_file(path, text):
    """Yields one message for each include of the file `path` (relative to the root) that breaks a rule."""
    room = longest_prefix(path, ALLOWED)
    if room is None:
        yield f"{path}: lies in no known room"
        return
    for match in INCLUDE.finditer(text):
        header = match.group(2)
        line = text.count("\n", 0, match.start()) + 1
        own = header.split("/")[0] in ROOMS or header.startswith(("facegate/", "google/rpc/"))
        if own and not is_under(header, ALLOWED[room]):
            yield f"{path}:{line}: {room} may not include {header}"
        for pattern, places in RESTRICTED:
            if re.match(pattern, header) and not is_under(path, places):
                yield f"{path}:{line}: {header} may be included in {', '.join(places)} only"
        if re.match(RESTRICTED[0][0], header) and path.endswith(".h"):
            if not TORCH_HEADERS_ALLOWED.match(path):
                yield f"{path}:{line}: this header must stay free of LibTorch ({header})"


def source_files(root):
    for room in ROOMS:
        for suffix in ("*.h", "*.cc"):
            yield from sorted((root / room).rglob(suffix))


def torch_on_the_way(path, texts):
    """The way from `path` to a header of LibTorch through the files of `texts`; None where there is none."""
    seen, ways = {path}, [[path]]
    while ways:
        way = ways.pop()
        for match in INCLUDE.finditer(texts[way[-1]]):
            header = match.group(2)
            if re.match(RESTRICTED[0][0], header):
                return [*way, header]
            if header in texts and header not in seen:
                seen.add(header)
                ways.append([*way, header])
    return None


def check_texts(texts):
    for path, text in texts.items():
        yield from check_file(path, text)
        if REACHES_NO_TORCH.match(path) and (way := torch_on_the_way(path, texts)):
            yield f"{path}: this header must not reach LibTorch ({' -> '.join(way[1:])})"


def check_tree(root):
    texts = {file.relative_to(root).as_posix(): file.read_text(encoding="utf-8") for file in source_files(root)}
    return list(check_texts(texts)), len(texts)


def self_test():
    """Each of these must be found, or the check itself is broken."""
    bad = {
        "face/base/a.h": '#include "face/image/image.h"\n',
        "face/image/a.cc": '#include "face/detect/detector.h"\n',
        "index/a.cc": '#include "face/model/embedder.h"\n',
        "index/b.h": "#include <faiss/IndexFlat.h>\n",
        "index/c.cc": "#include <rocksdb/db.h>\n",
        "server/engine/a.h": "#include <torch/torch.h>\n",
        "server/engine/b.cc": "#include <grpcpp/grpcpp.h>\n",
        "server/engine/c.cc": '#include "facegate/v1/types.pb.h"\n',
        "server/engine/d.cc": '#include "trainer/command/import.h"\n',
        "server/engine/e.cc": '#include "server/operations/probe.h"\n',
        "server/operations/a.cc": '#include "server/rpc/probe.h"\n',
        "server/operations/b.cc": '#include "facegate/v1/types.pb.h"\n',
        "server/operations/c.h": "#include <grpcpp/grpcpp.h>\n",
        "trainer/a.cc": '#include "server/config.h"\n',
        "clients/cpp/a.cc": '#include "face/base/status.h"\n',
        "clients/cli/a.cc": '#include "face/image/image_header.h"\n',
        "face/image/image_format.cc": '#include "face/base/status.h"\n',
        "face/model/embedder.h": "#include <torch/torch.h>\n",
    }
    good = {
        "server/rpc/a.cc": '#include <grpcpp/grpcpp.h>\n#include "facegate/v1/types.pb.h"\n#include "index/gallery.h"\n',
        "server/rpc/b.cc": '#include "server/operations/probe.h"\n',
        "server/operations/d.cc": '#include "index/gallery.h"\n#include "server/engine/face_engine.h"\n',
        "index/flat_index.cc": "#include <faiss/IndexFlat.h>\n",
        "face/model/backbone.h": "#include <torch/torch.h>\n",
        "clients/cli/a.cc": '#include "face/image/image_format.h"\n',
    }
    for path, text in bad.items():
        if not list(check_file(path, text)):
            return f"self-test: a breach in {path} was not found"
    far = {"trainer/run/recipe.h": '#include "trainer/heads/a.h"\n', "trainer/heads/a.h": "#include <torch/types.h>\n"}
    if not any("must not reach LibTorch" in problem for problem in check_texts(far)):
        return "self-test: a recipe that reaches LibTorch was not found"
    for path, text in good.items():
        found = list(check_file(path, text))
        if found:
            return f"self-test: wrongly refused: {found[0]}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--self-test", action="store_true", help="check the check, too")
    options = parser.parse_args()
    if options.self_test and (failure := self_test()):
        print(failure)
        return 1
    problems, count = check_tree(options.root)
    for problem in problems:
        print(problem)
    if count == 0:
        print(f"no source files below {options.root}")
        return 1
    print(f"check_layers: {count} files, {len(problems)} breaches")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
