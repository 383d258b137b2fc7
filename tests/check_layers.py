#!/usr/bin/env python3
"""Reads every #include of the tree and fails where a room includes what tests/rooms.txt does not allow.

Also fails where a folder with sources is no room of that list, where a row names a room that stands below it, and where
the rooms of ARCHITECTURE.md are not those of the list that exist, in its order.

Usage: check_layers.py [--root DIR] [--self-test]
"""

import argparse
import dataclasses
import pathlib
import re
import sys

# Headers of others, by the names of tests/rooms.txt. Only rooms that name a library may include its headers.
LIBRARIES = {
    "absl": r"absl/strings/",
    "cli11": r"CLI/",
    "cuda": r"cu(da|blas|dnn)\w*\.h",
    "faiss": r"faiss/",
    "hdf5": r"hdf5\.h",
    "grpc": r"(grpc|grpcpp|grpc\+\+)/(?!health)",
    "opencv": r"opencv2/",
    "prometheus": r"prometheus/",
    "rocksdb": r"rocksdb/",
    "spdlog": r"spdlog/",
    "torch": r"(torch|ATen|c10|caffe2)/",
    "yaml": r"yaml-cpp/",
}

# Headers of these rooms stay free of LibTorch, because they reach files that must compile fast.
TORCH_FREE_HEADERS = re.compile(r"^(?!(face/torch|trainer|tests)/).*\.h$")
# Headers that must not even reach LibTorch by way of others: what can be chosen about a training.
REACHES_NO_TORCH = re.compile(r"^trainer/(.*_options|run/recipe)\.h$")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
FOLDERS = ("face", "index", "server", "trainer", "clients", "tests")
# Where generated headers come from.
GENERATED = {"facegate/storage/": "protos/facegate/storage", "facegate/v1/": "protos", "google/rpc/": "protos",
             "grpc/health/": "protos", "tensorboard/": "protos/tensorboard", "onnx/": "protos/onnx"}


@dataclasses.dataclass
class Law:
    rooms: dict  # folder -> rooms, and single headers of others, that it may include
    files: dict  # file -> libraries beside those of its folder
    libraries: dict  # folder -> libraries

    def room_of(self, path):
        """The folder of `path` where it is a room."""
        folder = path.rpartition("/")[0]
        return folder if folder in self.rooms else None

    def libraries_of(self, path):
        return self.libraries.get(self.room_of(path), set()) | self.files.get(path, set())


def read_law(text):
    """(law, faults of the list itself)"""
    law, faults = Law({}, {}, {}), []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) != 3:
            faults.append(f"rooms: a row has {len(cells)} cells, expected 3: {line}")
            continue
        name, below, libraries = cells[0], cells[1].split(), set(cells[2].split())
        faults += [f"rooms: {name} names the unknown library {unknown}" for unknown in sorted(libraries - set(LIBRARIES))]
        if below == ["="]:
            law.files[name] = libraries
            continue
        faults += [f"rooms: {name} names {room}, which does not stand above it" for room in below
                   if re.sub(r"/\w+\.h$", "", room) not in law.rooms]
        law.rooms[name], law.libraries[name] = set(below), libraries
    return law, faults


def room_of_header(header, law):
    """The room that a project's own header belongs to; None for a header of others."""
    for start, room in GENERATED.items():
        if header.startswith(start):
            return room
    if header.split("/")[0] not in FOLDERS:
        return None
    return law.room_of(header) or header.rpartition("/")[0]


def check_file(path, text, law):
    """Yields one message for each include of the file `path` (relative to the root) that breaks a rule."""
    everything = path.startswith("tests/")
    room = law.room_of(path)
    if room is None and not everything:
        yield f"{path}: its folder is no room of tests/rooms.txt"
        return
    for match in INCLUDE.finditer(text):
        header, line = match.group(2), text.count("\n", 0, match.start()) + 1
        if re.match(LIBRARIES["torch"], header) and TORCH_FREE_HEADERS.match(path):
            yield f"{path}:{line}: this header must stay free of LibTorch ({header})"
        if everything:
            continue
        other = room_of_header(header, law)
        if other is not None and other != room and not {other, header} & law.rooms[room]:
            yield f"{path}:{line}: {room} may not include {header}"
        for library, pattern in LIBRARIES.items():
            if re.match(pattern, header) and library not in law.libraries_of(path):
                yield f"{path}:{line}: {room} may not include {header}, of {library}"


