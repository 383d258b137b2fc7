#!/usr/bin/env python3
"""Writes what tests/gpu/check.py has found as JSON and as the tables of tests/bench/RESULTS-gpu.md, and judges the goals.

report.py RESULTS.json writes the tables of recorded results to the standard output.
"""

import json
import statistics
import sys
from pathlib import Path

import searching

KINDS = ("machine", "starts", "peers", "equality", "embedding", "serving", "training", "search")
GOAL_FACES_PER_S = 25_000
GOAL_SHARE = 0.40  # of the rate of a large product of matrices
GOAL_RATIO = 1.2  # to the better PyTorch
GOAL_P50_MS = 1.0


def parts_of(results, kind, name=None):
    return [part for part in results["parts"] if part["kind"] == kind and name in (None, part["name"])]


def equality_passed(results):
    """All programs of tests ran, and no case failed; on the CPU some may need a card."""
    outcomes = {part["outcome"] for part in parts_of(results, "equality")}
    return "passed" in outcomes and outcomes <= ({"passed", "not run"} if results["device"] == "cpu" else {"passed"})


def figures_of(results, kind, name):
    parts = parts_of(results, kind, name)
    return parts[0]["figures"] if parts else {}


def best(rows, side):
    """The most faces a second of any batch, of sides whose names begin so; None where there are none."""
    return max((row["faces_per_s"] for row in rows if row["side"].startswith(side)), default=None)


def ratio(ours, theirs):
    return ours / theirs if ours and theirs else None


def share_of_matrix_rate(figures):
    """Which part of the rate of a large product of matrices the network reaches, 0 to 1."""
    rates = figures.get("matrix_tflops")
    ours = best(figures.get("rows", []), "facegate bf16")
    if not rates or not ours:
        return None
    return 2e-12 * figures["PyTorch"]["multiply_adds"] * ours / statistics.mean(rates)


def training_ratio(results, architecture):
    figures = figures_of(results, "training", architecture)
    theirs = [statistics.median(figures[side]) for side in figures if side in ("PyTorch eager", "PyTorch compiled")]
    return ratio(statistics.median(figures["facegate"]), max(theirs)) if theirs and "facegate" in figures else None


def goals_of(results):
    """[what, wanted, measured as a text, whether it is met (None: not measured, or only to try the check itself)]."""
    figures = figures_of(results, "embedding", "iresnet-50")
    rows = figures.get("rows", [])
    fastest = best(rows, "facegate bf16")
    p50 = next((row["p50_ms"] for row in rows
                if row["side"] == "facegate bf16" and (row["batch"], row["in_flight"]) == (1, 1)), None)
    measured = [
        ("iR-50, faces/s in BF16", f"≥ {GOAL_FACES_PER_S:,}", "{:,.0f}", fastest, lambda x: x >= GOAL_FACES_PER_S),
        ("iR-50, share of the BF16 matrix rate", f"≥ {GOAL_SHARE:.0%}", "{:.1%}", share_of_matrix_rate(figures),
         lambda x: x >= GOAL_SHARE),
        ("iR-50, faces/s to the better PyTorch", f"≥ {GOAL_RATIO} ×", "{:.2f} ×", ratio(fastest, best(rows, "PyTorch")),
         lambda x: x >= GOAL_RATIO),
        ("iR-50, p50 of one face at batch 1", f"≤ {GOAL_P50_MS} ms", "{:.2f} ms", p50, lambda x: x <= GOAL_P50_MS),
    ]
    for architecture in ("iresnet-50", "mobilefacenet-512"):
        measured.append((f"{architecture} learns, images/s to the better PyTorch", f"≥ {GOAL_RATIO} ×", "{:.2f} ×",
                         training_ratio(results, architecture), lambda x: x >= GOAL_RATIO))
    searched = next((part["figures"] for part in parts_of(results, "search")), {})
    for way, count in (("card", 1_000_000), ("card", 10_000_000), ("index", 1_000_000)):
        measured.append((f"a search among {count:,} rows ({way}), to one read of them", f"≤ {searching.GOAL_READS} ×", "{:.2f} ×",
                         searching.reads_of(searched, way, count), lambda x: x <= searching.GOAL_READS))
    goals = [["equality tests", "all pass", "passed" if equality_passed(results) else "not passed", equality_passed(results)]]
    for what, wanted, form, value, is_met in measured:
        goals.append([what, wanted, "not measured" if value is None else form.format(value),
                      None if value is None or results["quick"] else is_met(value)])
    return goals


