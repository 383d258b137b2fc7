"""The steps of a Dockerfile as layers: each RUN and COPY works on an overlay of those before it, and what it changes is kept
under a hash of all that led to it, as Docker keeps it."""

import dataclasses
import hashlib
import os
import pathlib
import re
import shutil
import stat
import subprocess
import time

import dockerfile
from machine import Machine

CUDA_STAGE = "cuda"  # the stage that only brings a CUDA toolkit, to /usr/local/cuda
ROOT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class CheckError(Exception):
    """What went wrong, in words for the last line."""


@dataclasses.dataclass
class Layer:
    key: str
    folder: pathlib.Path
    title: str

    @property
    def files(self):
        return self.folder / "files"

    @property
    def done(self):
        return (self.folder / "done").exists()


@dataclasses.dataclass
class Image:
    """A stage after its last step."""

    stage: dockerfile.Stage
    layers: list[Layer]
    env: dict[str, str]
    machine: Machine
    work: pathlib.Path
    workdir: str = "/"

    def mounted(self, name="image"):
        """The path of its root, of which what is written is thrown away."""
        scratch = self.work / "scratch" / name
        shutil.rmtree(scratch, ignore_errors=True)
        return mount_overlay([layer.files for layer in self.layers], scratch / "files", scratch)


def run(command, **options):
    ended = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **options)
    if ended.returncode != 0:
        raise CheckError(f"{' '.join(map(str, command[:3]))} … ended with {ended.returncode}: {ended.stderr.strip()[-600:]}")
    return ended.stdout


def mount_overlay(lower, upper, scratch):
    at, inner = scratch / "root", scratch / "inner"
    for folder in (upper, at, inner):
        folder.mkdir(parents=True, exist_ok=True)
    below = ":".join(str(folder) for folder in reversed(lower))
    try:
        run(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={below},upperdir={upper},workdir={inner}", at])
    except CheckError as error:
        raise CheckError(f"{scratch} cannot hold layers; --chroot names a folder on a plain disk ({error})") from error
    return at


def unmount(root):
    """All that is mounted at `root` and below it."""
    run(["umount", "--recursive", root])


def execute(command, log, title):
    """Runs a step, with its output in `log`, and shows now and then where it is."""
    shown = time.monotonic()
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                                   errors="replace")
        for line in process.stdout:
            out.write(line)
            out.flush()
            if time.monotonic() - shown > 30 and line.strip():
                shown = time.monotonic()
                print(f"    {line.strip()[:140]}", flush=True)
        code = process.wait()
    if code != 0:
        end = "".join("  " + line for line in log.read_text(errors="replace").splitlines(keepends=True)[-15:])
        raise CheckError(f"{title} ended with {code}; its output ends:\n{end}")


def digest(*parts):
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:20]


def content_of(path):
    about = path.lstat()
    if stat.S_ISLNK(about.st_mode):
        return "link " + os.readlink(path)
    return f"{about.st_mode:o} " + hashlib.sha256(path.read_bytes()).hexdigest()


def copy_file(source, target, owner, mode):
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_symlink() or target.is_file():
        target.unlink()
    shutil.copy2(source, target, follow_symlinks=False)
    os.lchown(target, *owner)
    if mode is not None and not target.is_symlink():
        target.chmod(mode)