def torch_on_the_way(path, texts):
    """The way from `path` to a header of LibTorch through the files of `texts`; None where there is none."""
    seen, ways = {path}, [[path]]
    while ways:
        way = ways.pop()
        for match in INCLUDE.finditer(texts[way[-1]]):
            header = match.group(2)
            if re.match(LIBRARIES["torch"], header):
                return [*way, header]
            if header in texts and header not in seen:
                seen.add(header)
                ways.append([*way, header])
    return None


def check_texts(texts, law):
    for path, text in texts.items():
        yield from check_file(path, text, law)
        if REACHES_NO_TORCH.match(path) and (way := torch_on_the_way(path, texts)):
            yield f"{path}: this header must not reach LibTorch ({' -> '.join(way[1:])})"


def is_room(folder):
    return any(folder.glob("*.cc")) or any(folder.rglob("*.proto"))


def source_files(root):
    for folder in FOLDERS:
        for suffix in ("*.h", "*.cc"):
            yield from sorted((root / folder).rglob(suffix))


def check_picture(text, law, exists):
    """Yields a message for each room in which the table of ARCHITECTURE.md differs from the list."""
    shown = re.findall(r"^\| `([a-z/]+)` \|", text, re.MULTILINE)
    rooms = [room for room in law.rooms if exists(room)]
    yield from (f"ARCHITECTURE.md: {room} is missing" for room in rooms if room not in shown)
    yield from (f"ARCHITECTURE.md: there is no room {room}" for room in shown if room not in rooms)
    if sorted(shown) == sorted(rooms) and shown != rooms:
        yield "ARCHITECTURE.md: the rooms are not in the order of tests/rooms.txt"


def check_tree(root):
    law, faults = read_law((root / "tests/rooms.txt").read_text(encoding="utf-8"))
    faults += check_picture((root / "ARCHITECTURE.md").read_text(encoding="utf-8"), law, lambda room: is_room(root / room))
    texts = {file.relative_to(root).as_posix(): file.read_text(encoding="utf-8") for file in source_files(root)}
    return faults + list(check_texts(texts, law)), len(texts)


