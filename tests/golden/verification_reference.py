#!/usr/bin/env python3
"""Compares the figures of `facegate-train eval` with NumPy's and scikit-learn's, to 1e-9.

Everything is computed here from the embeddings, the names of their photos and the list of pairs, by
other means than the trainer's: scikit-learn's folds, ROC curve and area, NumPy's matrices. Also
reads a file that `facegate-train embed` wrote. Needs NumPy and scikit-learn, of this interpreter or
of the one that FACEGATE_REFERENCE_PYTHON names, and the photos and weights of FACEGATE_DATA; exits
with 77 where something is absent.

  verification_reference.py --program build/bin/facegate-train
  verification_reference.py --program build/bin/facegate-train --embeddings e.npy \\
      --names e.names.txt --pairs pairs.txt
"""
import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

SKIPPED = 77
TOLERANCE = 1e-9
QUANTILE = 1.959963984540054  # of the normal distribution, 95 % two-sided
FARS = (1e-1, 1e-2, 1e-3, 0.0)
FPIRS = (0.0, 0.01, 0.05, 0.1)
RANKS = 20


def skip(why):
    print(f"SKIPPED: {why}")
    sys.exit(SKIPPED)


try:
    import numpy as np
    from sklearn.metrics import precision_recall_fscore_support, roc_auc_score, roc_curve
    from sklearn.model_selection import KFold
except ImportError:
    other = os.environ.pop("FACEGATE_REFERENCE_PYTHON", "")  # once: it may lack them, too
    if other:
        os.execv(other, [other, *sys.argv])
    skip("needs numpy and scikit-learn; set FACEGATE_REFERENCE_PYTHON to a Python that has them")


def read_pairs(path):
    """Names and labels of LFW's list or of lines PHOTO PHOTO 0|1, and the number of folds."""
    lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
    if len(lines[0]) != 2:
        return [(a, b, label == "1") for a, b, label in lines], 10
    photo = "{0}/{0}_{1:04d}.jpg".format
    pairs = []
    for fields in lines[1:]:
        same = len(fields) == 3
        other = fields[0] if same else fields[2]
        pairs.append((photo(fields[0], int(fields[1])), photo(other, int(fields[-1])), same))
    return pairs, int(lines[0][0])


