#!/usr/bin/env python3
"""Tests of deploy/bootstrap-gpu.sh with small wheels and a false nvcc: what it refuses, how it goes on after a failure, and
that a second run changes nothing. FAISS is left out: it would take half an hour to build."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
ELF = pathlib.Path("/bin/true").read_bytes()
WHEELS = {
    "torch": ("2.11.0", {"torch/lib/libtorch.so", "torch/lib/libtorch_cpu.so", "torch/lib/libtorch_cuda.so", "torch/lib/libc10_cuda.so",
                         "torch/share/cmake/Torch/TorchConfig.cmake", "torch/include/torch/csrc/api/include/torch/torch.h"}),
    "nvidia_all": ("13.0.1", {"nvidia/cu13/lib/libcudart.so.13", "nvidia/cu13/lib/libcublas.so.13", "nvidia/cudnn/lib/libcudnn.so.9",
                              "nvidia/nccl/lib/libnccl.so.2", "nvidia/cusparselt/lib/libcusparseLt.so.0",
                              "nvidia/nvshmem/lib/libnvshmem_host.so.3"}),
}


def executable(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


class Base(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.prefix = self.root / "prefix"
        self.index = self.root / "index"  # where pip finds wheels, instead of PyPI
        self.index.mkdir()
        (self.root / "source/deploy").mkdir(parents=True)
        shutil.copy(ROOT / "deploy/bootstrap-gpu.sh", self.root / "source/deploy")
        self.nvcc("13.0")
        for header in ("cuda_runtime.h", "cublas_v2.h"):
            (self.root / "cuda/include").mkdir(exist_ok=True)
            (self.root / "cuda/include" / header).touch()
        requirements = ""
        for name in WHEELS:
            wheel = self.wheel(name)
            requirements += (f"# wheel {wheel.stat().st_size} contents 100000\n{name.replace('_', '-')}=={WHEELS[name][0]} "
                             f"--hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
        (self.root / "source/deploy/gpu-requirements.txt").write_text(requirements)

    def nvcc(self, version):
        executable(self.root / "cuda/bin/nvcc", f"""#!/bin/sh
case "$1" in
  --version) echo "Cuda compilation tools, release {version}, V{version}.88" ;;
  --list-gpu-arch) printf 'compute_80\\ncompute_90\\n' ;;
