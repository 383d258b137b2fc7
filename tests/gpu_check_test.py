#!/usr/bin/env python3
"""Tests of deploy/gpu-package.sh, deploy/gpu-check.sh and what they call (tests/gpu): usage and refusals, the report on
recorded figures, and that a part that fails costs no other."""

import contextlib
import hashlib
import io
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import types
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "deploy"))
sys.path.insert(0, str(ROOT / "tests/gpu"))
import check  # noqa: E402
import embedding  # noqa: E402
import equality  # noqa: E402
import gpu_package  # noqa: E402
import processes  # noqa: E402
import report  # noqa: E402
import searching  # noqa: E402


def row(side, batch, in_flight, faces_per_s, p50_ms=1.0):
    return {"side": side, "batch": batch, "in_flight": in_flight, "faces_per_s": faces_per_s, "p50_ms": p50_ms, "p99_ms": 2 * p50_ms}


def part(kind, name, figures, outcome="passed", **more):
    return {"kind": kind, "name": name, "figures": figures, "outcome": outcome, "seconds": 1.0, "commands": [f"run {name}"], **more}


def results(*parts):
    """A recorded run."""
    return {"commit": "c0ffee", "device": "cuda:0", "started": "2026-01-01T00:00:00+00:00", "command": "gpu-check.sh", "quick": False,
            "machine": {"cards": [{"name": "A card", "memory.total": "80 GB", "driver_version": "580", "power.limit": "700 W"}]},
            "parts": list(parts)}


def fast_network(p50_ms=0.5):
    return part("embedding", "iresnet-50", {
        "rows": [row("facegate bf16", 1, 1, 1500, p50_ms), row("facegate bf16", 256, 4, 30_000), row("facegate fp16", 256, 4, 31_000),
                 row("PyTorch eager bf16", 256, 4, 12_000), row("PyTorch compiled bf16", 256, 4, 20_000)],
        "PyTorch": {"multiply_adds": 6.0e9, "why": ""}, "matrix_tflops": [700.0, 740.0]})


def searches(ms=0.5, **changed):
    """A million rows of 1 GB, which the card reads in 0.4 ms."""
    row = {"way": "index", "rows": 1_000_000, "batch": 1, "k": 1, "ms": ms, "is_exact": True, "on_card": 1.0, **changed}
    return part("search", "1 and 10 million rows", {"dimension": 500, "copy_bytes_per_s": 2.5e12, "rows": [
        row, {"way": "FAISS fp16", "rows": 1_000_000, "batch": 1, "k": 1, "ms": 2.0},
        {"way": "FAISS fp16", "rows": 1_000_000, "batch": 1, "k": 64, "ms": 3.0},
        {"way": "changes", "rows": 1_000_000, "searches": 7000, "changes": 8000, "p50_ms": 0.9, "p99_ms": 2.0, "wrong": 0}]})