def accuracy(alikeness, same, folds, grid):
    """Of each fold, with the first of the thresholds that are best on the others.

    Without a grid the candidates are the training scores, ascending, and a pair at the threshold is
    the same; with one, what is above it.
    """
    results, thresholds = [], []
    for train, test in KFold(folds).split(alikeness):
        candidates = np.unique(alikeness[train]) if grid is None else grid
        scores = alikeness[train][None, :]
        chunks = np.array_split(candidates, max(1, len(candidates) // 500))
        right = []
        for chunk in chunks:
            judged = scores >= chunk[:, None] if grid is None else scores > chunk[:, None]
            right.append((judged == same[train][None, :]).sum(axis=1))
        best = candidates[np.argmax(np.concatenate(right))]
        judged = alikeness[test] >= best if grid is None else alikeness[test] > best
        results.append(np.mean(judged == same[test]))
        thresholds.append(best if grid is None else -best)
    return {"mean": np.mean(results), "deviation": np.std(results),
            "threshold": np.mean(thresholds), "folds": results}


def answers(cosines, same, folds):
    """Precision, recall and F1 of the answers at the folds' exact thresholds."""
    accepted = np.zeros(len(same), dtype=bool)
    for train, test in KFold(folds).split(cosines):
        candidates = np.unique(cosines[train])
        right = [np.count_nonzero((cosines[train] >= one) == same[train]) for one in candidates]
        accepted[test] = cosines[test] >= candidates[np.argmax(right)]
    precision, recall, f1, _ = precision_recall_fscore_support(
        same, accepted, average="binary", zero_division=0.0)
    return {"precision": precision, "recall": recall, "f1": f1}


def validation(squared, same, folds, far):
    """FaceNet's validation rate, with thresholds interpolated on its grid of squared distances."""
    grid = np.arange(4000) * 0.001
    genuine, impostor = [], []
    for train, test in KFold(folds).split(squared):
        others = np.sort(squared[train][~same[train]])
        rates = np.searchsorted(others, grid, side="left") / len(others)
        threshold = 0.0
        if rates[-1] >= far:
            at = np.argmax(rates >= far)
            threshold = np.interp(far, rates[at - 1:at + 1], grid[at - 1:at + 1])
        genuine.append(np.mean(squared[test][same[test]] < threshold))
        impostor.append(np.mean(squared[test][~same[test]] < threshold))
    return {"far": far, "mean": np.mean(genuine), "deviation": np.std(genuine),
            "measured_far": np.mean(impostor)}


def wilson(hits, trials):
    p, z, n = hits / trials, QUANTILE, trials
    middle = p + z * z / (2 * n)
    half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return {"value": p, "low": max(0.0, (middle - half) / scale),
            "high": min(1.0, (middle + half) / scale)}


def within(value, error):
    return [max(0.0, value - QUANTILE * error), min(1.0, value + QUANTILE * error)]


def verification(cosines, same, folds):
    distance = np.sqrt(np.maximum(0.0, 2.0 - 2.0 * cosines))
    grid = -(np.arange(400) * 0.01)
    figures = {"accuracy_exact": accuracy(cosines, same, folds, None),
               "accuracy_grid_distance": accuracy(-distance, same, folds, grid),
               "accuracy_grid_squared": accuracy(-(distance * distance), same, folds, grid)}
    figures["accuracy_exact"].update(answers(cosines, same, folds))
    figures["validation_at_far"] = [validation(distance * distance, same, folds, far)
                                    for far in FARS if far > 0.0]
    genuine, impostor = np.sort(cosines[same]), np.sort(cosines[~same])
    figures["genuine_pairs"], figures["impostor_pairs"] = len(genuine), len(impostor)
    figures["tar_at_far"] = []
    for far in FARS:
        threshold = impostor[::-1][int(np.floor(far * len(impostor)))]
        figures["tar_at_far"].append(
            {"far": far, "threshold": threshold,
             "tar": wilson(np.count_nonzero(genuine > threshold), len(genuine))})
    far, tar, _ = roc_curve(same, cosines, drop_intermediate=False)
    # The curve begins at (0, 0), a threshold that no score has; of equal differences the lowest
    # threshold counts, which the curve has last.
    far, frr = far[1:][::-1], 1.0 - tar[1:][::-1]
    at = np.argmin(np.abs(far - frr))
    figures["eer"] = (far[at] + frr[at]) / 2.0
    figures["eer_interval"] = within(
        figures["eer"], np.sqrt(far[at] * (1 - far[at]) / (4 * len(impostor)) +
                                frr[at] * (1 - frr[at]) / (4 * len(genuine))))
    area = roc_auc_score(same, cosines)
    q1, q2 = area / (2 - area), 2 * area ** 2 / (1 + area)
    variance = (area * (1 - area) + (len(genuine) - 1) * (q1 - area ** 2) +
                (len(impostor) - 1) * (q2 - area ** 2)) / (len(genuine) * len(impostor))
    figures["auc"], figures["auc_interval"] = area, within(area, np.sqrt(variance))
    figures["d_prime"] = ((genuine.mean() - impostor.mean()) /
                          np.sqrt((genuine.var() + impostor.var()) / 2.0))
    return figures


def identification(unit, names):
    """The first photo in name order of each person with two or more is enrolled."""
    people = collections.defaultdict(list)
    for row, name in enumerate(names):
        people[name.rpartition("/")[0]].append(row)
    known = [sorted(rows, key=lambda row: names[row]) for _, rows in sorted(people.items())
             if len(rows) > 1]
    if not known:
        return None
    gallery = np.array([rows[0] for rows in known])
    probes = np.array([row for rows in known for row in rows[1:]])
    person = np.array([i for i, rows in enumerate(known) for _ in rows[1:]])
    strangers = np.array([rows[0] for rows in people.values() if len(rows) == 1], dtype=int)
    scores = unit[probes] @ unit[gallery].T
    own = scores[np.arange(len(probes)), person]
    earlier = np.arange(len(gallery))[None, :] < person[:, None]
    ranks = 1 + ((scores > own[:, None]) | ((scores == own[:, None]) & earlier)).sum(axis=1)
    found = {"people": len(gallery), "probes": len(probes), "strangers": len(strangers),
             "cmc": [wilson(np.count_nonzero(ranks <= rank), len(probes))
                     for rank in range(1, RANKS + 1)]}
    for rank in (1, 5, 10):
        found[f"rank_{rank}"] = found["cmc"][rank - 1]
    found["tpir_at_fpir"] = []
    if len(strangers) == 0:
        return found
    best = np.sort((unit[strangers] @ unit[gallery].T).max(axis=1))[::-1]
    for fpir in FPIRS:
        threshold = best[int(np.floor(fpir * len(best)))]
        tpir = wilson(np.count_nonzero((ranks == 1) & (own > threshold)), len(probes))
        found["tpir_at_fpir"].append(
            {"fpir": fpir, "threshold": threshold, "tpir": tpir,
             "fnir": {"value": 1 - tpir["value"], "low": 1 - tpir["high"],
                      "high": 1 - tpir["low"]}})
    return found


def difference(ours, theirs, where, largest):
    """The largest difference of two trees of numbers; what `theirs` has, `ours` must have."""
    if isinstance(theirs, dict):
        for key, value in theirs.items():
            difference(ours[key], value, f"{where}.{key}", largest)
    elif isinstance(theirs, (list, tuple)):
        if len(ours) != len(theirs):
            sys.exit(f"{where}: {len(ours)} values, expected {len(theirs)}")
        for i, value in enumerate(theirs):
            difference(ours[i], value, f"{where}[{i}]", largest)
    elif theirs is None or ours is None:
        if ours is not theirs:
            sys.exit(f"{where}: {ours}, expected {theirs}")
    else:
        largest.append((abs(float(ours) - float(theirs)), where))


def check(program, values, names_path, pairs_path, more=()):
    """`values` is a .npy; `more` are options of eval, with what they do to the rows done here."""
    names = names_path.read_text().split("\n")[:-1]
    raw = np.load(values).astype(np.float64).reshape(-1, np.load(values).shape[-1])
    plain, mirrored = raw[:len(names)], raw[len(names):]
    if "sum" in more:
        plain = plain + mirrored
    elif "concat" in more:
        plain = np.hstack([plain, mirrored])
    unit = plain / np.linalg.norm(plain, axis=1, keepdims=True)
    pairs, folds = read_pairs(pairs_path)
    row = {name: i for i, name in enumerate(names)}
    cosines = np.array([unit[row[a]] @ unit[row[b]] for a, b, _ in pairs])
    expected = verification(cosines, np.array([same for _, _, same in pairs]), folds)
    expected["photos"] = len(names)
    expected["identification"] = identification(unit, names)
    answer = subprocess.run(
        [program, "eval", "--embeddings", values, "--order", names_path, "--pairs", pairs_path,
         "--json", "--cmc", str(RANKS), "--far", ",".join(map(str, FARS)), "--fpir", ",".join(map(str, FPIRS)),
         *more], check=True, capture_output=True, text=True)
    largest = []
    difference(json.loads(answer.stdout), expected, "", largest)
    worst, where = max(largest)
    label = " ".join(more) or "plain"
    print(f"{label}: {len(largest)} figures, largest difference {worst:.3g} at {where}; "
          f"accuracy {100 * expected['accuracy_exact']['mean']:.3f} %, "
          f"rank-1 {100 * expected['identification']['rank_1']['value']:.3f} %")
    if not worst <= TOLERANCE:
        sys.exit(f"{where} differs by {worst}, more than {TOLERANCE}")


def check_stored(program, data, folder):
    """The stored embeddings, of plain photos and their mirror images, written by NumPy."""
    order = data / "lfw" / "order.txt"
    names = folder / "names.txt"
    names.write_text("\n".join(order.read_text().split()) + "\n")
    count = len(names.read_text().split())
    raw = np.fromfile(data / "lfw" / "embeddings_seed002.f32", dtype="<f4").reshape(2, count, -1)
    pairs = data / "lfw" / "pairs.txt"
    np.save(folder / "plain.npy", raw[0])
    check(program, folder / "plain.npy", names, pairs)
    np.save(folder / "both.npy", raw)
    check(program, folder / "both.npy", names, pairs, ("--mirror", "sum"))
    np.save(folder / "rows.npy", raw.reshape(2 * count, -1))
    check(program, folder / "rows.npy", names, pairs, ("--mirror", "concat"))


def check_embed(program, data, folder):
    """NumPy reads what embed writes: the weights' published distances of three crops."""
    model, out = folder / "model.safetensors", folder / "golden.npy"
    subprocess.run([program, "import", "--preset", "bubbliiiing",
                    data / "weights" / "arcface_mobilefacenet.pth", model],
                   check=True, stdout=subprocess.DEVNULL)
    subprocess.run([program, "embed", model, data / "golden", "--crops", "--out", out],
                   check=True, stdout=subprocess.DEVNULL)
    rows = np.load(out)
    names = out.with_name("golden.names.txt").read_text().split()
    assert names == ["1_001.jpg", "1_002.jpg", "2_001.jpg"], names
    assert rows.dtype == np.dtype("<f4") and rows.shape == (3, 128), (rows.dtype, rows.shape)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-6)
    distances = [float(np.linalg.norm(rows[a] - rows[b])) for a, b in ((0, 1), (0, 2), (1, 2))]
    print("distances of the golden crops:", " ".join(f"{one:.4f}" for one in distances))
    assert np.allclose(distances, [0.7038, 1.3347, 1.3845], atol=1e-3), distances


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--program", required=True, help="facegate-train")
    parser.add_argument("--embeddings", type=pathlib.Path, help="a .npy instead of the stored ones")
    parser.add_argument("--names", type=pathlib.Path)
    parser.add_argument("--pairs", type=pathlib.Path)
    options = parser.parse_args()
    if options.embeddings:
        check(options.program, options.embeddings, options.names, options.pairs)
        return
    data = pathlib.Path(os.environ.get("FACEGATE_DATA") or "nowhere")
    if not (data / "lfw" / "embeddings_seed002.f32").exists():
        skip("needs real photos and weights; set FACEGATE_DATA to their folder")
    with tempfile.TemporaryDirectory(prefix="facegate-reference-") as folder:
        check_stored(options.program, data, pathlib.Path(folder))
        check_embed(options.program, data, pathlib.Path(folder))


if __name__ == "__main__":
    main()
