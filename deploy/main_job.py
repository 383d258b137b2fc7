#!/usr/bin/env python3
"""The main job, by the same programs that a user runs: enrol people from photos, identify and verify other photos of
them and of strangers, restart the server, and ask again. Prints a table and "quickstart: PASS" or "quickstart: FAIL …".

People are called person-001 and so on: folder names stay on this machine's screen and never reach the server.
"""

import argparse
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import time

PHOTO_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".pgm"}
COLLECTION = "quickstart"
# Past these shares something is broken, whatever the programs said; a good model is far better.
LEAST_RECOGNISED = 0.6
MOST_STRANGERS_MATCHED = 0.2
SERVER_START_SECONDS = 120
# The people who are drawn when there are no photos. The bundled model's training had another seed, so other people.
DRAWN_SEED = 2026
DRAWN_DIFFICULTY = 0.5
# Drawn people look more like each other than real ones do. With the bundled model and 40 people of each of the seeds 3 to 5
# enrolled, 6 of 120 drawn strangers reach this cosine with somebody, and 3 of 120 enrolled people do not reach it.
DRAWN_MIN_COSINE = 0.75
DRAWN_TITLE = "drawn people who do not exist"


class JobError(Exception):
    """What went wrong, in words for the last line."""


class Server:
    """facegate-server on a free loopback port."""

    def __init__(self, options, data_dir):
        self.options, self.data_dir = options, data_dir
        self.port_file = options.work / "port"
        self.log = options.work / "server.log"
        self.process = None
        self.address = None

    def start(self):
        self.port_file.unlink(missing_ok=True)
        command = [options_bin(self.options, "facegate-server"), "--model", self.options.model, "--data-dir", self.data_dir,
                   "--listen", "127.0.0.1:0", "--port-file", self.port_file]
        if self.options.detector:
            command += ["--detector-model", self.options.detector]
        started = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log)
        while not self.port_file.exists() or not self.port_file.read_text().strip():
            if self.process.poll() is not None or time.monotonic() - started > SERVER_START_SECONDS:
                raise JobError(f"the server did not start; its log ends:\n{tail(self.log)}")
            time.sleep(0.05)
        self.address = f"127.0.0.1:{self.port_file.read_text().split(':')[-1].strip()}"
        info = self.facegate("info", "--wait", str(SERVER_START_SECONDS))
        return info, time.monotonic() - started

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=60)
        except subprocess.TimeoutExpired as error:
            self.process.kill()
            raise JobError("the server did not stop within 60 s of SIGTERM") from error
        self.process = None
        if code != 0:
            raise JobError(f"the server ended with exit code {code}; its log ends:\n{tail(self.log)}")

    def kill(self):
        if self.process is not None:
            self.process.kill()

    def facegate(self, *arguments, allowed=(0,)):
        """The JSON answer of `facegate ARGUMENTS`."""
        command = [options_bin(self.options, "facegate"), "--server", self.address, "--json", *arguments]
        run = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
        if run.returncode not in allowed:
            died = self.process.poll()
            state = "the server runs" if died is None else f"the server has ended with code {died}"
            raise JobError(f"facegate {arguments[0]} ended with exit code {run.returncode}: {run.stderr.strip()}\n"
                           f"{state}; its log ends:\n{tail(self.log)}")
        return json.loads(run.stdout)


def options_bin(options, name):
    return options.bin / name


def tail(path):
    return "\n".join(path.read_text(errors="replace").splitlines()[-8:])


def draw_people(options):
    """Draws people who do not exist, half of them as strangers, and says so."""
    photos = options.work / "photos"
    print("No photos were given: these people are drawn and do not exist. They do not tell how well real people are\n"
          "recognised.", flush=True)
    command = [options_bin(options, "facegate-train"), "synthesize", photos, "--seed", DRAWN_SEED, "--identities",
               2 * options.people, "--views", 2, "--difficulty", DRAWN_DIFFICULTY, "--size", 320]
    run = subprocess.run([str(part) for part in command], stdout=subprocess.DEVNULL, check=False)
    if run.returncode != 0:
        raise JobError("the photos could not be drawn; the lines above say why")
    return photos


def photos_of(folder):
    return sorted(f for f in folder.iterdir() if f.suffix.lower() in PHOTO_SUFFIXES)


