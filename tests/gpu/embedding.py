"""Faces a second of the embedder, beside PyTorch's in the same run: short bursts of all sides in turn."""

import concurrent.futures
import statistics
import time

from processes import Commanded, Failed, Missing, run

PAUSE_S = 0.02
ANSWER_S = 60  # for a burst
LEAST_COSINE = 0.999  # of PyTorch's embeddings in BF16 and ours in fp32


class Plan:
    """How much is measured."""

    def __init__(self, check):
        self.precisions = ["bf16", "fp16"] if check.on_card else ["fp32"]
        self.batches = [1, 2] if check.quick else [1, 8, 64, 256]
        self.in_flight = [1, 2] if check.quick else [1, 4]
        self.rounds = 1 if check.quick else 2
        self.burst_s = 0.05 if check.quick else 0.35
        self.compile_s = 0 if check.quick else 100  # on a CPU it takes minutes
        self.matrix_s = 0.05 if check.quick else 1.0


def key_of(network):
    """The name of PyTorch's side."""
    return f"{network} embeds"


def start(check, part, limit_s, networks, peers):
    """Writes each network's weights and faces, and starts PyTorch on them."""
    with concurrent.futures.ThreadPoolExecutor(len(networks)) as pool:
        for started in [pool.submit(start_one, check, part, limit_s, network, peers) for network in networks]:
            started.result()


def start_one(check, part, limit_s, network, peers):
    plan, folder = Plan(check), check.folder(network)
    command = [*check.program("bin/gpu_embed_bench"), "--architecture", network, "--device", "cpu", "--batch", 8, "--callers", 1,
               "--seconds", 0.01, "--write", folder]
    check.record(part, command)
    run(command, limit_s)
    # First what is fastest, then what answers soonest.
    first = [max(plan.batches), min(plan.batches)]
    batches = [*first, *sorted(set(plan.batches) - set(first), reverse=True)]
    options = ["--architecture", network, "--folder", folder, "--device", check.device, "--precision", plan.precisions[0],
               "--compile-limit", plan.compile_s, "--compile-mode", check.compile_mode, "--batch", *batches]
    peers.start(check, part, key_of(network), "peer_embed.py", options, folder / "peer_embed.log")


def measure(check, part, limit_s, network, peers):
    """Rows of the table of one network."""
    plan, end = Plan(check), time.monotonic() + limit_s
    figures, sides, ours = part["figures"], {}, []
    try:
        for precision in plan.precisions:
            command = [*check.program("bin/gpu_embed_bench"), "--architecture", network, "--device", check.device,
                       "--precision", precision, "--on-command", "--batch", *plan.batches]
            check.record(part, command)
            ours.append(Commanded(command, check.folder(network) / f"{precision}.log"))
            # One after the other: each tries which of cuDNN's ways are fastest.
            figures[f"facegate {precision}"] = ours[-1].answer(end - time.monotonic())
            sides[f"facegate {precision}"] = (ours[-1], [])
        peer = greeted(network, figures, peers)
        if peer is not None:
            sides[f"PyTorch eager {plan.precisions[0]}"] = (peer, ["eager"])
            if figures["PyTorch"]["compiled"]:
                sides[f"PyTorch compiled {plan.precisions[0]}"] = (peer, ["compiled"])
            figures["matrix_tflops"] = [peer.ask("matrix", plan.matrix_s, limit_s=ANSWER_S)["tflops"]]
        in_turn(sides, plan, figures, end)
        if peer is not None:
            figures["matrix_tflops"].append(peer.ask("matrix", plan.matrix_s, limit_s=ANSWER_S)["tflops"])
    finally:
        for side in ours:
            side.close()
        peers.end(key_of(network))
    if peer is None:
        raise Failed(f"there is nothing beside it: {figures['PyTorch']['why']}")


def greeted(network, figures, peers):
    """PyTorch's side; None where there is none, or where it computes something else."""
    try:
        peer, figures["PyTorch"] = peers.get(key_of(network))
        if figures["PyTorch"]["least_cosine"] < LEAST_COSINE:
            raise Failed(f"its embeddings are not ours: a cosine of {figures['PyTorch']['least_cosine']:.6f}")
        return peer
    except (Failed, Missing) as why:
        figures["PyTorch"] = {"why": str(why), "compiled": []}
        return None


def in_turn(sides, plan, figures, end):
    """Fills figures["rows"]: bursts of all sides one after the other, forwards and backwards."""
    measured = {}
    for i in range(plan.rounds):
        for batch in sorted(plan.batches, reverse=True):
            for in_flight in plan.in_flight:
                for name in list(sides) if i % 2 == 0 else list(sides)[::-1]:
                    side, words = sides[name]
                    if "compiled" in words and batch not in figures["PyTorch"]["compiled"]:
                        continue
                    if time.monotonic() > end - 5:
                        raise Failed(f"the time was over in round {i + 1} of {plan.rounds}")
                    time.sleep(PAUSE_S)
                    answer = side.ask(*words, batch, in_flight, plan.burst_s, limit_s=ANSWER_S)
                    measured.setdefault((name, batch, in_flight), []).append(answer)
                figures["rows"] = [row_of(key, answers) for key, answers in measured.items()]


def row_of(key, answers):
    side, batch, in_flight = key
    medians = {name: statistics.median(answer[name] for answer in answers) for name in ("faces_per_s", "p50_ms", "p99_ms")}
    return {"side": side, "batch": batch, "in_flight": in_flight, **medians, "bursts": len(answers)}
