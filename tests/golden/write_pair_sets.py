#!/usr/bin/env python3
"""Writes one set of pairs in the forms in which others hand sets round, by means of their own.

Usage: write_pair_sets.py FOLDER

  FOLDER/pickle-2/lfw.bin … pickle-5/lfw.bin   InsightFace's, by Python's pickle
  FOLDER/numpy-2/lfw.bin … numpy-5/lfw.bin     with pictures and truth values of NumPy, where it is installed
  FOLDER/bcolz/lfw, FOLDER/bcolz/lfw_list.npy  the array by Python's blosc, where it is installed
  FOLDER/memfile/lfw, …/lfw_list.npy           AdaFace's

Prints the forms that it wrote, a folder a line. Picture i has the pixels (2 x + 3 i, 2 y + 5 i, x + y + 7 i) modulo
256, blue first, and pair i is of one person where i is not a multiple of 3. Needs nothing but Python.
"""
import json
import pathlib
import pickle
import struct
import sys
import zlib

SIDE, PAIRS, CHUNK = 112, 5, 4
SAME = [i % 3 != 0 for i in range(PAIRS)]


def pixels(i):
    """Rows of (blue, green, red)."""
    return [[((2 * x + 3 * i) % 256, (2 * y + 5 * i) % 256, (x + y + 7 * i) % 256) for x in range(SIDE)]
            for y in range(SIDE)]


def png(i):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    rows = b"".join(b"\0" + bytes(value for pixel in row for value in reversed(pixel)) for row in pixels(i))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def floats(i):
    picture = pixels(i)
    values = [(picture[y][x][channel] / 255 - 0.5) / 0.5
              for channel in range(3) for y in range(SIDE) for x in range(SIDE)]
    return struct.pack(f"<{len(values)}f", *values)


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def write_truths(path):
    header = f"{{'descr': '|b1', 'fortran_order': False, 'shape': ({PAIRS},), }}".ljust(117) + "\n"
    write(path, b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + bytes(SAME))


def write_pickles(folder):
    for protocol in range(2, 6):
        pictures = [png(i) for i in range(2 * PAIRS)]
        write(folder / f"pickle-{protocol}" / "lfw.bin", pickle.dumps((pictures, SAME), protocol))
        yield f"pickle-{protocol}/lfw.bin"
    try:
        import numpy
    except ImportError:
        return
    arrays = [numpy.frombuffer(png(i), dtype=numpy.uint8) for i in range(2 * PAIRS)]
    for protocol in range(2, 6):
        truths = numpy.array(SAME) if protocol == 3 else [numpy.bool_(same) for same in SAME]
        write(folder / f"numpy-{protocol}" / "lfw.bin", pickle.dumps((arrays, truths), protocol))
        yield f"numpy-{protocol}/lfw.bin"


def write_bcolz(folder):
    try:
        import blosc
    except ImportError:
        return
    root, rows = folder / "bcolz" / "lfw", [floats(i) for i in range(2 * PAIRS)]
    shape = [2 * PAIRS, 3, SIDE, SIDE]
    write(root / "meta" / "sizes", json.dumps({"shape": shape, "nbytes": sum(map(len, rows)), "cbytes": 0}).encode())
    write(root / "meta" / "storage", json.dumps(
        {"dtype": "float32", "cparams": {"clevel": 5, "shuffle": 1, "cname": "lz4", "quantize": 0}, "chunklen": CHUNK,
         "dflt": 0.0, "expectedlen": 2 * PAIRS}).encode())
    write(root / "__attrs__", b"{}")
    for number, begin in enumerate(range(0, len(rows), CHUNK)):
        # Of each compressor that sets are found with.
        name = ("blosclz", "lz4", "zstd")[number % 3]
        body = blosc.compress(b"".join(rows[begin:begin + CHUNK]), typesize=4, clevel=5, shuffle=1, cname=name)
        write(root / "data" / f"__{number}.blp", struct.pack("<4sB3xq", b"blpk", 1, 1) + body)
    write_truths(folder / "bcolz" / "lfw_list.npy")
    yield "bcolz/lfw"


def write_memfile(folder):
    values = folder / "memfile" / "lfw" / "memfile" / "mem_file.dat"
    write(values, b"".join(floats(i) for i in range(2 * PAIRS)))
    write(values.with_name("mem_file.dat.conf"),
          json.dumps({"shape": (2 * PAIRS, 3, SIDE, SIDE), "dtype": "float32"}).encode())
    write_truths(folder / "memfile" / "lfw_list.npy")
    yield "memfile/lfw"


def main():
    folder = pathlib.Path(sys.argv[1])
    for writer in (write_pickles, write_bcolz, write_memfile):
        for form in writer(folder):
            print(form)


if __name__ == "__main__":
    main()
