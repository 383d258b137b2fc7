#!/usr/bin/env python3
"""Tests of the scripts that judge: tests/run_tests.py counts what ran and what did not, and tests/check_tidy.py lets
nothing pass that its lock does not cover."""

import contextlib
import io
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import check_tidy  # noqa: E402
import run_tests  # noqa: E402

CASE = '<testcase name="{1}" classname="{0}" status="run" result="{2}">{3}</testcase>'


def frames(*cases):
    """What a GoogleTest program prints: (Suite.Name, output, how it ended; None: not at all)."""
    text = ""
    for name, output, end in cases:
        text += f"[ RUN      ] {name}\n{output}\n"
        text += {"passed": f"[       OK ] {name} (1 ms)\n", "failed": f"[  FAILED  ] {name}, where GetParam() = 1 (1 ms)\n",
                 "skipped": f"[  SKIPPED ] {name} (1 ms)\n", None: ""}[end]
    return text


class RunTests(unittest.TestCase):
    def cases(self, output, xml="", status="run", message=""):
        """The cases that run_tests.py sees in one program that printed and wrote this."""
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            failure = f'<failure message="{message}"/>' if status == "fail" else ""
            escaped = output.replace("&", "&amp;").replace("<", "&lt;")
            (folder / "ctest.xml").write_text(f'<testsuite><testcase name="t" status="{status}">{failure}'
                                              f"<system-out>{escaped}</system-out></testcase></testsuite>")
            if xml:
                (folder / "t.xml").write_text(f"<testsuites><testsuite>{xml}</testsuite></testsuites>")
            command = [f"{run_tests.ROOT}/build/release/tests/t", "--gtest_output=xml:t.xml"]
            return run_tests.read_cases(folder / "ctest.xml", folder, {"t": command})

    def test_counts_each_case_by_its_outcome(self):
        xml = CASE.format("A", "Passes", "completed", "") + CASE.format("A", "Skips", "skipped", "<skipped/>")
        found = self.cases(frames(("A.Passes", "", "passed"), ("A.Skips", "why", "skipped")), xml)
        self.assertEqual([(c.name, c.outcome) for c in found], [("A.Passes", "passed"), ("A.Skips", "skipped")])

    def test_shows_the_output_of_a_failed_case_alone_and_how_to_run_it(self):
        xml = CASE.format("A", "Passes", "completed", "") + CASE.format("Of/B", "Fails/3", "completed", "<failure/>")
        output = frames(("A.Passes", "not this", "passed"), ("Of/B.Fails/3", "a.cc:7: Failure <1>", "failed"))
        found = self.cases(output, xml, "fail", "Failed")
        self.assertEqual([c.outcome for c in found], ["passed", "failed"])
        self.assertEqual(found[1].output.strip(), "a.cc:7: Failure <1>")
        self.assertEqual(found[1].alone, "build/release/tests/t --gtest_filter=Of/B.Fails/3")

    def test_a_program_that_crashed_failed_in_the_case_that_it_had_begun(self):
        found = self.cases(frames(("A.Passes", "", "passed"), ("A.Crashes", "terminate called", None)), "", "fail", "SEGFAULT")
        self.assertEqual([(c.name, c.outcome) for c in found], [("A.Passes", "passed"), ("A.Crashes", "failed")])
        self.assertIn("SEGFAULT", found[1].why)
        self.assertIn("terminate called", found[1].output)

    def test_a_program_that_failed_without_a_failed_case_counts_as_one(self):
        xml = CASE.format("A", "Passes", "completed", "")
        found = self.cases(frames(("A.Passes", "", "passed")) + "LeakSanitizer", xml, "fail", "Failed")
        self.assertEqual([c.outcome for c in found], ["passed", "failed"])
        self.assertIn("LeakSanitizer", found[1].output)

    def test_a_program_that_never_began_a_case_counts_as_failed(self):
        self.assertEqual([c.outcome for c in self.cases("cannot open shared object file", "", "fail", "Failed")], ["failed"])

    def test_output_without_a_newline_before_the_end_of_a_case_belongs_to_it(self):
        found = self.cases("[ RUN      ] A.Prints\n50%[       OK ] A.Prints (1 ms)\n", CASE.format("A", "Prints", "completed", ""))
        self.assertEqual([(c.outcome, c.output.strip()) for c in found], [("passed", "50%")])


class CheckTidy(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        (self.root / "face").mkdir()
        (self.root / "tests").mkdir()
        for name, text in (("a.h", "int a();\n"), ("a.cc", '#include "face/a.h"\n'), ("b.cc", "int b();\n")):
            (self.root / "face" / name).write_text(text)
        (self.root / ".clang-tidy").write_text("Checks: '*'\n")
        self.findings = set()  # names of files with findings
        self.read = []
        sources = [self.root / "face/a.cc", self.root / "face/b.cc"]
        for patch in (mock.patch.object(check_tidy, "ROOT", self.root),
                      mock.patch.object(check_tidy, "LOCK", self.root / "tests/tidy.lock"),
                      mock.patch.object(check_tidy, "sources", lambda: (sources, 0)),
                      mock.patch.object(check_tidy, "tidy", self.tidy)):
            patch.start()
            self.addCleanup(patch.stop)
        self.addCleanup(self.folder.cleanup)
        self.assertEqual(self.check("--update"), 0)

    def tidy(self, path):
        self.read.append(path.name)
        return path, 0.1, "bad" if path.name in self.findings else ""

    def check(self, *arguments):
        check_tidy.bytes_of.cache_clear()
        check_tidy.included.cache_clear()
        self.read.clear()
        with mock.patch.object(sys, "argv", ["check_tidy.py", *arguments]), contextlib.redirect_stdout(io.StringIO()):
            return check_tidy.main()

    def change(self, name):
        path = self.root / name
        path.write_text(path.read_text() + "// changed\n")

    def test_passes_what_the_lock_covers(self):
        self.assertEqual(self.check(), 0)

    def test_fails_on_a_file_that_changed_without_its_key_even_where_it_is_clean(self):
        self.change("face/b.cc")
        self.assertEqual(self.check(), 1)
        self.assertIn("b.cc", self.read)
        self.assertEqual(self.check("--update"), 0)
        self.assertEqual(self.read, ["b.cc"])
        self.assertEqual(self.check(), 0)

    def test_a_key_covers_the_headers_that_a_file_reaches(self):
        self.change("face/a.h")
        self.assertEqual(self.check(), 1)
        self.assertEqual(self.check("--update"), 0)
        self.assertEqual(self.read, ["a.cc"])

    def test_a_key_covers_the_configuration(self):
        self.change(".clang-tidy")
        self.assertEqual(self.check(), 1)

    def test_a_file_with_findings_enters_no_lock(self):
        self.change("face/a.cc")
        self.findings = {"a.cc"}
        self.assertEqual(self.check("--update"), 1)
        self.findings = set()
        self.assertEqual(self.check(), 1)

    def test_reads_a_sample_of_what_the_lock_covers(self):
        self.findings = {"b.cc"}  # as after an update of clang-tidy
        self.assertEqual(self.check(), 1)

    def test_names_a_file_that_is_gone(self):
        with mock.patch.object(check_tidy, "sources", lambda: ([self.root / "face/a.cc"], 0)):
            self.assertEqual(self.check(), 1)


if __name__ == "__main__":
    unittest.main()
