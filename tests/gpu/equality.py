"""The tests of the package, as GoogleTest programs."""

import concurrent.futures
import json

from processes import Failed, Missing, run

SHARDS = 6
NO_CARD = "SKIPPED: no card"  # how a case says it


def read_cases(path):
    """Names by outcome, and what cases have recorded, of GoogleTest's JSON."""
    cases = {"passed": [], "skipped": [], "failed": []}
    recorded = {}
    for suite in json.loads(path.read_text())["testsuites"]:
        for case in suite["testsuite"]:
            name = f"{suite['name']}.{case['name']}"
            if case.get("failures"):
                cases["failed"].append(name)
            elif case["result"] == "SKIPPED":
                cases["skipped"].append(name)
            else:
                cases["passed"].append(name)
            if "one_minus_cosine" in case:
                recorded[name] = float(case["one_minus_cosine"])
    return cases, recorded


def run_tests(check, part, limit_s, test):
    """Runs one test program, in several parts side by side; Missing where there is no card for a case."""
    folder = check.folder("equality")
    shards = 1 if check.quick else SHARDS
    environment = {"FACEGATE_TEST_DEVICE": check.device,
                   "FACEGATE_TEST_MODEL": str(check.package / "models/default.safetensors")}
    command = [*check.program(f"tests/{test.name}")]
    if check.quick:
        # The large networks take minutes on a CPU.
        command.append("--gtest_filter=-*iresnet_34*:*iresnet_100*:*iresnet_200*:*irse*")
    check.record(part, command, environment)

    def run_shard(shard):
        out = folder / f"{test.name}.{shard}.json"
        out.unlink(missing_ok=True)
        more = {"GTEST_TOTAL_SHARDS": str(shards), "GTEST_SHARD_INDEX": str(shard), "OMP_WAIT_POLICY": "passive"}
        try:
            said = run([*command, f"--gtest_output=json:{out}"], limit_s, {**environment, **more}, allowed=(0, 1))
        except Failed as why:
            return str(why), None
        return said, read_cases(out) if out.exists() else None

    with concurrent.futures.ThreadPoolExecutor(shards) as pool:
        ended = list(pool.map(run_shard, range(shards)))
    (check.out / f"{test.name}.log").write_text("\n".join(said for said, _ in ended))
    judge(part["figures"], ended, check.on_card)


def judge(figures, ended, on_card):
    """Fills in the sums of (what a program said, its cases or None); Failed and Missing as they say."""
    found = [read for _, read in ended if read is not None]
    cases = {outcome: sum((one[outcome] for one, _ in found), []) for outcome in ("passed", "skipped", "failed")}
    figures.update({outcome: len(names) for outcome, names in cases.items()})
    figures["failed_cases"] = cases["failed"]
    figures["one_minus_cosine"] = {name: value for _, recorded in found for name, value in recorded.items()}
    for said, read in ended:
        if read is None:
            raise Failed(f"it wrote no results: {said[-1500:]}")
    if cases["failed"]:
        raise Failed(f"{len(cases['failed'])} cases failed: {', '.join(cases['failed'][:10])}; its log is beside this report")
    without_card = [line for said, _ in ended for line in said.splitlines() if line.startswith(NO_CARD)]
    if (without_card and on_card) or not cases["passed"]:
        raise Missing(f"{len(cases['skipped'])} cases were skipped; {without_card[0] if without_card else 'none ran'}")
