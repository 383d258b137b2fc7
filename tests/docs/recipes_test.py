#!/usr/bin/env python3
"""Trains an epoch, or a batch of a large network, with each recipe of deploy/recipes that follows another project, on drawn
faces in the format that the project reads, which this script writes itself.

  recipes_test.py --program build/bin/facegate-train [RECIPE...]

Exit code: 0 all were trained, 1 one was not, 77 some were not tried, because the program lacks their network.
"""
import argparse
import csv
import json
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECIPES = ROOT / "deploy" / "recipes"
SKIPPED = 77
PEOPLE, PHOTOS, BATCH = 4, 4, 4
LARGE = 10_000_000  # parameters; a larger network learns one batch and writes a checkpoint, others an epoch and a model
MAGIC = 0xCED7230A  # of a record of RecordIO


class Photos:
    """Drawn faces: `of(size)` gives (label, name, bytes) of crops of that size, and where they lie."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.run("synthesize", folder / "photos", "--identities", PEOPLE, "--views", PHOTOS, "--size", 192,
                 "--difficulty", 0)

    def run(self, *words):
        done = subprocess.run([self.program, *map(str, words)], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"facegate-train {words[0]} failed:\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def of(self, size):
        crops = self.folder / f"crops-{size}"
        if not crops.exists():
            self.run("align", self.folder / "photos", crops, "--size", size, "--landmarks",
                     self.folder / "photos" / "landmarks.txt")
        paths = sorted(crops.glob("*/*.png"))
        people = sorted({path.parent.name for path in paths})
        return crops, [(people.index(path.parent.name), path.relative_to(crops).as_posix(), path.read_bytes())
                       for path in paths]


# Each writes a set in one format and returns its settings.


def write_list(photos, folder):
    crops, all_photos = photos.of("128x128")
    path = folder / "train_data.txt"
    path.write_text("".join(f"{name} {label}\n" for label, name, _ in all_photos))
    return {"data.train": path, "data.root": crops}


def write_meta_csv(photos, folder):
    crops, all_photos = photos.of("128x128")
    path = folder / "meta.csv"
    with open(path, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["", "img_path", "dir_name", "label"])
        for number, (label, name, _) in enumerate(all_photos):
            rows.writerow([number, crops / name, name.split("/")[0], label])
    return {"data.train": path}


def write_celeba(photos, folder):
    images, lists = folder / "Img" / "img_align_celeba", folder / "Anno"
    images.mkdir(parents=True)
    lists.mkdir()
    lines = []
    for number, (label, _, data) in enumerate(photos.of("120x120")[1], 1):
        (images / f"{number:06}.png").write_bytes(data)
        lines.append(f"{number:06}.png {label + 1}\n")
    (lists / "identity_CelebA.txt").write_text("".join(lines))
    return {"data.train": lists / "identity_CelebA.txt", "data.root": images, "holdout.identities": 2,
            "holdout.pairs": 20}


def write_cls_train(photos, folder):
    crops, all_photos = photos.of("96x112")
    path = folder / "cls_train.txt"
    path.write_text("".join(f"{label};{crops / name}\n" for label, name, _ in all_photos))
    return {"data.train": path}


def use_folder(photos, _):
    return {"data.train": photos.of("128x128")[0]}


def masked_sum(data):
    """The masked CRC-32C of TFRecord."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    value ^= 0xFFFFFFFF
    return struct.pack("<I", ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def field(number, data):
    """A field of a protocol buffer: bytes, or a whole number."""
    def varint(value):
        out = b""
        while value > 0x7F:
            out += bytes([value & 0x7F | 0x80])
            value >>= 7
        return out + bytes([value])
    if isinstance(data, int):
        return varint(number << 3) + varint(data)
    return varint(number << 3 | 2) + varint(len(data)) + data


def write_tf_record(photos, folder):
    path = folder / "ms1m_bin.tfrecord"
    with open(path, "wb") as out:
        for label, name, data in photos.of("128x128")[1]:
            features = {"image/source_id": field(3, field(1, label)), "image/filename": field(1, field(1, name.encode())),
                        "image/encoded": field(1, field(1, data))}
            example = field(1, b"".join(field(1, field(1, key.encode()) + field(2, value))
                                        for key, value in features.items()))
            length = struct.pack("<Q", len(example))
            out.write(length + masked_sum(length) + example + masked_sum(example))
    return {"data.train": path}


def write_record_io(photos, folder):
    """As InsightFace has it: the first record says where the photos end."""
    all_photos = photos.of("112x112")[1]
    end = len(all_photos) + 1
    payloads = [struct.pack("<IfQQ2f", 2, 0, 0, 0, end, end + PEOPLE)]
    payloads += [struct.pack("<IfQQ", 0, label, 0, 0) + data for label, _, data in all_photos]
    payloads += [struct.pack("<IfQQ2f", 2, 0, 0, 0, 1, 2)] * PEOPLE
    with open(folder / "train.rec", "wb") as rec, open(folder / "train.idx", "w") as idx:
        for key, payload in enumerate(payloads):
            if struct.pack("<I", MAGIC) in payload:
                raise RuntimeError("a photo holds the magic number, which this script does not split")
            idx.write(f"{key}\t{rec.tell()}\n")
            rec.write(struct.pack("<II", MAGIC, len(payload)) + payload + b"\0" * (-len(payload) % 4))
    return {"data.train": folder}


SETS = {
    "rong-resnet-face18.yaml": write_list,
    "nyk510-resnet-face18.yaml": write_meta_csv,
    "celeba-resnet50.yaml": write_celeba,
    "bubbliiiing-mobilefacenet.yaml": write_cls_train,
    "snu-irse50.yaml": use_folder,
    "tf2-resnet50.yaml": write_tf_record,
    "insightface-mbf.yaml": write_record_io,
    "insightface-r50.yaml": write_record_io,
    "adaface-ir50.yaml": write_record_io,
}
OWN = {"default.yaml", "pins.yaml"}  # of the bundled models; they need photos of real people


def architecture_of(recipe):
    lines = recipe.read_text(encoding="utf-8").splitlines()
    return next(line.split(":")[1].strip() for line in lines if line.startswith("  architecture:"))


def parameters_of(program, architecture):
    """The number of its parameters, or None where the program does not have it."""
    done = subprocess.run([program, "summary", architecture, "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        return None
    return json.loads(done.stdout)["parameters"]


def train(photos, recipe, folder, parameters):
    """Trains an epoch, or a batch; returns what was wrong, or None."""
    (folder / "set").mkdir(parents=True)
    settings = SETS[recipe.name](photos, folder / "set")
    is_large = parameters > LARGE
    trained = (PEOPLE - settings.get("holdout.identities", 0)) * PHOTOS
    batches = 1 if is_large else trained // BATCH
    # A batch of so few photos bears no high rate.
    settings |= {"data.batch": BATCH, "schedule.rate": 0.001, "schedule.epochs": 1, "schedule.warmup": 0,
                 "machine.device": "cpu", "machine.threads": 2}
    words = ["fit", folder / "run", "--recipe", recipe]
    for key, value in settings.items():
        words += ["--set", f"{key}={value}"]
    if is_large:
        words += ["--stop-after", batches]
    output = photos.run(*words)
    rows = list(csv.DictReader((folder / "run" / "steps.csv").read_text().splitlines()))
    if len(rows) != batches:
        return f"learned {len(rows)} batches instead of {batches}:\n{output}"
    losses = [float(row["loss"] or "nan") for row in rows]
    if not all(0 < loss < 1e6 for loss in losses):
        return f"has losses of {losses}:\n{output}"
    written = (folder / "run").glob("checkpoints/*.safetensors" if is_large else "model.safetensors")
    if not list(written):
        return f"wrote nothing to use:\n{output}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, required=True)
    parser.add_argument("recipes", nargs="*", default=sorted(SETS), help="file names; default: all")
    arguments = parser.parse_args()
    unknown = set(arguments.recipes) - set(SETS)
    if unknown:
        parser.error(f"{', '.join(sorted(unknown))}: expected some of {', '.join(SETS)}")
    failed, skipped = [], []
    others = {path.name for path in RECIPES.glob("*.yaml")} - OWN - set(SETS)
    if others:
        sys.exit(f"recipes_test: {', '.join(sorted(others))} are not trained by this test: add a row to SETS")
    with tempfile.TemporaryDirectory() as temporary:
        photos = Photos(arguments.program.resolve(), pathlib.Path(temporary))
        for recipe in (RECIPES / name for name in arguments.recipes):
            architecture = architecture_of(recipe)
            parameters = parameters_of(photos.program, architecture)
            if parameters is None:
                skipped.append(recipe.name)
                print(f"SKIPPED {recipe.name}: this program has no network {architecture}")
                continue
            begin = time.monotonic()
            folder = photos.folder / recipe.stem
            try:
                wrong = train(photos, recipe, folder, parameters)
            except RuntimeError as error:
                wrong = str(error)
            shutil.rmtree(folder)
            how = f"FAIL {recipe.name} {wrong}" if wrong else f"ok   {recipe.name}"
            print(f"{how} ({time.monotonic() - begin:.1f} s)", flush=True)
            failed += [recipe.name] if wrong else []
    print(f"recipes_test: {len(arguments.recipes) - len(failed) - len(skipped)} recipes learn, {len(failed)} do not, "
          f"{len(skipped)} were skipped")
    return 1 if failed else SKIPPED if skipped else 0


if __name__ == "__main__":
    sys.exit(main())
