"""Searches on a card: through an index and by the card alone, beside FAISS's own flat index and one read of all rows."""

import json

from processes import Failed, Missing, run

GOAL_READS = 1.5  # what a search for one query may take, in reads of all rows


def measure(check, part, limit_s):
    """Fills in what gpu_search_bench wrote, also where it failed later."""
    if not (check.package / "bin/gpu_search_bench").exists():
        raise Missing("this package was built without FAISS for GPUs (deploy/bootstrap.sh --gpu)")
    path = check.folder("search") / "search.json"
    path.unlink(missing_ok=True)
    command = [*check.program("bin/gpu_search_bench"), "--device", check.device, "--json", path]
    if check.quick:
        command.append("--quick")
    check.record(part, command)
    try:
        run(command, limit_s)
    finally:
        if path.exists():
            part["figures"].update(json.loads(path.read_text()))
    judge(part["figures"])


def judge(figures):
    """Failed where an answer was not that of a scan, or not found on the card."""
    for row in figures["rows"]:
        if not row.get("is_exact", True):
            raise Failed(f"among {row['rows']:,} rows a search found something else than the CPU does")
        if row.get("on_card", 1) < 0.9:
            raise Failed(f"among {row['rows']:,} rows the card answered {row['on_card']:.0%} of the queries alone")
        if row.get("wrong", 0):
            raise Failed(f"{row['wrong']} searches gave a row that had been removed")


def read_ms(figures, rows):
    """The time in which the card could read so many rows in half precision once, at the rate of its copies; None without a card."""
    rate = figures.get("copy_bytes_per_s")
    return 1e3 * rows * figures["dimension"] * 2 / rate if rate else None


def table_of(figures):
    """[way, rows, batch, ours in ms, one read in ms, FAISS fp16 in ms, FAISS fp32 in ms], a row for each of ours."""
    measured = {(row["way"], row["rows"], row["batch"], row["k"]): row["ms"] for row in figures.get("rows", []) if "batch" in row}
    return [[way, rows, batch, ms, read_ms(figures, rows), *(measured.get((f"FAISS {halves}", rows, batch, k)) for halves in ("fp16", "fp32"))]
            for (way, rows, batch, k), ms in measured.items() if way in ("index", "card")]


def reads_of(figures, way, rows):
    """What a search for one query takes, in reads of all rows; None where it was not measured."""
    return next((row[3] / row[4] for row in table_of(figures) if row[:3] == [way, rows, 1] and row[4]), None)