class Script(unittest.TestCase):
    """A copy of the scripts in a folder of their own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "tests/gpu").mkdir(parents=True)
        (self.root / "deploy").mkdir()
        for name in ("gpu-package.sh", "gpu_package.py", "gpu-check.sh"):
            shutil.copy(ROOT / "deploy" / name, self.root / "deploy")

    def call(self, script, *arguments):
        done = subprocess.run([self.root / "deploy" / script, *arguments], capture_output=True, text=True, check=False,
                              cwd=self.root, env={"PATH": "/usr/bin:/bin", "HOME": str(self.root)})
        return done.returncode, done.stdout + done.stderr


class GpuPackage(Script):
    def test_shows_its_usage_and_refuses_what_it_does_not_know(self):
        self.assertEqual(self.call("gpu-package.sh", "--help")[0], 0)
        for arguments in (["--nonsense"], ["--build"]):
            code, said = self.call("gpu-package.sh", *arguments)
            self.assertEqual(code, 2)
            self.assertIn("--help", said)

    def test_refuses_a_folder_that_holds_no_build(self):
        code, said = self.call("gpu-package.sh", "--no-build")
        self.assertEqual(code, 1)
        self.assertIn("build/gpu holds no build", said)

    def test_refuses_a_build_for_cpus(self):
        (self.root / "build/gpu").mkdir(parents=True)
        (self.root / "build/gpu/CMakeCache.txt").write_text("FACEGATE_GPU:BOOL=OFF\n")
        code, said = self.call("gpu-package.sh", "--no-build")
        self.assertEqual(code, 1)
        self.assertIn("not a build for GPUs", said)

    def test_takes_along_what_neither_the_c_library_nor_the_wheels_have(self):
        found = gpu_package.closure([pathlib.Path("/usr/bin/cmake")], {"libcurl.so.4"})
        self.assertIn("libstdc++.so.6", found)
        self.assertFalse({"libc.so.6", "libcurl.so.4"} & set(found))

    def test_a_module_shows_its_head_alone_and_takes_faiss_of_nobody(self):
        listing = "                 U malloc@GLIBC_2.2.5\n                 w __cxa_finalize\n00000000000fd070 D facegate_module\n"
        listing += "000000000001c9c0 t _ZNSt7__cxx1112basic_string\n"
        self.assertEqual(gpu_package.mixed_names(listing), [])
        self.assertEqual(gpu_package.mixed_names(listing + "00000000000fd090 u _ZGVZ3one\n"), ["_ZGVZ3one"])
        taken = "                 U _ZN5faiss5IndexD2Ev\n"
        self.assertEqual(gpu_package.mixed_names(listing + taken), ["_ZN5faiss5IndexD2Ev"])

    def test_packs_in_pieces_of_a_limited_size(self):
        folder, out = self.root / gpu_package.NAME, self.root / "out"
        folder.mkdir()
        out.mkdir()
        (folder / "a").write_bytes(hashlib.sha512(b"a").digest() * 3)
        with mock.patch.object(gpu_package, "PIECE_BYTES", 100):
            pieces = gpu_package.pack(folder, out)
        self.assertGreater(len(pieces), 1)
        self.assertLessEqual(max(size for _, size, _ in pieces), 100)
        self.assertEqual(sorted(path.name for path in out.iterdir()), ["SHA256SUMS", *(name for name, _, _ in pieces)])


class GpuCheckScript(Script):
    def package(self, check_text):
        """A package whose check.py is this text."""
        folder, out = self.root / gpu_package.NAME, self.root / "build/gpu-package"
        (folder / "check").mkdir(parents=True)
        (folder / "check/check.py").write_text(check_text)
        out.mkdir(parents=True)
        gpu_package.pack(folder, out)
        return out

    def test_shows_its_usage_and_refuses_what_it_does_not_know(self):
        self.assertEqual(self.call("gpu-check.sh", "--help")[0], 0)
        self.assertEqual(self.call("gpu-check.sh", "--nonsense")[0], 2)

    def test_refuses_to_go_on_without_a_package(self):
        code, said = self.call("gpu-check.sh")
        self.assertEqual(code, 1)
        self.assertIn("deploy/gpu-package.sh makes it", said)

    def test_unpacks_the_package_and_hands_on_how_its_check_ended(self):
        self.package("import sys\nprint(sys.argv[1:])\nsys.exit(7)\n")
        code, said = self.call("gpu-check.sh", "--limit", "99")
        self.assertEqual(code, 7)
        self.assertIn("'--limit', '99'", said)
        self.assertIn(f"'{self.root}/build/gpu-unpacked/facegate-gpu'", said)

    def test_refuses_a_damaged_package(self):
        piece = self.package("") / f"{gpu_package.NAME}.tar.xz.00"
        piece.write_bytes(piece.read_bytes()[:-1])
        code, said = self.call("gpu-check.sh")
        self.assertEqual(code, 1)
        self.assertIn("damaged", said)


class Report(unittest.TestCase):
    def goals(self, *parts):
        return {what: (got, met) for what, _, got, met in report.goals_of(results(*parts))}

    def test_judges_the_goals_of_iresnet_50(self):
        goals = self.goals(fast_network())
        self.assertEqual(goals["iR-50, faces/s in BF16"], ("30,000", True))
        self.assertEqual(goals["iR-50, faces/s to the better PyTorch"], ("1.50 ×", True))
        self.assertEqual(goals["iR-50, share of the BF16 matrix rate"], ("50.0%", True))
        self.assertEqual(goals["iR-50, p50 of one face at batch 1"], ("0.50 ms", True))
        self.assertEqual(self.goals(fast_network(p50_ms=1.5))["iR-50, p50 of one face at batch 1"], ("1.50 ms", False))

    def test_a_goal_that_was_not_measured_is_neither_met_nor_missed(self):
        for _, _, got, met in report.goals_of(results())[1:]:
            self.assertEqual((got, met), ("not measured", None))

    def test_figures_of_a_try_are_not_judged(self):
        tried = {**results(fast_network()), "quick": True}
        self.assertEqual({met for _, _, _, met in report.goals_of(tried)[1:]}, {None})

    def test_compares_learning_with_the_better_pytorch(self):
        lesson = part("training", "iresnet-50", {"facegate": [2400, 2500], "PyTorch eager": [1500], "PyTorch compiled": [2000, 2000]})
        self.assertEqual(self.goals(lesson)["iresnet-50 learns, images/s to the better PyTorch"], ("1.23 ×", True))

    def test_sets_a_search_for_one_beside_one_read_of_all_rows(self):
        goal = "a search among 1,000,000 rows (index), to one read of them"
        self.assertEqual(self.goals(searches(ms=0.5))[goal], ("1.25 ×", True))
        self.assertEqual(self.goals(searches(ms=0.8))[goal], ("2.00 ×", False))
        self.assertEqual(self.goals()[goal], ("not measured", None))

    def test_equality_passes_only_where_all_programs_of_tests_ran_and_passed(self):
        passed, skipped = part("equality", "a", {}), part("equality", "b", {}, outcome="not run")
        self.assertTrue(report.equality_passed(results(passed)))
        self.assertFalse(report.equality_passed(results(passed, skipped)))
        self.assertTrue(report.equality_passed({**results(passed, skipped), "device": "cpu"}))
        self.assertFalse(report.equality_passed(results()))

    def test_writes_a_page_with_figures_and_with_what_went_wrong(self):
        served = part("serving", "iresnet-50", {"network": "iresnet-50", "loads": [
            {"picture": "jpeg", "connections": 2, "outstanding": 3, "faces_per_s": 15_500, "p50_ms": 1, "p99_ms": 2, "failures": {}}]})
        failed = part("training", "iresnet-50", {}, outcome="failed", why="out of\nmemory")
        with tempfile.TemporaryDirectory() as folder:
            report.write(results(fast_network(), served, failed, searches()), folder)
            page = (pathlib.Path(folder) / "gpu-results.md").read_text()
            recorded = json.loads((pathlib.Path(folder) / "gpu-results.json").read_text())
        self.assertIn("30,000 (1.00 / 2.00)", page)
        self.assertIn("| 15,500 | 1.0 / 2.0 | 50.0% | 0 |", page)
        self.assertIn("| training | iresnet-50 | failed | out of … memory |", page)
        self.assertIn("| index | 1,000,000 | 1 | 0.500 | 1.25 | 2.000 (4.00 ×) | – |", page)
        self.assertIn("7,000 searches took 0.90 ms (p50) and 2.00 ms (p99); 0 of them", page)
        self.assertIn({"what": "equality tests", "wanted": "all pass", "measured": "not passed", "met": False}, recorded["goals"])


class Check(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = pathlib.Path(folder.name)
        (self.out / "manifest.json").write_text('{"commit": "c0ffee"}')

    def check(self, limit=60.0, parts=None):
        return check.Check(types.SimpleNamespace(package=self.out, out=self.out, device="cpu", quick=True, limit=limit, parts=parts,
                                                 compile_mode="default", command="test"))

    def parts(self, checked, *functions):
        """(outcome, why) of parts that call these."""
        with contextlib.redirect_stdout(io.StringIO()):
            for function in functions:
                checked.part("equality", "a", 10, function)
        return [(entry["outcome"], entry.get("why", "")) for entry in checked.results["parts"]]

    def test_a_part_that_fails_costs_no_other(self):
        def fails(*_):
            raise processes.Failed("it broke")

        def errs(*_):
            raise ZeroDivisionError

        outcomes = self.parts(self.check(), fails, errs, lambda *_: None)
        self.assertEqual([outcome for outcome, _ in outcomes], ["failed", "failed", "passed"])
        self.assertEqual(outcomes[0][1], "it broke")
        self.assertIn("ZeroDivisionError", outcomes[1][1])
        self.assertEqual(len(json.loads((self.out / "gpu-results.json").read_text())["parts"]), 3)

    def test_a_mistake_in_the_page_costs_neither_figures_nor_parts(self):
        with mock.patch.object(report, "goals_of", side_effect=ZeroDivisionError), contextlib.redirect_stderr(io.StringIO()):
            self.assertEqual(len(self.parts(self.check(), lambda *_: None, lambda *_: None)), 2)
        self.assertEqual(len(json.loads((self.out / "gpu-results.json").read_text())["parts"]), 2)

    def test_no_part_begins_when_the_time_is_over(self):
        self.assertEqual(self.parts(self.check(limit=1), self.fail), [("not run", "the time of the whole check is over")])

    def test_parts_that_were_not_asked_for_are_left_out(self):
        self.assertEqual(self.parts(self.check(parts=["machine"]), self.fail), [])

    def test_a_program_that_takes_too_long_is_ended(self):
        with self.assertRaisesRegex(processes.Failed, "did not end within 0 s.*\nhere"):
            processes.run(["sh", "-c", "echo here; sleep 60"], 0.3)

    def test_a_program_that_does_not_answer_is_ended_and_its_words_are_told(self):
        silent = processes.Commanded(["sh", "-c", "echo '{\"ready\": 1}'; echo sorry >&2; sleep 60"], self.out / "log")
        self.assertEqual(silent.answer(10), {"ready": 1})
        with self.assertRaisesRegex(processes.Failed, "did not answer within 0 s; it said last:\nsorry"):
            silent.ask("go", limit_s=0.2)

    def test_reads_what_cases_of_googletest_came_to(self):
        cases = [{"name": "A", "result": "COMPLETED", "one_minus_cosine": "1.0e-07"},
                 {"name": "B", "result": "COMPLETED", "failures": [{"failure": "no"}]}, {"name": "C", "result": "SKIPPED"}]
        (self.out / "t.json").write_text(json.dumps({"testsuites": [{"name": "T", "testsuite": cases}]}))
        outcomes, recorded = equality.read_cases(self.out / "t.json")
        self.assertEqual(outcomes, {"passed": ["T.A"], "failed": ["T.B"], "skipped": ["T.C"]})
        self.assertEqual(recorded, {"T.A": 1e-7})

    def test_equality_is_judged_by_all_parts_of_a_program(self):
        def cases(passed=(), skipped=(), failed=()):
            return {"passed": list(passed), "skipped": list(skipped), "failed": list(failed)}, {}

        good = ("", cases(passed=["A"]))
        without_card = (f"{equality.NO_CARD}: why\n", cases(skipped=["B"]))
        equality.judge({}, [good, ("why\nSkipped: slow\n", cases(skipped=["B"]))], on_card=True)
        equality.judge({}, [good, without_card], on_card=False)
        for ended, error, why in ((without_card, processes.Missing, "no card: why"),
                                  (("", cases(failed=["C"])), processes.Failed, "1 cases failed: C"),
                                  (("Segmentation fault", None), processes.Failed, "Segmentation fault")):
            with self.assertRaisesRegex(error, why):
                equality.judge({}, [good, ended], on_card=True)

    def test_searches_that_are_wrong_or_not_made_on_the_card_fail(self):
        searching.judge(searches()["figures"])
        for changed, why in (({"is_exact": False}, "something else"), ({"on_card": 0.5}, "50% of the queries"), ({"wrong": 3}, "3 searches")):
            with self.assertRaisesRegex(processes.Failed, why):
                searching.judge(searches(**changed)["figures"])

    def test_a_package_without_searches_on_cards_measures_none(self):
        with self.assertRaisesRegex(processes.Missing, "without FAISS"):
            searching.measure(self.check(), {}, 10)

    def test_searches_without_a_card_are_set_beside_no_read(self):
        tried = searches()
        del tried["figures"]["copy_bytes_per_s"]
        self.assertIsNone(searching.reads_of(tried["figures"], "index", 1_000_000))
        self.assertIn("| index | 1,000,000 | 1 | 0.500 | – |", "\n".join(report.search_lines(results(tried))))

    def test_figures_of_searches_that_failed_later_are_kept(self):
        package = self.out / "package"
        (package / "bin").mkdir(parents=True)
        (package / "bin/gpu_search_bench").touch()
        program = package / "run"
        program.write_text('#!/bin/sh\nwhile [ "$1" != --json ]; do shift; done\npath=$2\necho \'{"rows": [{"way": "card"}]}\' > "$path"\nexit 1\n')
        program.chmod(0o755)
        checked, measured = self.check(), part("search", "a", {})
        checked.package = package
        with self.assertRaises(processes.Failed):
            searching.measure(checked, measured, 10)
        self.assertEqual(measured["figures"], {"rows": [{"way": "card"}]})

    def test_sides_take_turns_and_medians_are_kept(self):
        asked = []

        class Side:
            def __init__(self, name, speeds):
                self.name, self.speeds = name, iter(speeds)

            def ask(self, *_words, limit_s):
                asked.append(self.name)
                return {"faces_per_s": next(self.speeds), "p50_ms": limit_s, "p99_ms": limit_s}

        plan = types.SimpleNamespace(rounds=3, batches=[8], in_flight=[1], burst_s=0)
        figures = {"PyTorch": {"compiled": []}}
        embedding.in_turn({"a": (Side("a", [1, 9, 2]), []), "b": (Side("b", [5, 5, 5]), ["eager"])}, plan, figures, 1e12)
        self.assertEqual(asked, ["a", "b", "b", "a", "a", "b"])
        self.assertEqual([entry["faces_per_s"] for entry in figures["rows"]], [2, 5])


if __name__ == "__main__":
    unittest.main()