esac
""")

    def wheel(self, name):
        version, files = WHEELS[name]
        path = self.index / f"{name}-{version}-py3-none-any.whl"
        info = f"{name}-{version}.dist-info"
        with zipfile.ZipFile(path, "w") as out:
            for file in sorted(files):
                out.writestr(zipfile.ZipInfo(file), ELF if ".so" in file else "text")
            out.writestr(zipfile.ZipInfo(f"{info}/METADATA"), f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n")
            out.writestr(zipfile.ZipInfo(f"{info}/WHEEL"), "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            out.writestr(zipfile.ZipInfo(f"{info}/RECORD"), "".join(f"{file},,\n" for file in sorted(files)))
        return path

    def run_it(self, *options, prefix=None):
        """The exit code, and all that it said."""
        environment = {"PATH": f"{self.root}/cuda/bin:{self.root}/bin:/usr/bin:/bin", "HOME": str(self.root), "PIP_NO_INDEX": "1",
                       "PIP_FIND_LINKS": str(self.index), "PIP_CONFIG_FILE": os.devnull}
        ended = subprocess.run([self.root / "source/deploy/bootstrap-gpu.sh", "--prefix", prefix or self.prefix, *options],
                               env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return ended.returncode, ended.stdout


class Refusals(Base):
    def test_wrong_options_end_with_2(self):
        for options in (["--prefxi"], ["--cuda-arch", "hopper"], ["--cuda-arch", "90,"], ["--jobs", "0"], ["--jobs"]):
            code, said = self.run_it(*options)
            self.assertEqual(code, 2, said)
            self.assertIn("--help", said)

    def test_the_prefix_is_outside_the_source_and_has_a_plain_name(self):
        for prefix in (self.root / "source/gpu", self.root / "source", self.root / "with space"):
            code, said = self.run_it(prefix=prefix)
            self.assertEqual(code, 2, said)
        self.assertFalse(self.prefix.exists())

    def test_help_needs_nothing(self):
        code, said = self.run_it("--help")
        self.assertEqual(code, 0)
        self.assertIn("cuda-toolkit-13-0", said)

    def test_bootstrap_hands_its_options_on(self):
        for options, code in ((["--gpu", "--help"], 0), (["--gpu", "--prefix"], 2), (["--check", "--gpu", "--jobs", "x"], 2)):
            ended = subprocess.run([ROOT / "deploy/bootstrap.sh", *options], capture_output=True, text=True, check=False)
            self.assertEqual(ended.returncode, code, ended.stdout + ended.stderr)
            self.assertIn("deploy/bootstrap.sh --gpu", ended.stdout + ended.stderr)

    def test_refuses_a_disk_that_is_too_small(self):
        executable(self.root / "cuda/bin/df", "#!/bin/sh\nprintf 'Avail\\n12000000\\n'\n")
        code, said = self.run_it()
        self.assertEqual(code, 1)
        self.assertRegex(said, r"needs [0-9.]+ [MG]B of free disk, and there are 12 MB")
        self.assertFalse(self.prefix.exists())

    @unittest.skipIf(os.path.exists("/usr/local/cuda/bin/nvcc"), "this machine has CUDA")
    def test_names_the_package_of_a_missing_nvcc(self):
        (self.root / "cuda/bin/nvcc").unlink()
        code, said = self.run_it()
        self.assertEqual(code, 1)
        self.assertRegex(said, "nvcc is missing: .*cuda-toolkit-13-0.*cuda-nvcc-13-0")

    @unittest.skipIf(os.path.exists("/usr/local/cuda/bin/nvcc"), "this machine has CUDA")
    def test_refuses_another_cuda(self):
        self.nvcc("12.4")
        code, said = self.run_it()
        self.assertEqual(code, 1)
        self.assertRegex(said, "is of CUDA 12.4, and this LibTorch is for CUDA 13.*cuda-toolkit-13-0")

    def test_refuses_cuda_without_its_libraries(self):
        (self.root / "cuda/include/cublas_v2.h").unlink()
        code, said = self.run_it()
        self.assertEqual(code, 1)
        self.assertRegex(said, "lacks cublas_v2.h.*cuda-toolkit-13-0")

    def test_refuses_an_architecture_that_nvcc_does_not_know(self):
        code, said = self.run_it("--cuda-arch", "80,70")
        self.assertEqual(code, 1)
        self.assertIn("does not know the architecture 70; it knows 80 90", said)

    def test_check_lists_what_is_missing_and_makes_nothing(self):
        code, said = self.run_it("--check")
        self.assertEqual(code, 1)
        self.assertIn("LibTorch 2.11 is not in", said)
        self.assertIn("FAISS for architecture 90 is not in", said)
        self.assertFalse(self.prefix.exists())

    def test_preflight_makes_nothing(self):
        self.assertEqual(self.run_it("--preflight"), (0, ""))
        self.assertFalse(self.prefix.exists())


@unittest.skipIf(subprocess.run(["/usr/bin/python3", "-m", "pip", "--version"], capture_output=True, check=False).returncode != 0,
                 "python3-pip is missing: deploy/bootstrap.sh --gpu installs it")
class Wheels(Base):
    def setUp(self):
        super().setUp()
        executable(self.root / "bin/dpkg-source", "#!/bin/sh\n")

    def test_goes_on_with_the_wheel_that_failed(self):
        missing = self.index / "nvidia_all-13.0.1-py3-none-any.whl"
        missing.rename(self.root / missing.name)
        code, said = self.run_it("--no-faiss")
        self.assertEqual(code, 1, said)
        self.assertIn("FAIL fetching nvidia-all==13.0.1: PyPI cannot be reached", said)
        self.assertFalse((self.prefix / "python").exists())

        (self.index / "torch-2.11.0-py3-none-any.whl").unlink()  # it is not asked for again
        (self.root / missing.name).rename(missing)
        code, said = self.run_it("--no-faiss")
        self.assertEqual(code, 0, said)
        self.assertNotIn("wheel 1 of 2", said)
        self.assertIn("wheel 2 of 2, nvidia-all==13.0.1", said)
        self.assertIn(f"the GPU parts are ready in {self.prefix}", said)
        self.assertIn(f"FACEGATE_GPU_PREFIX={self.prefix} cmake --preset gpu", said)
        self.assertEqual(sorted(path.name for path in self.prefix.iterdir()), [".lock", "python"])

        code, said = self.run_it("--no-faiss", "--check")
        self.assertEqual(code, 0, said)
        (self.prefix / "python/torch/lib/libtorch_cuda.so").unlink()
        self.assertEqual(self.run_it("--no-faiss", "--check")[0], 1)

    def test_a_second_run_changes_nothing(self):
        self.assertEqual(self.run_it("--no-faiss", "--keep-downloads")[0], 0)
        before = {path: path.stat().st_mtime_ns for path in self.prefix.rglob("*")}
        self.assertIn(self.prefix / "wheels/torch-2.11.0-py3-none-any.whl", before)
        for path in self.index.iterdir():
            path.unlink()
        code, said = self.run_it("--no-faiss", "--keep-downloads")
        self.assertEqual(code, 0, said)
        after = {path: path.stat().st_mtime_ns for path in self.prefix.rglob("*")}
        self.assertEqual(before, after)

    def test_keeps_no_wheel_with_another_hash(self):
        wheel = self.index / "torch-2.11.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "a") as out:
            out.writestr("torch/more.txt", "more")
        code, said = self.run_it("--no-faiss")
        self.assertEqual(code, 1)
        self.assertIn("another sha256 than deploy/gpu-requirements.txt says", said)
        self.assertEqual(list((self.prefix / "wheels").iterdir()), [])

    def test_replaces_a_kept_wheel_that_is_damaged(self):
        (self.prefix / "wheels").mkdir(parents=True)
        (self.prefix / "wheels/torch-2.11.0-py3-none-any.whl").write_bytes(b"half of it")
        code, said = self.run_it("--no-faiss")
        self.assertEqual(code, 0, said)
        self.assertIn("wheel 1 of 2, torch==2.11.0", said)

    def test_brings_other_versions_when_they_are_asked_for(self):
        self.assertEqual(self.run_it("--no-faiss")[0], 0)
        stamp = self.prefix / "python/facegate-stamp.txt"
        stamp.write_text("torch==2.10.0\n")
        code, said = self.run_it("--no-faiss")
        self.assertEqual(code, 0, said)
        self.assertIn("torch==2.11.0", stamp.read_text())

    def test_two_runs_do_not_meet(self):
        self.prefix.mkdir()
        with subprocess.Popen(["flock", self.prefix / ".lock", "cat"], stdin=subprocess.PIPE) as other:
            while subprocess.run(["flock", "-n", self.prefix / ".lock", "true"], check=False).returncode == 0:
                pass
            code, said = self.run_it("--no-faiss")
            other.stdin.close()
        self.assertEqual(code, 1)
        self.assertIn("another run is at work", said)


if __name__ == "__main__":
    unittest.main()
