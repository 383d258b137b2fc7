"""Images a second that facegate-train learns from, beside PyTorch with the same recipe in the same run."""

import json
import time

from processes import Failed, Missing, run

CLASSES = 10_000


def key_of(architecture):
    """The name of PyTorch's side."""
    return f"{architecture} learns"


def start(check, part, _limit_s, lessons, peers):
    for architecture, batch in lessons:
        options = ["--architecture", architecture, "--batch", batch, "--classes", CLASSES, "--device", check.device,
                   "--compile-limit", 20 if check.quick else 100]
        peers.start(check, part, key_of(architecture), "peer_train.py", options, check.folder(architecture) / "peer_train.log")


def measure(check, part, limit_s, architecture, batch, peers):
    """Two rounds of each side in turn."""
    end = time.monotonic() + limit_s
    figures = part["figures"]
    figures["batch"], figures["classes"] = batch, CLASSES
    seconds = 0.1 if check.quick else 1.5
    command = [*check.program("bin/facegate-train"), "bench", "--architecture", architecture, "--batch", batch, "--classes",
               CLASSES, "--seconds", seconds, "--json"]
    try:
        if check.on_card:
            if "--precision" not in run([*check.program("bin/facegate-train"), "bench", "--help"], limit_s):
                raise Missing("this facegate-train learns on the CPU alone")
            command += ["--device", check.device, "--precision", "bf16"]
        check.record(part, command)
        try:
            peer, figures["PyTorch"] = peers.get(key_of(architecture))
        except Missing as why:
            figures["PyTorch"] = {"modes": [], "why": str(why)}
        for _ in range(1 if check.quick else 2):
            figures["step"] = json.loads(run(command, end - time.monotonic()))
            figures.setdefault("facegate", []).append(figures["step"]["pictures_per_second"])
            for mode in figures["PyTorch"]["modes"]:
                answer = peer.ask(mode, seconds, limit_s=30)
                figures.setdefault(f"PyTorch {mode}", []).append(answer["images_per_s"])
    finally:
        peers.end(key_of(architecture))
    if not figures["PyTorch"]["modes"]:
        raise Failed(f"there is nothing beside it: {figures['PyTorch']['why']}")