class StageBuilder:
    def __init__(self, builder, stage):
        self.builder, self.stage = builder, stage
        self.layers, self.env, self.arguments, self.workdir, self.user = [], {"PATH": ROOT_PATH}, {}, "/", "0:0"
        self.binds = []  # (folder of this machine, path in the chroot)
        if stage.base in builder.images:
            base = builder.images[stage.base]
            self.layers, self.env, self.workdir = list(base.layers), dict(base.env), base.workdir
            self.binds = list(builder.binds.get(stage.base, []))
        else:
            self.layers = [builder.base(stage.base)]

    def build(self):
        total = len(self.stage.instructions)
        for number, instruction in enumerate(self.stage.instructions, start=1):
            title = f"{self.stage.name} {number}/{total}: {instruction.name} {instruction.text}"
            self.step(instruction, title if len(title) < 120 else title[:117] + "…")
        self.builder.binds[self.stage.name] = self.binds
        return Image(self.stage, self.layers, self.env, self.builder.machine, self.builder.work, self.workdir)

    def values(self):
        return {**self.arguments, **self.env}

    def step(self, instruction, title):
        words = [dockerfile.expand(word, self.values()) for word in instruction.words]
        if instruction.name == "ARG":
            for name, default in instruction.pairs():
                self.arguments[name] = self.builder.arguments.get(name, default)
        elif instruction.name == "ENV":
            self.env.update((name, dockerfile.expand(value, self.values())) for name, value in instruction.pairs())
        elif instruction.name == "WORKDIR":
            self.workdir = os.path.normpath(os.path.join(self.workdir, words[0]))
        elif instruction.name == "USER":
            self.user = words[0]
        elif instruction.name == "RUN":
            # JOBS changes how long a step takes, not what it makes.
            values = {name: value for name, value in self.values().items() if name != "JOBS"}
            key = digest(self.layers[-1].key, instruction.text, sorted(values.items()), self.workdir, self.user)
            self.layer(key, title, lambda root, log: self.run_in(root, instruction.words[0], log, title))
        elif instruction.name == "COPY":
            self.copy(instruction, words, title)

    def layer(self, key, title, make):
        layer = Layer(key, self.builder.layers / key, title)
        self.layers.append(layer)
        self.builder.used.add(key)
        if layer.done:
            print(f"  {title} (made before)", flush=True)
            return
        print(f"  {title}", flush=True)
        started = time.monotonic()
        shutil.rmtree(layer.folder, ignore_errors=True)
        root = mount_overlay([each.files for each in self.layers[:-1]], layer.files, layer.folder)
        try:
            make(root, layer.folder / "log.txt")
        finally:
            unmount(root)
        shutil.rmtree(layer.folder / "inner", ignore_errors=True)
        (layer.folder / "done").write_text(f"{time.monotonic() - started:.0f}")
        print(f"    done in {time.monotonic() - started:.0f} s", flush=True)

    def run_in(self, root, text, log, title):
        self.builder.machine.attach(root, self.binds)
        (root / self.workdir.lstrip("/")).mkdir(parents=True, exist_ok=True)
        values = {name: value for name, value in self.values().items() if value is not None}
        env = {"HOME": "/root", **self.builder.machine.environment(), **values}
        execute([*in_namespace(root), *in_chroot(root, self.user, env, self.workdir), "/bin/sh", "-c", text], log, title)

    def copy(self, instruction, words, title):
        *sources, target = words
        target_folder = target.endswith("/") or target in (".", "./")
        target = os.path.normpath(os.path.join(self.workdir, target)).lstrip("/")
        owner = tuple(int(part) for part in instruction.flags.get("chown", "0:0").split(":"))
        mode = int(instruction.flags["chmod"], 8) if "chmod" in instruction.flags else None
        mounted = None
        if "from" in instruction.flags:
            image = self.builder.images[instruction.flags["from"]]
            from_key = digest(*(layer.key for layer in image.layers), *sources)
            key = digest(self.layers[-1].key, "copy", from_key, target, target_folder, owner, mode)
            if not (self.builder.layers / key / "done").exists():
                mounted = image.mounted("copy")
            base = mounted
            wanted = []
            if mounted:
                for source in sources:
                    path = mounted / source.lstrip("/")
                    if not path.exists():
                        raise CheckError(f"{title}: there is no {source}")
                    names = dockerfile.context_files(path, dockerfile.Ignore("")) if path.is_dir() else [path.name]
                    first = path if path.is_dir() else path.parent
                    wanted += [(first / name, name) for name in names]
        else:
            base = self.builder.source
            wanted = [(base / file, name) for source in sources for file, name in dockerfile.below(self.builder.context, source)]
            key = digest(self.layers[-1].key, "copy", *((name, content_of(file)) for file, name in wanted), target, owner, mode)

        def make(root, _log):
            single = len(wanted) == 1 and not target_folder and not (root / target).is_dir()
            for file, name in wanted:
                copy_file(file, root / target if single else root / target / name, owner, mode)

        try:
            self.layer(key, title, make)
        finally:
            if mounted:
                unmount(mounted)


