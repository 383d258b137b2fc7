#!/usr/bin/env python3
"""Tests of deploy/Dockerfile, deploy/Dockerfile.gpu and of what reads them, without Docker, root and network: what the files
say, what the reader understands and refuses, and what deploy/image-check.sh and deploy/image-root.sh refuse."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "deploy/image"))
import dockerfile  # noqa: E402
import machine  # noqa: E402

FILES = [ROOT / "deploy" / name for name in ("Dockerfile", "Dockerfile.gpu")]


class Dockerfiles(unittest.TestCase):
    def stages(self):
        return [(path, dockerfile.parse(path.read_text())) for path in FILES]

    def test_nothing_is_wrong_with_them(self):
        for path in FILES:
            self.assertEqual(dockerfile.problems(path, ROOT), [], path.name)

    def test_what_the_builder_ignores_is_the_same_for_both(self):
        self.assertEqual(*(dockerfile.ignore_file(path).read_text() for path in FILES))

    def test_every_room_and_what_cmake_reads_is_copied(self):
        rooms = re.findall(r"(?m)^([a-z][a-z_/]*) *\|.*\|", (ROOT / "tests/rooms.txt").read_text())
        folders = {room.split("/")[0] for room in rooms if (ROOT / room).is_dir()} - {"tests"}
        for path, stages in self.stages():
            copied = {word for each in stages for line in each.instructions if line.name == "COPY" for word in line.words[:-1]}
            missing = (folders | {"CMakeLists.txt", "CMakePresets.json", "tests/rooms.txt", "deploy/models"}) - copied
            self.assertEqual(missing, set(), path.name)

    def test_they_take_the_steps_of_bootstrap_and_build(self):
        for path, stages in self.stages():
            steps = " ".join(line.text for line in stages[-2].instructions if line.name == "RUN")
            self.assertIn("deploy/bootstrap.sh --build-only", steps, path.name)
            self.assertIn("-DFACEGATE_TESTS=OFF", steps, path.name)

    def test_the_image_serves_nothing_in_the_open_by_itself(self):
        for _, stages in self.stages():
            self.assertEqual(stages[-1].last("ENTRYPOINT").words, ["facegate-server", "--config", "/etc/facegate/server.yaml"])
            self.assertIsNone(stages[-1].last("CMD"))
            self.assertNotRegex(" ".join(line.text for line in stages[-1].instructions), r"0\.0\.0\.0|--insecure")
        self.assertRegex((ROOT / "deploy/server.yaml").read_text(), r'(?m)^listen: "127\.0\.0\.1:50051"$')
        self.assertRegex((ROOT / "deploy/server.yaml").read_text(), r"(?m)^insecure: false$")

    def test_they_take_the_configuration_at_its_word(self):
        text = (ROOT / "deploy/server.yaml").read_text()
        script = (ROOT / "deploy/image-root.sh").read_text()
        self.assertIn('data_dir: "/var/lib/facegate"', text)
        self.assertIn('model: "/etc/facegate/model.safetensors"', text)
        self.assertIn('"$root/etc/facegate/model.safetensors"', script)
        for _, stages in self.stages():
            self.assertEqual(stages[-1].last("VOLUME").words, ["/var/lib/facegate"])

    def test_they_name_the_version_of_the_build(self):
        version = re.search(r"project\(facegate VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text())[1]
        for path, stages in self.stages():
            labels = dict(stages[-1].last("LABEL").pairs())
            self.assertEqual(labels["org.opencontainers.image.version"], version, path.name)
            self.assertEqual(labels["org.opencontainers.image.licenses"], "Apache-2.0")

    def test_the_last_stages_differ_only_in_what_cards_need(self):
        steps = [[line.text for line in stages[-1].instructions if line.name not in ("LABEL", "ENV")] for _, stages in self.stages()]
        steps[1].remove("/image/libtorch/ /")
        self.assertEqual(*steps)


class Reader(unittest.TestCase):
    def test_joins_lines_and_drops_comments(self):
        stage = dockerfile.parse("# a\nFROM debian:bookworm AS build\nRUN a \\\n  # between\n && b\n")[0]
        self.assertEqual((stage.name, stage.base), ("build", "debian:bookworm"))
        self.assertEqual(stage.instructions[0].words, ["a  && b"])

    def test_reads_flags_pairs_and_lists(self):
        text = ('FROM x:1\nARG JOBS\nENV A=1 B="two words"\nCOPY --from=0 --chown=1:2 /a /b/\nENTRYPOINT ["a", "b"]\n'
                'HEALTHCHECK --interval=3s CMD ["c"]\n')
        arg, env, copy, entry, health = dockerfile.parse(text)[0].instructions
        self.assertEqual(arg.pairs(), [("JOBS", None)])
        self.assertEqual(env.pairs(), [("A", "1"), ("B", "two words")])
        self.assertEqual((copy.flags, copy.words), ({"from": "0", "chown": "1:2"}, ["/a", "/b/"]))
        self.assertEqual((entry.words, health.words), (["a", "b"], ["c"]))

    def test_refuses_what_the_check_could_not_run(self):
        for text in ("", "RUN a\n", "FROM a:1\nADD x y\n", "FROM a:1\nRUN --mount=type=cache,target=/x y\n", "FROM a:1\nRUN <<END\n",
                     "FROM a:1\nENTRYPOINT a b\n", "FROM a:1\nCMD [1]\n", "FROM a:1\nENV A 1\n", "FROM a:1\nCOPY a\n",
                     "FROM a:1\nHEALTHCHECK NONE\n", "FROM a:1\nRUN a \\\n", "FROM a:1 BY b\n"):
            with self.assertRaises(dockerfile.DockerfileError, msg=text):
                dockerfile.parse(text)

    def test_replaces_variables(self):
        self.assertEqual(dockerfile.expand("$A/${B}/$NONE$A", {"A": "1", "B": "2", "NONE": None}), "1/2/1")

    def test_ignores_by_the_last_pattern_that_matches(self):
        ignore = dockerfile.Ignore("# comment\nbuild\ntests/*\n!tests/rooms.txt\n**/__pycache__\n**/*.pyc\n")
        for path, ignored in (("build/a/b", True), ("deploy/build.sh", False), ("deploy/build", False), ("tests/a.py", True),
                              ("tests/rooms.txt", False), ("a/__pycache__/b", True), ("a/b.pyc", True), ("a/b.py", False)):
            self.assertEqual(ignore.ignores(path), ignored, path)

    def test_finds_what_a_copy_copies(self):
        files = ["LICENSE", "face/a.cc", "face/b/c.cc", "facets/d.cc"]
        self.assertEqual(dockerfile.below(files, "LICENSE"), [("LICENSE", "LICENSE")])
        self.assertEqual(dockerfile.below(files, "face/"), [("face/a.cc", "a.cc"), ("face/b/c.cc", "b/c.cc")])
        self.assertEqual(dockerfile.below(files, "fac"), [])
        self.assertEqual(len(dockerfile.below(files, ".")), 4)


class Problems(unittest.TestCase):
    GOOD = ('FROM debian:bookworm AS build\nCOPY a ./\nRUN make\nFROM debian:bookworm-slim\nLABEL a=b\nCOPY --from=build /a /\n'
            'VOLUME ["/d"]\nEXPOSE 1\nUSER 5:5\nENTRYPOINT ["a"]\nHEALTHCHECK CMD ["a"]\n')

    def problems(self, old="", new=""):
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            (root / "a").touch()
            (root / "Dockerfile").write_text(self.GOOD.replace(old, new))
            (root / "Dockerfile.dockerignore").touch()
            return " ".join(dockerfile.problems(root / "Dockerfile", root))

    def test_a_good_file_has_none(self):
        self.assertEqual(self.problems(), "")

    def test_names_what_is_wrong(self):
        for old, new, said in (("debian:bookworm AS", "debian AS", "FROM debian names no version"),
                               ("bookworm-slim", "latest", "FROM debian:latest names no version"),
                               ("COPY a ", "COPY b ", "line 2: the source has no b"), ("from=build", "from=biuld", "there is no stage biuld"),
                               ("USER 5:5", "USER root", "USER other than root"), ("USER 5:5", "USER 0:0", "USER other than root"),
                               ("USER 5:5\n", "", "USER other than root"), ("LABEL a=b\n", "USER 5:5\n", "no LABEL"),
                               ("USER 5:5\n", "USER 5:5\nRUN b\n", "must come after"), ('VOLUME ["/d"]\n', "", "no VOLUME"),
                               ("RUN make", "ADD a b", "line 3: ADD is not an instruction")):
            self.assertIn(said, self.problems(old, new), (old, new))


class MachineSources(unittest.TestCase):
    def test_takes_the_sources_of_debian_12_and_their_keys(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "sources.list.d").mkdir()
            (folder / "sources.list").write_text("deb cdrom:[x]/ bookworm main\n# deb http://c/ bookworm main\n"
                                                 "deb [arch=amd64 signed-by=/k/a.gpg] http://a/ bookworm-security main contrib # why\n")
            (folder / "sources.list.d/d.sources").write_text("Types: deb\n# old\nURIs: http://d/\nSuites: bookworm bookworm-updates\n"
                                                             "Components: main\nSigned-By: /k/d.gpg\n\nTypes: deb\nURIs: http://e/\nSuites: sid\n")
            (folder / "sources.list.d/o.list").write_text("deb http://o/ nodistro main\n")
            parts, keys = machine.sources_of("bookworm", folder)
        self.assertEqual(parts, ["Types: deb\nURIs: http://a/\nSuites: bookworm-security\nComponents: main contrib\nSigned-By: /k/a.gpg",
                                 "Types: deb\nURIs: http://d/\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: /k/d.gpg"])
        self.assertEqual(keys, ["/k/a.gpg", "/k/d.gpg"])


class Scripts(unittest.TestCase):
    def said(self, script, *options):
        ended = subprocess.run([ROOT / "deploy" / script, *options], capture_output=True, text=True, check=False)
        return ended.returncode, ended.stdout + ended.stderr

    def test_help_needs_nothing(self):
        for script in ("image-check.sh", "image-root.sh"):
            code, said = self.said(script, "--help")
            self.assertEqual(code, 0, script)
            self.assertIn(f"Usage: deploy/{script}", said)

    def test_wrong_options_end_with_2(self):
        for options in (["--gup"], ["--jobs"], ["--jobs", "many"], ["--jobs", "0"], ["--cuda", "/nowhere"], ["--chroot"]):
            code, said = self.said("image-check.sh", *options)
            self.assertEqual(code, 2, options)
            self.assertIn("image-check: ", said)
        for options in ([], ["build"], ["--gpu-prefix"], ["--gpu", "a", "b"]):
            self.assertEqual(self.said("image-root.sh", *options)[0], 2, options)

    def test_says_that_it_needs_root(self):
        nobody = [] if os.getuid() else ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        # On standard input, since nobody may not see the folder of the source.
        ended = subprocess.run([*nobody, "bash", "-s"], input=(ROOT / "deploy/image-check.sh").read_text(), cwd="/", capture_output=True,
                               text=True, check=False)
        self.assertEqual(ended.returncode, 2)
        self.assertIn("this needs root", ended.stderr)

    def test_lays_out_nothing_without_a_build_or_over_another_image(self):
        with tempfile.TemporaryDirectory() as name:
            code, said = self.said("image-root.sh", name, f"{name}/out")
            self.assertEqual(code, 1)
            self.assertIn("has no bin/facegate-server: build it first", said)
            for file in ("bin/facegate-server", "lib/facegate/facegate-torch.so"):
                (pathlib.Path(name) / file).parent.mkdir(parents=True)
                (pathlib.Path(name) / file).touch()
            code, said = self.said("image-root.sh", name, name)
            self.assertEqual(code, 1)
            self.assertIn("exists", said)


if __name__ == "__main__":
    unittest.main()
