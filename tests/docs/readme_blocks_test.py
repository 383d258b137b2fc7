#!/usr/bin/env python3
"""Tests of the judge of README.md: no block escapes it, and what a block does not print is named."""

import unittest

import readme_test
from readme_blocks import ROOT, blocks_of, broken_links

RUN = "```sh\nfacegate info\n```\n"
MARKED = "<!-- docs: not run, needs the network -->\n```sh\ndeploy/quickstart.sh\n```\n"


class Blocks(unittest.TestCase):
    def refused(self, page):
        with self.assertRaises((ValueError, readme_test.ReadmeError)) as refusal:
            readme_test.steps_of(blocks_of(page))
        return str(refusal.exception)

    def test_a_shell_block_is_run_unless_it_is_marked(self):
        steps = readme_test.steps_of(blocks_of(f"# x\n\n{RUN}\n{MARKED}"))
        self.assertEqual([(block.line, block.text) for block, _ in steps], [(3, "facegate info\n")])
        self.assertEqual(blocks_of(MARKED)[0].not_run, "needs the network")

    def test_a_block_that_is_neither_run_nor_marked_is_refused(self):
        self.assertIn("README.md:1:", self.refused("```console\n$ facegate info\n```\n"))
        self.assertIn("README.md:1:", self.refused("```\nfacegate info\n```\n"))
        self.assertIn("README.md:1:", self.refused("```python\nimport grpc\n```\n"))

    def test_what_hides_a_block_is_refused(self):
        self.assertIn("indented", self.refused("Type\n\n    facegate info\n"))
        self.assertIn("not closed", self.refused("```sh\nfacegate info\n"))
        self.assertIn("fence", self.refused("- Type\n  ```sh\n  facegate info\n  ```\n"))
        self.assertIn("marker", self.refused(f"<!-- docs: skip -->\n{RUN}"))
        self.assertIn("above a fence", self.refused(f"<!-- docs: not run, why not -->\n\n{RUN}"))

    def test_output_belongs_to_the_block_above_it(self):
        steps = readme_test.steps_of(blocks_of(f"{RUN}\n```text\nversion\n```\n"))
        self.assertEqual(steps[0][1], ["version"])
        self.assertIn("no block", self.refused(f"{MARKED}\n```text\nPASS\n```\n"))
        self.assertIn("no block", self.refused("```text\nPASS\n```\n"))

    def test_a_file_is_named_by_its_first_line(self):
        block = blocks_of("```python\n# identify.py\nimport grpc\n```\n")[0]
        self.assertEqual(block.file_name, "identify.py")
        self.assertIn("> identify.py", readme_test.script_of([(block, [])], readme_test.PORT))


class Links(unittest.TestCase):
    def test_the_links_of_the_pages_lead_somewhere(self):
        for page in ("README.md", "ARCHITECTURE.md", "deploy/models/README.md"):
            self.assertEqual(broken_links((ROOT / page).read_text(encoding="utf-8")), [], page)
        training = ROOT / "docs" / "training.md"
        self.assertEqual(broken_links(training.read_text(encoding="utf-8"), training.parent), [])

    def test_a_link_to_what_is_not_there_is_found(self):
        page = "# The model\n[a](#the-model) [b](#a-model) [c](README.md) [d](NOTES.md) [e](https://example.org/)\n"
        self.assertEqual(broken_links(page), ["#a-model", "NOTES.md"])


class Output(unittest.TestCase):
    def test_a_line_is_found_with_anything_in_place_of_its_ellipses(self):
        self.assertEqual(readme_test.missing_lines(["1042  0.…  ok", "done"], "x 1042  0.9132  ok (a)\n"), ["done"])

    def test_an_ellipsis_does_not_reach_into_the_next_line(self):
        self.assertEqual(readme_test.missing_lines(["a…b"], "a\nb\n"), ["a…b"])

    def test_each_block_has_its_own_output(self):
        begin = readme_test.BEGIN
        self.assertEqual(readme_test.printed_by(f"{begin.format(3)}\na\n{begin.format(9)}\nb\n"), {3: "a\n", 9: "b\n"})

    def test_another_port_takes_the_place_of_readmes(self):
        steps = readme_test.steps_of(blocks_of("```sh\nfacegate --server 127.0.0.1:50051 info\n```\n"))
        self.assertIn("127.0.0.1:4711 info", readme_test.script_of(steps, 4711))


if __name__ == "__main__":
    unittest.main()