def in_namespace(root):
    """The beginning of a step's command: what it leaves running ends with it, as in a container."""
    return ["unshare", "--pid", "--fork", "--kill-child", f"--mount-proc={root}/proc"]


def in_chroot(root, user, env, workdir="/"):
    """The beginning of a command that runs in `root` as Docker would run it."""
    return ["chroot", f"--userspec={user}", "--groups=", str(root), "/usr/bin/env", "-i", f"--chdir={workdir}",
            *(f"{name}={value}" for name, value in env.items())]


class Builder:
    def __init__(self, path, source, work, arguments):
        self.source, self.work, self.arguments = source, work, arguments
        self.layers = work / path.name
        self.layers.mkdir(exist_ok=True)
        self.machine = Machine(work)
        self.images, self.binds, self.used, self.bases = {}, {}, set(), {}
        self.context = dockerfile.context_files(source, dockerfile.Ignore(dockerfile.ignore_file(path).read_text()))

    def base(self, image):
        match = re.fullmatch(r"debian:([a-z]+)(-slim)?", image)
        if not match:
            raise CheckError(f"FROM {image}: only debian:SUITE and debian:SUITE-slim can be made here")
        name = image.replace(":", "-")
        layer = Layer(digest("base", name), self.work / name, f"FROM {image}")
        if not layer.done:
            print(f"  FROM {image}, made with debootstrap", flush=True)
            shutil.rmtree(layer.folder, ignore_errors=True)
            layer.files.mkdir(parents=True)
            self.machine.debootstrap(layer.files, match[1], bool(match[2]), layer.folder / "log.txt", execute,
                                     lambda root, env: [*in_namespace(root), *in_chroot(root, "0:0", env)])
            (layer.folder / "done").touch()
        return layer

    def build(self, stages, cuda):
        for stage in stages:
            print(f"\n== stage {stage.name}, from {stage.base}", flush=True)
            self.images[stage.name] = self.cuda_stage(stage, cuda) if stage.name == CUDA_STAGE else StageBuilder(self, stage).build()
        return self.images[stages[-1].name]

    def cuda_stage(self, stage, cuda):
        """The stage as it stands; where its repository cannot be reached, this machine's toolkit in its place."""
        here = cuda or pathlib.Path("/usr/local/cuda")
        if not cuda:
            try:
                return StageBuilder(self, stage).build()
            except CheckError as error:
                if not (here / "bin/nvcc").exists():
                    raise
                print(f"  {error}", flush=True)
        print(f"  NOT CHECKED: the steps of this stage. The CUDA toolkit of this machine, {here}, stands in for what they install",
              flush=True)
        builder = StageBuilder(self, dataclasses.replace(stage, instructions=[each for each in stage.instructions if each.name == "ENV"]))
        builder.binds.append((here.resolve(), "/usr/local/cuda"))
        return builder.build()


def build(path, source, work, arguments, cuda):
    """The Image that the Dockerfile at `path` makes of the tree `source`, with its layers kept below `work`."""
    builder = Builder(path, source, work, arguments)
    image = builder.build(dockerfile.parse(path.read_text()), cuda)
    (builder.layers / "used.txt").write_text("\n".join(sorted(builder.used)))
    return image


def prune(work, name):
    """Deletes the layers that the last run did not use."""
    shutil.rmtree(work / "scratch", ignore_errors=True)
    used = (work / name / "used.txt").read_text().split()
    for folder in (work / name).iterdir():
        if folder.is_dir() and folder.name not in used:
            shutil.rmtree(folder)
