"""What machine it is, and whether the programs start on it."""

import json
import os
import platform
import sys

from processes import Failed, run

CARD_FIELDS = ["name", "memory.total", "driver_version", "power.limit", "clocks.max.sm", "compute_cap"]
TORCH_FACTS = """
import json, torch
card = torch.cuda.is_available()
print(json.dumps({
    "torch": torch.__version__, "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version(),
    "capability": list(torch.cuda.get_device_capability()) if card else None,
    "multiprocessors": torch.cuda.get_device_properties(0).multi_processor_count if card else None}))
"""


def describe(check, part, limit_s):
    """Fills in what can be found out; Failed where a card is wanted and there is none."""
    figures = part["figures"]
    figures["system"] = platform.platform()
    figures["glibc"] = os.confstr("CS_GNU_LIBC_VERSION")
    figures["cores"] = len(os.sched_getaffinity(0))
    figures["python"] = platform.python_version()
    with open("/proc/cpuinfo", encoding="utf-8") as cpu:
        names = [line.split(":", 1)[1].strip() for line in cpu if line.startswith("model name")]
    figures["processor"] = names[0] if names else platform.machine()
    check.results["machine"] = figures
    try:
        figures.update(json_of(run([sys.executable, "-c", TORCH_FACTS], limit_s)))
    except Failed as why:
        figures["torch"] = f"cannot be imported: {why}"
    if not check.on_card:
        return
    try:
        line = run(["nvidia-smi", f"--query-gpu={','.join(CARD_FIELDS)}", "--format=csv,noheader"], 20)
    except FileNotFoundError:
        raise Failed("there is no nvidia-smi, so no NVIDIA driver") from None
    if not figures.get("capability"):
        raise Failed("PyTorch finds no card")
    figures["cards"] = [dict(zip(CARD_FIELDS, card.split(", "))) for card in line.strip().splitlines()]


def json_of(text):
    """The object on the last line."""
    return json.loads(text.strip().splitlines()[-1])


def start_programs(check, part, limit_s):
    """Runs starts.sh of the package: each library is found, and each program says what it is."""
    command = [check.package / "check/starts.sh"]
    check.record(part, command)
    part["figures"]["starts"] = run(command, limit_s).strip().splitlines()