def spread(items, count):
    """`count` of the items, evenly over the whole list, so that not all names begin with A."""
    count = min(count, len(items))
    return [items[i * len(items) // count] for i in range(count)]


def choose_people(options):
    """(people, strangers): [(id, enrolment photo, probe photo)] and [(id, probe photo)]."""
    folders = [(folder, photos_of(folder)) for folder in sorted(options.photos.iterdir()) if folder.is_dir()]
    several = [(folder, photos) for folder, photos in folders if len(photos) >= 2]
    if not several:
        raise JobError(f"no folder with two or more photos of one person in {options.photos}")
    # With few people, half of them are left out so that strangers remain.
    singles = [(folder, photos) for folder, photos in folders if len(photos) == 1]
    enrolled = spread(several, options.people if singles or len(several) > options.people else (len(several) + 1) // 2)
    chosen = {folder for folder, _ in enrolled}
    rest = singles or [(folder, photos) for folder, photos in several if folder not in chosen]
    strangers = spread(rest, options.people) if rest else []
    people = [(f"person-{i:03}", photos[0], photos[-1]) for i, (_, photos) in enumerate(enrolled, start=1)]
    return people, [(f"stranger-{i:03}", photos[0]) for i, (_, photos) in enumerate(strangers, start=1)]


def enrol(server, people, min_cosine):
    """The ids of those who are enrolled; a photo may not be good enough."""
    started = time.monotonic()
    server.facegate("collection", "create", COLLECTION, *(["--min-cosine", min_cosine] if min_cosine else []))
    enrolled, failed = [], []
    for number, (person, photo, _) in enumerate(people, start=1):
        try:
            server.facegate("enroll", "-c", COLLECTION, "--select", "central", "--must-be-new", person, photo)
            enrolled.append(person)
        except JobError as error:
            failed.append(f"{person}: {error}")
        if sys.stderr.isatty():
            print(f"\renrolling {number}/{len(people)}", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    print(f"enrolled {len(people) - len(failed)} of {len(people)} people in {time.monotonic() - started:.1f} s")
    for line in failed:
        print(f"  not enrolled: {line}")
    if len(failed) > (1 - LEAST_RECOGNISED) * len(people):
        raise JobError("too few people could be enrolled")
    return enrolled


def named_probes(options, people, strangers):
    """The probes under the names of whom they show, for the sheet."""
    folder = options.work / "probes"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    probes = []
    for name, photo in [(person, photo) for person, _, photo in people] + strangers:
        link = folder / f"{name}{photo.suffix.lower()}"
        link.symlink_to(photo.resolve())
        probes.append(link)
    return probes


def sheet_options(options):
    """What draws who was found; none where nothing is to be drawn."""
    if options.sheet is None:
        return []
    title = ["--sheet-title", DRAWN_TITLE] if options.drawn else []
    # The probes are named after those whom they show.
    return ["--sheet", options.sheet, "--expect", "file", *title]


def identify(server, probes, *extra):
    """One answer for each probe: {"decision", "identity", "cosine"} or {"error"}. `extra`: more options of `facegate identify`."""
    answers = server.facegate("identify", "-c", COLLECTION, "--select", "central", "--nearest", "--top", "1",
                              *extra, *probes, allowed=(0, 1, 3))
    found = []
    for answer in answers:
        if "error" in answer:
            found.append({"error": answer["error"].get("reason", "?")})
            continue
        result = answer["results"][0]
        best = result["candidates"][0] if result["candidates"] else {}
        found.append({"decision": result["decision"].removeprefix("DECISION_"), "identity": best.get("identity_id", "-"),
                      "cosine": best.get("cosine"), "threshold": answer["basis"]["threshold"]})
    return found


def verify(server, person, photo):
    answer = server.facegate("verify", "-c", COLLECTION, "--select", "central", person, photo, allowed=(0, 1))
    answer = answer[0] if isinstance(answer, list) else answer
    return answer["decision"].removeprefix("DECISION_")


def print_table(rows):
    header = ("PROBE OF", "NEAREST", "COSINE", "IDENTIFY", "VERIFY", "")
    rows = [header, *rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def judge(server, people, enrolled, strangers, answers):
    """Prints the table; (people recognised, people verified, strangers matched). Who is not enrolled is not recognised."""
    recognised = verified = matched = 0
    rows = []
    claims = [(person, person, probe) for person, _, probe in people]
    # A stranger claims to be one of the enrolled, each another.
    claims += [(stranger, enrolled[i % len(enrolled)], probe) for i, (stranger, probe) in enumerate(strangers)]
    for number, ((truth, claim, probe), answer) in enumerate(zip(claims, answers)):
        if "error" in answer:
            rows.append((truth, "-", "-", answer["error"], "-", "not found"))
            continue
        if claim not in enrolled:
            wrong = answer["decision"] == "MATCH"
            rows.append((truth, answer["identity"], "-", answer["decision"], "-", "WRONG" if wrong else "not enrolled"))
            continue
        verdict = verify(server, claim, probe)
        genuine = number < len(people)
        match = answer["decision"] == "MATCH"
        good = match and answer["identity"] == truth if genuine else not match
        recognised += genuine and good
        verified += genuine and verdict == "MATCH"
        matched += not genuine and (match or verdict == "MATCH")
        cosine = "-" if answer["cosine"] is None else f"{answer['cosine']:.4f}"
        rows.append((truth, answer["identity"], cosine, answer["decision"], f"{verdict} as {claim}", "ok" if good else "WRONG"))
    print_table(rows)
    if any(row[-1] == "WRONG" for row in rows):
        print("\nWRONG marks a mistake of the model, not of the programs: no model is always right at one threshold.")
    return recognised, verified, matched


def run(options):
    people, strangers = choose_people(options)
    probes = named_probes(options, people, strangers)
    data_dir = options.work / "gallery"
    shutil.rmtree(data_dir, ignore_errors=True)
    server = Server(options, data_dir)
    try:
        info, seconds = server.start()
        print(f"server ready in {seconds:.1f} s: {info['model']['architecture']}, detector {info['detector']}")
        enrolled = enrol(server, people, DRAWN_MIN_COSINE if options.drawn and options.bundled else None)
        started = time.monotonic()
        answers = identify(server, probes, *sheet_options(options))
        print(f"identified {len(probes)} photos in {time.monotonic() - started:.1f} s\n")
        recognised, verified, matched = judge(server, people, enrolled, strangers, answers)
        server.stop()
        _, seconds = server.start()
        again = identify(server, probes)
        server.stop()
    finally:
        server.kill()
    same = again == answers
    threshold = next((a["threshold"] for a in answers if "threshold" in a), None)
    print(f"\npeople identified as themselves   {recognised} of {len(people)}")
    print(f"people verified as themselves     {verified} of {len(people)}")
    print(f"strangers taken for somebody      {matched} of {len(strangers)}")
    print(f"threshold                         {threshold}")
    print(f"answers after a restart ({seconds:.1f} s)    {'the same' if same else 'DIFFERENT'}")
    if options.drawn:
        print(f"the photos                        {DRAWN_TITLE}")
    if options.sheet:
        print(f"who was found, as a picture       {options.sheet}")
    if not same:
        raise JobError("the restarted server answered differently")
    if recognised < LEAST_RECOGNISED * len(people) or verified < LEAST_RECOGNISED * len(people):
        raise JobError(f"fewer than {LEAST_RECOGNISED:.0%} of the people were recognised")
    if matched > MOST_STRANGERS_MATCHED * len(strangers):
        raise JobError(f"more than {MOST_STRANGERS_MATCHED:.0%} of the strangers were taken for somebody")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("bin", "model", "work"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("--photos", type=pathlib.Path, help="a folder for each person; without it people are drawn")
    parser.add_argument("--detector", type=pathlib.Path, help="the YuNet ONNX file")
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--bundled", action="store_true", help="the bundled model with its own decision cosine")
    parser.add_argument("--sheet", type=pathlib.Path, help="draw who was found: a PNG file to write")
    options = parser.parse_args()
    options.drawn = options.photos is None
    try:
        if options.drawn:
            options.photos = draw_people(options)
        run(options)
    except JobError as error:
        print(f"quickstart: FAIL {error}")
        return 1
    print("quickstart: PASS")
    return 0


if __name__ == "__main__":
    sys.exit(main())
