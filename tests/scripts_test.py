#!/usr/bin/env python3
"""Tests of the scripts that judge: tests/run_tests.py counts what ran and what did not, and tests/check_tidy.py lets
nothing pass that its lock does not cover."""

import contextlib
import io
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import check_format  # noqa: E402
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
    def cases(self, output, xml=None, end="Passed", command=("tests/t", "--gtest_output=xml:t.xml")):
        """(name, outcome) of the cases that run_tests.py sees where a program printed and wrote this and ended so."""
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            escaped = output.replace("&", "&amp;").replace("<", "&lt;")
            status = {"Passed": "run", "Skipped": "notrun", "Not Run": "notrun"}.get(end, "fail")
            # CMake 3.25 leaves the message of a failure empty, also of a crash and of a timeout.
            failure = '<failure message=""/>' if status == "fail" else ""
            (folder / "ctest.xml").write_text(f'<testsuite><testcase name="t" status="{status}">{failure}'
                                              f"<system-out>{escaped}</system-out></testcase></testsuite>")
            if xml is not None:
                (folder / "t.xml").write_text(f"<testsuites><testsuite>{xml}</testsuite></testsuites>")
            self.found = run_tests.read_cases(folder / "ctest.xml", folder, {"t": list(command)}, {"t": end})
        return [(case.name, case.outcome) for case in self.found]

    def test_counts_each_case_by_its_outcome(self):
        xml = (CASE.format("A", "Passes", "completed", "") + CASE.format("A", "Skips", "skipped", "<skipped/>") +
               '<testcase name="DISABLED_B" classname="A" status="notrun" result="suppressed"/>')
        output = frames(("A.Passes", "", "passed"), ("A.Skips", "why", "skipped"))
        self.assertEqual(self.cases(output, xml),
                         [("A.Passes", "passed"), ("A.Skips", "skipped"), ("A.DISABLED_B", "skipped")])

    def test_shows_the_output_of_a_failed_case_alone_and_how_to_run_it(self):
        xml = CASE.format("A", "Passes", "completed", "") + CASE.format("Of/B", "Fails/3", "completed", "<failure/>")
        output = frames(("A.Passes", "not this", "passed"), ("Of/B.Fails/3", "a.cc:7: Failure <1>", "failed"))
        with mock.patch.dict(os.environ, {"FACEGATE_DATA": "/my data"}):
            self.assertEqual(self.cases(output, xml, "Failed"), [("A.Passes", "passed"), ("Of/B.Fails/3", "failed")])
        self.assertEqual(self.found[1].output.strip(), "a.cc:7: Failure <1>")
        self.assertTrue(self.found[1].alone.startswith("FACEGATE_DATA='/my data' "))
        self.assertTrue(self.found[1].alone.endswith("tests/t --gtest_filter=Of/B.Fails/3"))

    def test_a_program_that_crashed_failed_in_the_case_that_it_had_begun(self):
        output = frames(("A.Passes", "", "passed"), ("A.Crashes", "terminate called", None))
        self.assertEqual(self.cases(output, None, "Exception: SegFault"), [("A.Passes", "passed"), ("A.Crashes", "failed")])
        self.assertIn("SegFault", self.found[1].why)
        self.assertIn("terminate called", self.found[1].output)

    def test_a_program_that_hung_failed_in_the_case_that_it_had_begun(self):
        self.assertEqual(self.cases(frames(("A.Hangs", "", None)), None, "Timeout"), [("A.Hangs", "failed")])

    def test_a_program_that_ends_between_two_cases_failed(self):
        self.assertEqual(self.cases(frames(("A.Exits", "", "passed"))), [("A.Exits", "passed"), ("t", "failed")])

    def test_a_program_that_never_began_a_case_failed(self):
        self.assertEqual(self.cases("nothing", None), [("t", "failed")])

    def test_a_program_that_is_not_there_failed(self):
        self.assertEqual(self.cases("", None, "Not Run", ()), [("t", "failed")])

    def test_a_crash_after_a_failed_case_is_told_too(self):
        xml = CASE.format("A", "Fails", "completed", "<failure/>")
        found = self.cases(frames(("A.Fails", "", "failed")), xml, "Exception: SegFault")
        self.assertEqual(found, [("A.Fails", "failed"), ("t", "failed")])

    def test_a_program_that_failed_without_a_failed_case_counts_as_one(self):
        xml = CASE.format("A", "Passes", "completed", "")
        found = self.cases(frames(("A.Passes", "", "passed")) + "LeakSanitizer", xml, "Failed")
        self.assertEqual(found, [("A.Passes", "passed"), ("t", "failed")])
        self.assertIn("LeakSanitizer", self.found[1].output)

    def test_a_failure_outside_of_all_cases_bears_the_name_of_the_program(self):
        self.assertEqual(self.cases("", CASE.format("", "", "completed", "<failure/>"), "Failed"), [("t", "failed")])

    def test_no_case_is_accused_where_output_was_cut(self):
        output = frames(("A.First", "much", None)) + "The rest of the test output was removed since it exceeds the threshold"
        self.assertEqual(self.cases(output, None, "Exception: SegFault"), [("t", "failed")])

    def test_output_without_a_newline_before_the_end_of_a_case_belongs_to_it(self):
        self.cases("[ RUN      ] A.Prints\n50%[       OK ] A.Prints (1 ms)\n", CASE.format("A", "Prints", "completed", ""))
        self.assertEqual(self.found[0].output.strip(), "50%")

    def test_a_script_passes_fails_or_is_skipped_by_how_it_ended(self):
        for end, outcome in (("Passed", "passed"), ("Failed", "failed"), ("Timeout", "failed"), ("Skipped", "skipped")):
            self.assertEqual(self.cases("", None, end, ("python3", "t.py")), [("t", outcome)])

    def test_reads_how_ctest_says_that_programs_ended(self):
        for line, end in ((" 9/27 Test  #9: face_test.1 ......   Passed    3.20 sec", "Passed"),
                          ("10/27 Test #10: face_test.1 ......***Exception: SegFault  0.50 sec", "Exception: SegFault"),
                          ("11/27 Test #11: face_test.1 ......***Timeout 900.01 sec", "Timeout"),
                          ("12/27 Test #12: face_test.1 ......***Not Run   0.00 sec", "Not Run")):
            self.assertEqual(run_tests.ENDED.match(line).groups(), ("face_test.1", end))

    def judge(self, cases, code=0, patterns=()):
        with contextlib.redirect_stdout(io.StringIO()) as said:
            return run_tests.judge(cases, code, patterns, 1.0, 1), said.getvalue()

    def test_is_green_only_where_something_passed_and_nothing_failed(self):
        passed, failed = run_tests.Case("A.B", "passed"), run_tests.Case("A.C", "failed")
        self.assertEqual(self.judge([passed])[0], 0)
        self.assertEqual(self.judge([passed, failed])[0], 1)
        self.assertEqual(self.judge([passed], code=8)[0], 1)
        self.assertEqual(self.judge([])[0], 1)

    def test_names_a_pattern_that_matches_no_case(self):
        code, said = self.judge([run_tests.Case("A.B", "passed")], patterns=["A.*:*/C.*-A.X"])
        self.assertEqual(code, 1)
        self.assertIn("no case matches */C.*", said)
        self.assertNotIn("matches A", said)

    def test_leaves_scripts_out_beside_another_exclusion(self):
        self.assertEqual(run_tests.without_scripts(["-LE", "golden", "-R", "x"]), ["-R", "x", "-LE", "^script$|golden"])


