"""Tries an image as it would be run, with less than Docker gives it by itself: no network but loopback, all but the data folder
read-only, no way to gain rights. Then measures it."""

import ctypes
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import time

import dockerfile
from layers import CheckError, in_chroot, unmount

CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
BUILD_TOOLS = re.compile(r"(gcc|g\+\+|cc|c\+\+|cpp|clang|clang\+\+|cc1|cc1plus|as|ld|make|cmake|ninja|nvcc|ptxas|git|pip3?)(-[\d.]+)?")
OWN_FOLDERS = ("usr/local/bin", "usr/local/lib/facegate", "opt")
START_SECONDS, STOP_SECONDS = 180, 30
# Drawn people look more alike than real ones (deploy/main_job.py).
MIN_COSINE = "0.75"
DRIVER = "libcuda.so.1"  # comes with the card's driver, from outside of the image


def only_loopback():
    """From here on this process and what it starts have no network but a loopback of their own."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise CheckError(f"no network of its own: {os.strerror(ctypes.get_errno())}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        name = b"lo" + bytes(14)
        flags = struct.unpack("16sH", fcntl.ioctl(control, SIOCGIFFLAGS, name + bytes(2) + bytes(22))[:18])[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, name + struct.pack("H", flags | IFF_UP) + bytes(22))


class Container:
    def __init__(self, image):
        self.image, self.root = image, image.mounted("trial")
        machine = image.machine
        machine.attach(self.root, network=False)
        # For photos alone: the server must do without a /tmp that it can write to.
        machine.mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", self.root / "mnt")
        self.user = image.stage.last("USER").text
        self.entry = image.stage.last("ENTRYPOINT").words
        self.health = image.stage.last("HEALTHCHECK").words
        self.data = self.root / image.stage.last("VOLUME").words[0].lstrip("/")
        # A new volume begins with the owner and the mode that the folder has in the image.
        about = self.data.stat()
        volume = image.work / "scratch/volume"
        shutil.rmtree(volume, ignore_errors=True)
        volume.mkdir()
        os.chown(volume, about.st_uid, about.st_gid)
        volume.chmod(about.st_mode & 0o7777)
        machine.mount("--bind", volume, self.data)
        machine.mount("-o", "remount,ro", self.root)
        self.log = image.work / "scratch/server.log"
        self.log.write_text("")
        self.server = None

    def command(self, *words, user=None):
        return ["setpriv", "--no-new-privs", *in_chroot(self.root, user or self.user, self.image.env, self.image.workdir), *words]

    def call(self, *words, allowed=(0,), user=None):
        """(exit code, output) of a command in the container."""
        ended = subprocess.run(self.command(*words, user=user), capture_output=True, text=True, check=False, timeout=600)
        if ended.returncode not in allowed:
            raise CheckError(f"{' '.join(words[:4])} ended with {ended.returncode}: {(ended.stderr or ended.stdout).strip()[-800:]}"
                             f"\nthe server's log ends:\n{self.log.read_text()[-1500:]}")
        return ended.returncode, ended.stdout, ended.stderr

    def start(self, *options):
        """Starts the server as the image does; the seconds until it takes calls."""
        started = time.monotonic()
        with self.log.open("a") as log:
            self.server = subprocess.Popen(self.command(*self.entry, *options), stdout=log, stderr=log)
        self.call("facegate", "info", "--wait", str(START_SECONDS))
        return time.monotonic() - started

    def stop(self):
        started = time.monotonic()
        self.server.send_signal(signal.SIGTERM)
        try:
            code = self.server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise CheckError(f"the server did not end within {STOP_SECONDS} s of SIGTERM") from error
        if code != 0:
            raise CheckError(f"the server ended with {code} after SIGTERM; its log ends:\n{self.log.read_text()[-1500:]}")
        return time.monotonic() - started

    def memory(self):
        with open(f"/proc/{self.server.pid}/status", encoding="utf-8") as file:
            return int(re.search(r"VmRSS:\s+(\d+) kB", file.read())[1]) * 1024

    def close(self):
        if self.server and self.server.poll() is None:
            self.server.kill()
            self.server.wait()
        unmount(self.root)


def size(number):
    return f"{number / 1e9:.2f} GB" if number >= 1e9 else f"{number / 1e6:.1f} MB"


def told(name, detail):
    print(f"  ok  {name:<34} {detail}", flush=True)


def require(condition, sentence):
    if not condition:
        raise CheckError(sentence)


def check_files(container, source):
    root = container.root
    tools, rights, headers = [], [], []
    for folder, folders, files in os.walk(root):
        if folder == str(root):
            folders[:] = [name for name in folders if name not in ("proc", "sys", "dev", "mnt")]
        at = "/" + os.path.relpath(folder, root)
        for name in files:
            path = os.path.join(folder, name)
            mode = os.lstat(path).st_mode
            if BUILD_TOOLS.fullmatch(name) and mode & 0o111:
                tools.append(f"{at}/{name}")
            if mode & 0o6000 and not os.path.islink(path):
                rights.append(f"{at}/{name}")
            if at.startswith(("/usr/local", "/opt")) and name.endswith((".a", ".h", ".hpp", ".cuh", ".py", ".whl")):
                headers.append(f"{at}/{name}")
    require(not tools, f"the image has tools of the build: {', '.join(tools[:8])}")
    require(not headers, f"the image has files that only a build needs: {', '.join(headers[:8])}")
    require(not rights, f"programs of the image have the rights of another user: {', '.join(rights[:8])}")
    told("no compiler, header, set-user-id", "")
    left = [path for pattern in ("var/lib/apt/lists/*_*", "var/cache/apt/archives/*.deb", "root/.cache", "src") for path in root.glob(pattern)]
    require(not left, f"the image has leftovers: {', '.join(map(str, left[:8]))}")
    told("no leftovers of apt and the build", "")

    mine = [path for name in OWN_FOLDERS for path in (root / name).rglob("*") if path.is_file() and not path.is_symlink()]
    elf = ["/" + str(path.relative_to(root)) for path in mine if path.open("rb").read(4) == b"\x7fELF"]
    listed = container.call("ldd", *elf, user="0:0", allowed=(0, 1))[1]
    absent = {line.split()[0] for line in listed.splitlines() if "not found" in line} - {DRIVER}
    require(not absent, f"libraries that are not in the image: {', '.join(sorted(absent))}")
    libraries = {line.split()[2] for line in listed.splitlines() if "=> /" in line}
    told("every library is there", f"{len(elf)} files load {len(libraries)} libraries")
    blas = container.call("readlink", "-f", *sorted(path for path in libraries if "libblas.so" in path))[1].strip()
    require("openblas" in blas, f"the active BLAS is {blas or 'none'}, not OpenBLAS")
    told("the fast BLAS is the active one", blas)

    model = (root / "etc/facegate/model.safetensors").read_bytes()
    require(model == (source / "deploy/models/default.safetensors").read_bytes(), "the image's model is not deploy/models/default.safetensors")
    about = container.data.stat()
    require(f"{about.st_uid}:{about.st_gid}" == container.user and about.st_mode & 0o777 == 0o700,
            f"the data folder is of {about.st_uid}:{about.st_gid} with mode {about.st_mode & 0o777:o}")
    told("the data folder is the user's alone", f"{container.user}, mode 700")


def check_server(container, gpu):
    code, _, said = container.call(*container.entry, "--listen", "0.0.0.0:50051", allowed=(1, 2))
    require(code == 2 and "insecure" in said, f"an address that others reach was not refused: {said[-300:]}")
    told("refuses an open port by default", said.strip().splitlines()[-1][:90])
    seconds = container.start()
    told("serves as it is", f"ready in {seconds:.1f} s, {size(container.memory())} of memory")
    container.call(*container.health)
    told("the health check passes", " ".join(container.health))
    if gpu:
        why = [line for line in container.log.read_text().splitlines() if re.search(r"\bCPU\b", line)]
        require(why, f"the log does not say why the CPU is taken:\n{container.log.read_text()[-1500:]}")
        told("says why it runs on the CPU", re.sub(r"^\S+ \w+ ", "", why[0])[:110])
    container.call("facegate-train", "synthesize", "/mnt/photos", "--identities", "3", "--views", "3", "--difficulty", "0.3", "--seed", "4")
    container.call("facegate", "collection", "create", "staff", "--min-cosine", MIN_COSINE)
    for person, identity in (("0000", "1042"), ("0001", "1043")):
        container.call("facegate", "enroll", "-c", "staff", identity, f"/mnt/photos/{person}/000.png", f"/mnt/photos/{person}/001.png")
    identify = ("facegate", "--json", "identify", "-c", "staff", "--nearest")
    found = json.loads(container.call(*identify, "/mnt/photos/0000/002.png")[1])
    best = found[0]["results"][0]["candidates"][0]
    require(best["identity_id"] == "1042", f"person 1042 was taken for {best['identity_id']}")
    container.call(*identify, "/mnt/photos/0002/002.png", allowed=(1,))
    told("enrols and identifies", f"1042 found with cosine {best['cosine']:.4f}; a stranger matches nobody")
    peak = container.memory()
    told("ends with 0 after SIGTERM", f"in {container.stop():.1f} s; {size(peak)} of memory before")
    require(container.call(*container.health, allowed=range(1, 6))[0] != 0, "the health check passes without a server")

    container.start("--listen", "0.0.0.0:50051", "--insecure", "true")
    again = json.loads(container.call(*identify, "/mnt/photos/0000/002.png")[1])
    require(again == found, "the restarted server answers differently")
    container.stop()
    told("answers the same after a restart", "with --listen 0.0.0.0:50051 --insecure true")
    uid, gid = map(int, container.user.split(":"))
    files = [os.path.join(folder, name) for folder, folders, files in os.walk(container.data) for name in [".", *folders, *files]]
    foreign = [path for path in files if (os.lstat(path).st_uid, os.lstat(path).st_gid) != (uid, gid)]
    require(not foreign, f"files of another user in the data folder: {', '.join(foreign[:5])}")
    told("all data is the user's", f"{len(files)} files and folders of {container.user}")


def try_out(image, source):
    print("\n== trial", flush=True)
    only_loopback()
    container = Container(image)
    try:
        check_files(container, source)
        check_server(container, gpu="NVIDIA_VISIBLE_DEVICES" in image.env)
    finally:
        container.close()


def bytes_of(folder):
    seen, total = set(), 0
    for at, folders, files in os.walk(folder):
        for name in folders + files:
            about = os.lstat(os.path.join(at, name))
            if about.st_ino not in seen:
                seen.add(about.st_ino)
                total += about.st_size
    return total


def packed(folder):
    """The bytes of a layer as a registry holds it."""
    with subprocess.Popen(["tar", "-C", folder, "-cf", "-", "."], stdout=subprocess.PIPE) as tar:
        with subprocess.Popen(["gzip", "-6"], stdin=tar.stdout, stdout=subprocess.PIPE) as gzip:
            total = 0
            while block := gzip.stdout.read(1 << 20):
                total += len(block)
    return total


def package_sizes(root):
    """(bytes, package), the largest first, of the files that are really there."""
    sizes = []
    for listed in (root / "var/lib/dpkg/info").glob("*.list"):
        paths = [root / line.lstrip("/") for line in listed.read_text().splitlines()]
        files = {path.lstat().st_ino: path.lstat().st_size for path in paths if path.is_file() and not path.is_symlink()}
        sizes.append((sum(files.values()), listed.stem.split(":")[0]))
    return sorted(sizes, reverse=True)


def measure(image):
    print("\n== size", flush=True)
    rows = []
    for layer in image.layers:
        cache = layer.folder / "size.json"
        if not cache.exists():
            cache.write_text(json.dumps([bytes_of(layer.files), packed(layer.files)]))
        rows.append((*json.loads(cache.read_text()), layer.title))
    print(f"  {'unpacked':>10}  {'gzip':>10}  layer")
    for unpacked, gzip, title in [*rows, (sum(row[0] for row in rows), sum(row[1] for row in rows), "the image")]:
        print(f"  {size(unpacked):>10}  {size(gzip):>10}  {title[:100]}")
    root = image.mounted("size")
    try:
        packages = package_sizes(root)
    finally:
        unmount(root)
    print(f"  {len(packages)} packages; the largest: " + ", ".join(f"{name} {size(number)}" for number, name in packages[:8]), flush=True)