# Each of these breaks the law; the rooms that come later are among them.
BREACHES = {
    "face/base/a.h": "face/image/image.h",
    "face/image/a.cc": "face/detect/detector.h",
    "face/decide/a.cc": "facegate/v1/types.pb.h",
    "face/weights/a.cc": "torch/types.h",
    "face/weights/b.cc": "face/torch/backbone.h",
    "face/network/a.cc": "face/torch/backbone.h",
    "face/detect/a.cc": "face/embed/embedder.h",
    "face/torch/a.cc": "trainer/fused/stage.h",
    "face/embed/embedder.h": "torch/torch.h",
    "face/embed/engine.cc": "face/embed/torch/torch_embedder.h",
    "server/parts.cc": "face/embed/torch/torch_embedder.h",
    "face/detect/a.cc": "face/torch/backbone.h",
    "index/a.cc": "face/embed/embedder.h",
    "index/b.h": "faiss/IndexFlat.h",
    "index/c.cc": "rocksdb/db.h",
    "index/d.h": "index/rows/vector_index.h",
    "index/store/a.cc": "index/gallery.h",
    "index/store/b.cc": "index/journal.h",
    "index/store/c.cc": "index/rows/vector_index.h",
    "index/rows/a.cc": "index/store/key_codec.h",
    "index/rows/b.cc": "index/values.h",
    "index/rows/c.cc": "faiss/gpu/GpuIndexFlat.h",
    "index/rows/cuda/a.cc": "index/rows/row_table.h",
    "index/rows/cuda/b.cc": "face/torch/backbone_layers.h",
    "server/c.cc": "index/rows/vector_index.h",
    "index/local/a.cc": "rocksdb/db.h",
    "index/cluster/a.cc": "index/local/collection.h",
    "server/engine/a.h": "torch/torch.h",
    "server/engine/b.cc": "grpcpp/grpcpp.h",
    "server/engine/c.cc": "facegate/v1/types.pb.h",
    "server/engine/d.cc": "trainer/command/import.h",
    "server/engine/e.cc": "server/operations/probe.h",
    "server/operations/a.cc": "server/rpc/probe.h",
    "server/operations/b.cc": "facegate/v1/types.pb.h",
    "server/operations/c.h": "grpcpp/grpcpp.h",
    "server/security/a.cc": "server/rpc/probe.h",
    "server/metrics/a.cc": "server/operations/probe.h",
    "server/rpc/a.cc": "server/config.h",
    "server/b.cc": "trainer/run/recipe.h",
    "trainer/synthetic/a.cc": "trainer/photos/dataset.h",
    "trainer/measure/a.cc": "trainer/report/chart.h",
    "trainer/measure/b.cc": "trainer/photos/list_text.h",
    "trainer/photos/a.cc": "torch/types.h",
    "trainer/fused/a.cc": "trainer/learn/training.h",
    "trainer/learn/a.cc": "trainer/run/recipe.h",
    "trainer/report/a.cc": "trainer/run/fit.h",
    "trainer/run/a.cc": "server/config.h",
    "trainer/run/b.cc": "trainer/command/fit.h",
    "trainer/elsewhere/a.cc": "face/base/status.h",
    "clients/cpp/a.cc": "face/base/status.h",
    "clients/cli/a.cc": "face/detect/detector.h",
    "clients/cli/b.cc": "index/gallery.h",
}
ALLOWED = {
    "server/rpc/a.cc": ["grpcpp/grpcpp.h", "facegate/v1/types.pb.h", "index/gallery.h", "server/operations/probe.h"],
    "server/operations/d.cc": ["index/gallery.h", "server/engine/face_engine.h", "face/decide/threshold.h"],
    "index/rows/cuda/a.cc": ["faiss/gpu/GpuDistance.h", "cuda_runtime_api.h", "index/rows/card/search_card.h", "face/torch/find_cuda.h"],
    "index/rows/flat_scan.cc": ["faiss/IndexFlat.h", "index/rows/vector_index.h"],
    "index/store/a.h": ["index/values.h", "rocksdb/db.h", "facegate/storage/v1/records.pb.h"],
    "index/local/a.cc": ["index/store/key_codec.h", "index/rows/exact_search.h", "index/gallery.h"],
    "face/torch/backbone.h": ["torch/torch.h", "face/network/description.h"],
    "clients/cli/a.cc": ["face/image/image_format.h", "clients/cpp/facegate_client.h"],
    "tests/server/a.cc": ["server/config.h", "trainer/run/recipe.h", "torch/torch.h"],
}


def self_test(law):
    """Plants each breach in a tree of one file; what is not found is a fault of this check."""
    def found(path, headers):
        return list(check_file(path, "".join(f'#include "{header}"\n' for header in headers), law))

    for path, header in BREACHES.items():
        if not found(path, [header]):
            return f"self-test: {header} in {path} was not found"
    for path, headers in ALLOWED.items():
        if wrong := found(path, headers):
            return f"self-test: wrongly refused: {wrong[0]}"
    far = {"trainer/run/recipe.h": '#include "trainer/learn/a.h"\n', "trainer/learn/a.h": "#include <torch/types.h>\n"}
    if not any("must not reach LibTorch" in problem for problem in check_texts(far, law)):
        return "self-test: a recipe that reaches LibTorch was not found"
    picture = "| `protos` | x |\n| `face/base` | y |\n"
    if list(check_picture(picture, law, picture.__contains__)) or not list(check_picture(picture, law, lambda room: True)):
        return "self-test: a table that differs from the list was not found"
    if not read_law("a | b |\nb | |\n")[1] or not read_law("a | | nothing\n")[1] or not read_law("a |\n")[1]:
        return "self-test: a fault of the list was not found"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--self-test", action="store_true", help="check the check, too")
    options = parser.parse_args()
    law, _ = read_law((options.root / "tests/rooms.txt").read_text(encoding="utf-8"))
    if options.self_test and (failure := self_test(law)):
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
