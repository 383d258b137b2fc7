#!/usr/bin/env python3
"""Packs one set of photos from each format that others publish sets in; every pack has to have the
same photos and labels as the folder that they were made from.

The files are written by Python's zipfile, tarfile, csv and struct, and with --tfrecord by the
package tfrecord of PyPI, of this interpreter or of the one that FACEGATE_REFERENCE_PYTHON names;
exits with 77 where that is absent.

  set_formats.py --program build/bin/facegate-train [--tfrecord]
"""
import argparse
import csv
import io
import os
import pathlib
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib

SKIPPED = 77
PEOPLE = 20
PHOTOS = 10
MAGIC = struct.pack("<I", 0xCED7230A)
PACK_HEADER = 16


def png(seed, size=16):
    """A picture of noise, other noise for each seed."""
    rows = bytearray()
    value = seed * 2654435761 + 1
    for _ in range(size):
        rows.append(0)
        for _ in range(3 * size):
            value = (value * 6364136223846793005 + 1442695040888963407) % 2**64
            rows.append(value >> 56)

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def photos_of_pack(path):
    """The label and the bytes of each photo, as trainer/FORMAT.md specifies them."""
    data = path.read_bytes()
    photos, at = [], PACK_HEADER
    count, = struct.unpack_from("<Q", data, len(data) - 84)
    for _ in range(count):
        label, name_size, image_size = struct.unpack_from("<III", data, at)
        begin = at + 12 + name_size
        photos.append((label, data[begin:begin + image_size]))
        at = begin + image_size + 4
    return sorted(photos)


class Check:
    def __init__(self, program, folder):
        self.program, self.folder, self.failed, self.count = program, folder, 0, 0
        self.faces = folder / "faces"
        self.photos = []  # label, name below the folder, bytes
        for person in range(PEOPLE):
            for photo in range(PHOTOS):
                name = f"{person:03}/{photo:02}.png"
                data = png(100 * person + photo)
                (self.faces / name).parent.mkdir(parents=True, exist_ok=True)
                (self.faces / name).write_bytes(data)
                self.photos.append((person, name, data))
        self.expected = sorted((label, data) for label, _, data in self.photos)

    def run(self, name, source, *options):
        out = self.folder / f"{name}.pack"
        done = subprocess.run([self.program, "convert", source, out, *options], capture_output=True, text=True)
        good = done.returncode == 0 and photos_of_pack(out) == self.expected
        print(f"{'ok  ' if good else 'FAIL'} {name}")
        if not good:
            print(done.stdout + done.stderr)
        self.count += 1
        self.failed += not good


class Stream(io.RawIOBase):
    """A file that cannot go back, as a pipe: zipfile then writes sizes behind the files."""

    def __init__(self, path):
        self.file = open(path, "wb")

    def writable(self):
        return True

    def write(self, data):
        return self.file.write(data)

    def close(self):
        self.file.close()
        super().close()