class CheckFormat(unittest.TestCase):
    def test_finds_a_comment_that_is_wider_than_a_line(self):
        wide = "  // " + 48 * "a " + "b"
        self.assertEqual(len(list(check_format.wide_comments("a.h", "int a;\n" + wide + "\n"))), 1)
        self.assertEqual(list(check_format.wide_comments("a.h", wide[:100] + "\n// https://" + 100 * "a" + "\n")), [])


class CheckTidy(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        (self.root / "face").mkdir()
        (self.root / "tests").mkdir()
        (self.root / "protos").mkdir()
        for name, text in (("face/a.h", '#include "s.grpc.pb.h"\n'), ("face/a.cc", '#include "face/a.h"\n'),
                           ("face/b.cc", "int b();\n"), ("protos/s.proto", 'import "t.proto";\n'), ("protos/t.proto", "message T {}\n")):
            (self.root / name).write_text(text)
        (self.root / ".clang-tidy").write_text("Checks: '*'\n")
        self.findings = set()  # names of files with findings
        self.read = []
        self.commands = {self.root / "face/a.cc": "c++ -O2 -I/x -c a.cc", self.root / "face/b.cc": "c++ -O2 -I/x -c b.cc"}
        for patch in (mock.patch.object(check_tidy, "ROOT", self.root),
                      mock.patch.object(check_tidy, "LOCK", self.root / "tests/tidy.lock"),
                      mock.patch.object(check_tidy, "compiled", lambda: self.commands),
                      mock.patch.object(check_tidy, "tidy", self.tidy)):
            patch.start()
            self.addCleanup(patch.stop)
        self.addCleanup(self.folder.cleanup)
        self.assertEqual(self.check("--update"), 0)

    def tidy(self, path, _command):
        self.read.append(path.name)
        return path, 0.1, "bad" if path.name in self.findings else ""

    def check(self, *arguments):
        check_tidy.bytes_of.cache_clear()
        check_tidy.included.cache_clear()
        check_tidy.essence_of.cache_clear()
        self.read.clear()
        with mock.patch.object(sys, "argv", ["check_tidy.py", *arguments]), contextlib.redirect_stdout(io.StringIO()):
            return check_tidy.main()

    def change(self, name, line="changed();"):
        path = self.root / name
        path.write_text(path.read_text() + line + "\n")

    def test_passes_what_the_lock_covers(self):
        self.assertEqual(self.check(), 0)

    def test_fails_on_a_file_that_changed_without_its_key_even_where_it_is_clean(self):
        self.change("face/b.cc")
        self.assertEqual(self.check(), 1)
        self.assertIn("b.cc", self.read)

    def test_an_update_reads_what_changed_and_nothing_else(self):
        self.change("face/b.cc")
        self.assertEqual(self.check("--update"), 0)
        self.assertEqual(self.read, ["b.cc"])
        self.assertEqual(self.check(), 0)

    def test_a_key_covers_the_own_header_and_headers_without_a_source(self):
        (self.root / "face/a.cc").write_text('#include "face/a.h"\n#include "face/alone.h"\n#include "face/b.h"\n')
        (self.root / "face/alone.h").write_text("int alone();\n")
        (self.root / "face/b.h").write_text("int b();\n")
        self.assertEqual(self.check("--update"), 0)
        for name, read in (("face/a.h", ["a.cc"]), ("face/alone.h", ["a.cc"]), ("face/b.h", ["b.cc"])):
            self.change(name)
            self.assertEqual(self.check(), 1)
            self.assertEqual(self.check("--update"), 0)
            self.assertEqual(self.read, read)

    def test_what_was_moved_or_got_other_comments_is_not_read_again(self):
        (self.root / "face/c").mkdir()
        (self.root / "face/a.h").rename(self.root / "face/c/a.h")
        (self.root / "face/a.cc").write_text('// Says more.\n#include "face/c/a.h"\n')
        self.assertEqual(self.check(), 0)

    def test_reads_again_what_got_a_comment_that_speaks_to_it(self):
        self.change("face/b.cc", "// NOLINTNEXTLINE")
        self.assertEqual(self.check(), 1)

    def test_a_key_covers_the_options_of_the_compiler_and_no_path(self):
        self.commands[self.root / "face/b.cc"] = "c++ -O2 -I/elsewhere -c b.cc"
        self.assertEqual(self.check(), 0)
        self.commands[self.root / "face/b.cc"] = "c++ -O2 -DNDEBUG -I/x -c b.cc"
        self.assertEqual(self.check(), 1)

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

    def test_what_clang_cannot_read_is_compiled_without_writing_anything(self):
        self.assertEqual(check_tidy.syntax_check_of("c++ -DA=1 -O2 -o a.cc.o -c a.cc"),
                         ["c++", "-DA=1", "-O2", "a.cc", "-O0", "-fsyntax-only"])

    def test_the_sample_has_ten_files_and_moves_on_with_the_commit(self):
        files = list(range(100))
        samples = []
        for second in ("7", "8"):
            with mock.patch.object(check_tidy.subprocess, "run", lambda *_, **__: mock.Mock(returncode=0, stdout=second)):
                samples.append(check_tidy.sample_of(files))
        self.assertEqual(samples, [list(range(70, 80)), list(range(80, 90))])

    def test_names_a_file_that_is_gone(self):
        del self.commands[self.root / "face/b.cc"]
        self.assertEqual(self.check(), 1)


class Soak(unittest.TestCase):
    def soak(self, code):
        """deploy/soak.sh in a copy of the tree where the fuzzing ends with `code`: its exit code and the row that it adds."""
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            (root / "deploy").mkdir()
            (root / "tests").mkdir()
            shutil.copy(ROOT / "deploy/soak.sh", root / "deploy")
            for stub, text in (("bootstrap.sh", "exit 0"), ("fuzz.sh", f"echo 'fuzz: exif: clean, 1 inputs'; exit {code}")):
                (root / "deploy" / stub).write_text(f"#!/bin/sh\n{text}\n")
                (root / "deploy" / stub).chmod(0o755)
            ended = subprocess.run([root / "deploy/soak.sh", "fuzz"], capture_output=True, check=False).returncode
            return ended, (root / "tests/SOAK.md").read_text()

    def test_writes_down_what_passed(self):
        code, row = self.soak(0)
        self.assertEqual(code, 0)
        self.assertIn("| PASS | 1 targets clean |", row)

    def test_writes_down_what_failed(self):
        code, row = self.soak(1)
        self.assertEqual(code, 1)
        self.assertIn("| FAIL |", row)


if __name__ == "__main__":
    unittest.main()
