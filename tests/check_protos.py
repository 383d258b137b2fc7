#!/usr/bin/python3
"""Fails when a message, field, enum, value, oneof, service or method of our .proto files has no comment above it, or when a
file lacks the package options that Go, Java and C# need. Prints each as FILE:LINE."""

import subprocess
import sys
import tempfile
from pathlib import Path

from google.protobuf import descriptor_pb2

PROTOS = Path(__file__).resolve().parent.parent / "protos"
OPTIONS = ("go_package", "java_package", "csharp_namespace")
# Field numbers in descriptor.proto, by which SourceCodeInfo names places.
CHILDREN = {
    "file": {4: "message", 5: "enum", 6: "service"},
    "message": {2: "field", 3: "message", 4: "enum", 8: "oneof"},
    "enum": {2: "value"},
    "service": {2: "method"},
}


def named(path):
    """Whether a SourceCodeInfo path names a declaration, rather than a part of one."""
    kind = "file"
    for number in path[::2]:
        kind = CHILDREN.get(kind, {}).get(number)
        if kind is None:
            return False
    return len(path) > 0 and len(path) % 2 == 0


def faults_of(file):
    for option in OPTIONS:
        if not file.options.HasField(option):
            yield f"{file.name}:1: has no {option}"
    for place in file.source_code_info.location:
        if named(list(place.path)) and not place.leading_comments.strip():
            yield f"{file.name}:{place.span[0] + 1}: has no comment above it"


def main():
    files = sorted(str(p.relative_to(PROTOS)) for p in (PROTOS / "facegate").rglob("*.proto"))
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(
            ["protoc", "-I", str(PROTOS), "--include_source_info", "-o", out.name, *files], check=True)
        described = descriptor_pb2.FileDescriptorSet.FromString(Path(out.name).read_bytes())
    faults = [fault for file in described.file for fault in faults_of(file)]
    for fault in faults:
        print(fault)
    print(f"protos: {len(files)} files, {len(faults)} faults")
    return 1 if faults or not files else 0


if __name__ == "__main__":
    sys.exit(main())