def check_archives(check):
    for name, method in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
        path = check.folder / f"{name}.zip"
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.writestr("casia/", "")
            for _, photo, data in reversed(check.photos):
                archive.writestr(f"casia/{photo}", data)
            archive.writestr("casia/readme.txt", "no photo")
            link = zipfile.ZipInfo("casia/900/link.png")
            link.create_system, link.external_attr = 3, 0o120777 << 16
            archive.writestr(link, "/etc/passwd")
        check.run(path.name, path)
    path = check.folder / "streamed.zip"
    with Stream(path) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for _, photo, data in check.photos:
            with archive.open(photo, "w", force_zip64=True) as member:
                member.write(data)
    check.run(path.name, path)
    path = check.folder / "many.zip"  # more files than a directory without zip64 counts
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(66000):
            archive.writestr(f"notes/{number}.txt", b"")
        for _, photo, data in check.photos:
            archive.writestr(photo, data)
    check.run(path.name, path)
    formats = (("ustar", tarfile.USTAR_FORMAT), ("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT))
    for name, kind in formats:
        path = check.folder / f"{name}.tar"
        with tarfile.open(path, "w", format=kind) as archive:
            for _, photo, data in check.photos:
                member = tarfile.TarInfo(f"{'long-' * 25}/{'x' * 60}/{photo}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
            for link_type in (tarfile.SYMTYPE, tarfile.LNKTYPE):
                link = tarfile.TarInfo("900/link.png")
                link.type, link.linkname = link_type, "/etc/passwd"
                archive.addfile(link)
        check.run(path.name, path)


def check_lists(check):
    celeba = check.folder / "identity_CelebA.txt"
    celeba.write_text("".join(f"{photo} {label + 1}\n" for label, photo, _ in check.photos))
    check.run(celeba.name, celeba, "--root", check.faces)
    meta = check.folder / "meta.csv"
    with open(meta, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["", "img_path", "dir_name", "label"])
        for number, (label, photo, _) in enumerate(check.photos):
            rows.writerow([number, check.faces / photo, photo.split("/")[0], label])
            rows.writerow([number, "", photo.split("/")[0], label])
    check.run(meta.name, meta)
    for form in ("cls_train.txt", "list.csv"):
        subprocess.run([check.program, "convert", check.faces, check.folder / form], check=True, capture_output=True)
        check.run(form, check.folder / form)


def record(payload):
    """A record of RecordIO; the magic is taken out of the payload where it is aligned."""
    parts, begin = [], 0
    for at in range(0, len(payload) - 3, 4):
        if payload[at:at + 4] == MAGIC:
            parts.append(payload[begin:at])
            begin = at + 4
    parts.append(payload[begin:])
    data = b""
    for number, part in enumerate(parts):
        kind = 0 if len(parts) == 1 else 1 if number == 0 else 3 if number == len(parts) - 1 else 2
        data += MAGIC + struct.pack("<I", kind << 29 | len(part)) + part + b"\0" * (-len(part) % 4)
    return data


def image_record(labels, image):
    """IRHeader as MXNet's recordio.pack writes it: an array of labels, or one."""
    if isinstance(labels, list):
        header = struct.pack("<IfQQ", len(labels), 0, 0, 0) + struct.pack(f"<{len(labels)}f", *labels)
    else:
        header = struct.pack("<IfQQ", 0, labels, 0, 0)
    return record(header + image)


def check_record_io(check):
    def write(name, records):
        path = check.folder / name
        path.mkdir()
        with open(path / "train.rec", "wb") as rec, open(path / "train.idx", "w") as idx:
            for key, data in enumerate(records):
                idx.write(f"{key}\t{rec.tell()}\n")
                rec.write(data)
        return path

    images = [image_record(float(label), data) for label, _, data in check.photos]
    end = float(len(images) + 1)
    identities = [image_record([1.0, 2.0], b"") for _ in range(PEOPLE)]
    insightface = write("ms1m", [image_record([end, end + PEOPLE], b""), *images, *identities])
    check.run("insightface", insightface)
    (insightface / "train.idx").unlink()
    check.run("insightface-without-idx", insightface / "train.rec")
    check.run("im2rec", write("im2rec", images))
    arrays = [image_record([float(label), 0.5], data) for label, _, data in check.photos]
    check.run("im2rec-arrays", write("arrays", arrays))
    # Bytes behind a PNG's end are no part of the picture: here they hold the magic, aligned.
    for index, (label, photo, data) in enumerate(check.photos):
        check.photos[index] = (label, photo, data + b"\0" * (-len(data) % 4) + MAGIC + b"tail" + 2 * MAGIC)
    check.expected = sorted((label, data) for label, _, data in check.photos)
    split = [image_record(float(label), data) for label, _, data in check.photos]
    check.run("split-records", write("split", split))


def check_tf_record(check, writer):
    binary = check.folder / "binary"
    binary.mkdir()
    for shard in range(3):
        out = writer(str(binary / f"ms1m_bin.tfrecord-{shard:05}-of-00003"))
        for label, photo, data in check.photos[shard::3]:
            out.write({"image/source_id": (label, "int"), "image/filename": (photo.encode(), "byte"),
                       "image/encoded": (data, "byte")})
        out.close()
    check.run("tfrecord-binary", binary)
    online = check.folder / "ms1m.tfrecord"
    out = writer(str(online))
    for label, photo, _ in check.photos:
        out.write({"image/source_id": (label, "int"), "image/filename": (photo.encode(), "byte"),
                   "image/img_path": (f"./data/ms1m/{photo}".encode(), "byte")})
    out.close()
    check.run("tfrecord-online", online, "--root", check.faces)


def tf_record_writer():
    try:
        from tfrecord.writer import TFRecordWriter
    except ImportError:
        other = os.environ.pop("FACEGATE_REFERENCE_PYTHON", "")  # once: it may lack it, too
        if other:
            os.execv(other, [other, *sys.argv])
        print("SKIPPED: needs the package tfrecord; set FACEGATE_REFERENCE_PYTHON to a Python that has it")
        sys.exit(SKIPPED)
    return TFRecordWriter


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", type=pathlib.Path, required=True)
    parser.add_argument("--tfrecord", action="store_true")
    arguments = parser.parse_args()
    writer = tf_record_writer() if arguments.tfrecord else None
    with tempfile.TemporaryDirectory() as folder:
        check = Check(arguments.program, pathlib.Path(folder))
        if writer is not None:
            check_tf_record(check, writer)
        else:
            check_archives(check)
            check_lists(check)
            check_record_io(check)
        print(f"{check.count - check.failed} of {check.count} sets are read as they were written")
    sys.exit(1 if check.failed else 0)


if __name__ == "__main__":
    main()
