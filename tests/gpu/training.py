"""Images a second that training learns from, beside PyTorch with the same recipe in the same run."""

import time

from processes import Commanded, Failed, Missing, run

CLASSES = 10_000
ANSWER_S = 60  # for a burst
TABLE_S = 20  # seconds that the table of train_bench takes


def key_of(architecture):
    """The name of PyTorch's side."""
    return f"{architecture} learns"


def start(check, part, _limit_s, lessons, peers):
    for architecture, batch in lessons:
        options = ["--architecture", architecture, "--batch", batch, "--classes", CLASSES, "--device", check.device,
                   "--compile-limit", 0 if check.quick else 100]
        peers.start(check, part, key_of(architecture), "peer_train.py", options, check.folder(architecture) / "peer_train.log")


def measure(check, part, limit_s, architecture, batch, peers):
    """Bursts of all sides in turn, forwards and backwards; then how long a step waits for its batch."""
    end = time.monotonic() + limit_s
    figures = part["figures"]
    figures["batch"], figures["classes"] = batch, CLASSES
    seconds, rounds = (0.1, 1) if check.quick else (1.5, 2)
    command = [*check.program("bin/train_bench"), "--architecture", architecture, "--batch", batch, "--classes", CLASSES,
               "--threads", 2]
    sides, ours = {}, None
    try:
        if check.on_card:
            if "--precision" not in run([*check.program("bin/train_bench"), "--help"], limit_s):
                raise Missing("this train_bench learns on the CPU alone")
            command += ["--device", check.device, "--precision", "bf16"]
        check.record(part, [*command, "--on-command"])
        ours = Commanded([*command, "--on-command"], check.folder(architecture) / "train_bench.log")
        ours.answer(end - time.monotonic(), parse=bytes.decode)  # "ready"
        sides["facegate"] = lambda: 1e3 * batch / ours.ask(seconds, limit_s=ANSWER_S)
        try:
            peer, figures["PyTorch"] = peers.get(key_of(architecture))
            for mode in figures["PyTorch"]["modes"]:
                sides[f"PyTorch {mode}"] = lambda mode=mode: peer.ask(mode, seconds, limit_s=ANSWER_S)["images_per_s"]
        except Missing as why:
            figures["PyTorch"] = {"modes": [], "why": str(why)}
        for i in range(rounds):
            for side in list(sides) if i % 2 == 0 else list(sides)[::-1]:
                speed = sides[side]()
                figures.setdefault(side, []).append(speed)
        ours.close()
        if check.on_card and end - time.monotonic() > TABLE_S:
            check.record(part, [*command, "--seconds", seconds])
            figures["table"] = run([*command, "--seconds", seconds], TABLE_S).splitlines()
    finally:
        if ours is not None:
            ours.close()
        peers.end(key_of(architecture))
    if not figures["PyTorch"]["modes"]:
        raise Failed(f"there is nothing beside it: {figures['PyTorch']['why']}")