def table(head, rows):
    """Lines of Markdown."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        lines.append("| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in row) + " |")
    return [*lines, ""]


def machine_lines(results):
    facts = results.get("machine", {})
    cards = ", ".join(f"{card['name']} ({card['memory.total']}, driver {card['driver_version']}, {card['power.limit']})"
                      for card in facts.get("cards", [])) or "no card"
    system = f"{facts.get('cores')} cores of {facts.get('processor')}, {facts.get('glibc')}, PyTorch {facts.get('torch')}"
    return [f"Commit {results['commit']}, {results['started']}, device {results['device']}: {cards}; {system}.", "",
            f"Command: `{results['command']}`, {results.get('seconds', '?')} s.", ""]


def equality_lines(results):
    rows = []
    for part in parts_of(results, "equality"):
        figures = part["figures"]
        worst = max(figures.get("one_minus_cosine", {"": 0.0}).values(), default=0.0)
        rows.append([part["name"], part["outcome"], *(figures.get(outcome, "–") for outcome in ("passed", "skipped", "failed")),
                     f"{worst:.1e}"])
    return ["## Equality", "", *table(["program", "outcome", "passed", "skipped", "failed", "largest 1 − cosine"], rows)]


def speed_lines(part):
    """One table of a network: a row for each batch and number of batches in flight, a column for each side."""
    rows = part["figures"].get("rows", [])
    sides = list(dict.fromkeys(row["side"] for row in rows))
    by_key = {(row["batch"], row["in_flight"], row["side"]): row for row in rows}
    body = []
    for batch, in_flight in sorted({(row["batch"], row["in_flight"]) for row in rows}):
        found = [by_key.get((batch, in_flight, side)) for side in sides]
        here = [row for row in found if row]
        to_peer = ratio(best(here, "facegate"), best(here, "PyTorch"))
        body.append([batch, in_flight,
                     *(f"{row['faces_per_s']:,.0f} ({row['p50_ms']:.2f} / {row['p99_ms']:.2f})" if row else "–" for row in found),
                     f"{to_peer:.2f}" if to_peer else "–"])
    lines = [f"### {part['name']}", ""]
    share = share_of_matrix_rate(part["figures"])
    if share is not None:
        lines += [f"{part['figures']['PyTorch']['multiply_adds'] / 1e9:.2f} G multiply-adds a face; the matrix rate is "
                  f"{statistics.mean(part['figures']['matrix_tflops']):.0f} TFLOP/s, of which facegate reaches {share:.1%}.", ""]
    return lines + table(["batch", "in flight", *sides, "ours to the better PyTorch"], body)


def embedding_lines(results):
    lines = ["## Embedding", "",
             "Faces a second, and the p50 and p99 of a call in ms, from 8-bit crops to unit vectors in the machine's memory; "
             "medians of bursts in turn.", ""]
    for part in parts_of(results, "embedding"):
        lines += speed_lines(part)
    return lines


def serving_lines(results):
    rows = []
    for part in parts_of(results, "serving"):
        own = best(figures_of(results, "embedding", part["figures"].get("network")).get("rows", []), "facegate")
        for load in part["figures"].get("loads", []):
            share = ratio(load["faces_per_s"], own)
            rows.append([part["figures"]["network"], load["picture"], f"{load['connections']} × {load['outstanding']}",
                         f"{load['faces_per_s']:,.0f}", f"{load['p50_ms']:.1f} / {load['p99_ms']:.1f}",
                         f"{share:.1%}" if share else "–", sum(load["failures"].values())])
    return ["## Aligned crops through the server", "", "The load and the server share the machine's cores.", "",
            *table(["network", "crops", "calls", "faces/s", "p50 / p99 ms", "share of the embedder's own rate", "failed calls"], rows)]


def training_lines(results):
    rows, tables = [], []
    for part in parts_of(results, "training"):
        figures = part["figures"]
        speeds = [f"{statistics.median(figures[side]):,.0f}" if figures.get(side) else "–"
                  for side in ("facegate", "PyTorch eager", "PyTorch compiled")]
        to_peer = training_ratio(results, part["name"])
        rows.append([part["name"], figures.get("batch", "–"), *speeds, f"{to_peer:.2f}" if to_peer else "–"])
        tables += part["figures"].get("table", [])
    lines = ["## Learning", "", "Images a second of whole steps.", "",
             *table(["network", "batch", "facegate", "PyTorch eager", "PyTorch compiled", "ours to the better PyTorch"], rows)]
    return [*lines, "How long our steps waited for their batch:", "", "```", *tables, "```", ""] if tables else lines


def search_lines(results):
    rows, changes = [], []
    for part in parts_of(results, "search"):
        for way, count, batch, ours, read, *peers in searching.table_of(part["figures"]):
            rows.append([way, f"{count:,}", batch, f"{ours:.3f}", f"{ours / read:.2f}" if read else "–",
                         *(f"{ms:.3f} ({ms / ours:.2f} ×)" if ms else "–" for ms in peers)])
        changes += [row for row in part["figures"].get("rows", []) if row["way"] == "changes"]
    lines = ["## Searches", "",
             "Milliseconds of a search: through an index, for the best person, as a server makes it, and by the card alone, for 64 rows "
             "of each part; beside FAISS's flat index. A read is that of all rows in half precision at the rate of the card's copies.", "",
             *table(["way", "rows", "queries", "ours, ms", "ours, in reads", "FAISS fp16, ms", "FAISS fp32, ms"], rows)]
    for row in changes:
        lines += [f"While {row['changes']:,} of {row['rows']:,} rows came or went, {row['searches']:,} searches took {row['p50_ms']:.2f} ms "
                  f"(p50) and {row['p99_ms']:.2f} ms (p99); {row['wrong']} of them gave a row that had been removed.", ""]
    return lines


def shortened(why):
    """The first line and the last words of a reason: what ended, and what it said last."""
    lines = why.strip().splitlines()
    return " … ".join([lines[0], lines[-1][-300:]]) if len(lines) > 1 else why.strip()[:600]


def trouble_lines(results):
    rows = [[part["kind"], part["name"], part["outcome"], shortened(part.get("why", ""))]
            for part in results["parts"] if part["outcome"] != "passed"]
    for part in results["parts"]:
        why = part["figures"].get("PyTorch", {}).get("why")
        if why:
            rows.append([part["kind"], part["name"], "PyTorch's side", shortened(why)])
    if not rows:
        return []
    return ["## What was not measured", "", *table(["part", "name", "outcome", "why"], rows)]


def markdown(results):
    """The whole page."""
    verdicts = {True: "met", False: "missed", None: "–"}
    goals = table(["goal", "wanted", "measured", "verdict"],
                  [[what, wanted, got, verdicts[met]] for what, wanted, got, met in goals_of(results)])
    commands = [f"{part['seconds']:>6} s  {command}" for part in results["parts"] for command in part["commands"]]
    tried = ["**The check itself was tried: it measured as little as it can, and no figure here is a result.**", ""]
    lines = ["# On a card", "", *(tried if results["quick"] else []), *machine_lines(results), *goals]
    for section in (equality_lines, embedding_lines, serving_lines, training_lines, search_lines, trouble_lines):
        lines += section(results)
    lines += ["## Commands", "", "In the unpacked package, with the seconds of their part.", "", "```", *commands, "```", ""]
    return "\n".join(lines)


def replace(path, text):
    """A reader never sees half of it."""
    part = path.with_name(f".{path.name}")
    part.write_text(text)
    part.replace(path)


def write(results, folder):
    """gpu-results.json and gpu-results.md; no mistake in the page costs figures."""
    folder = Path(folder)
    for goals in (lambda: [], lambda: goals_of(results)):
        results["goals"] = [dict(zip(("what", "wanted", "measured", "met"), goal)) for goal in goals()]
        replace(folder / "gpu-results.json", json.dumps(results, indent=1, ensure_ascii=False))
    replace(folder / "gpu-results.md", markdown(results))


if __name__ == "__main__":
    print(markdown(json.loads(Path(sys.argv[1]).read_text())))
