"""What a chroot gets of this machine while a step runs, and the base images, which debootstrap makes. Docker gives a step the
network by itself; here apt and pip need this machine's sources, keys, proxies and certificates. They are mounted at /mnt and
never written to a layer."""

import os
import pathlib
import re
import shutil
import subprocess

AT = "/mnt"  # in the chroot
APT = pathlib.Path("/etc/apt")
CERTIFICATES = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy")
# What the official images add to a minimal Debian: nothing that apt fetches stays, and the slim ones have no documentation.
APT_CONF = """DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Acquire::Languages "none";
Acquire::GzipIndexes "true";
"""
SLIM_FOLDERS = ("doc", "info", "linda", "lintian", "locale", "man", "groff")
SLIM_CONF = "".join(f"path-exclude /usr/share/{name}/*\n" for name in SLIM_FOLDERS) + "path-include /usr/share/doc/*/copyright\n"
SOURCES = """Types: deb
URIs: http://deb.debian.org/debian
Suites: {0} {0}-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.debian.org/debian-security
Suites: {0}-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


def sources_of(suite, folder=APT):
    """This machine's paragraphs for `suite`, as deb822, and the key files that they name."""
    found = []
    for file in [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]:
        if file.suffix == ".sources":
            found += [part.strip() for part in re.split(r"\n\s*\n", file.read_text()) if re.search(rf"^Suites:.*\b{suite}", part, re.M)]
        elif file.suffix == ".list" and file.exists():
            for line in file.read_text().splitlines():
                match = re.match(rf"\s*deb\s+(?:\[(.*?)\]\s+)?(\S+)\s+({suite}\S*)\s+(.+)", line)
                if not match or match[2].startswith("cdrom:"):
                    continue
                key = re.search(r"signed-by=(\S+)", match[1] or "")
                found.append(f"Types: deb\nURIs: {match[2]}\nSuites: {match[3]}\nComponents: {match[4].split('#')[0].strip()}" +
                             (f"\nSigned-By: {key[1]}" if key else ""))
    found = [re.sub(r"(?m)^#.*\n?", "", part) for part in found]
    return found, sorted({key for part in found for key in re.findall(r"(?m)^Signed-By:\s*(/\S+)", part)})


class Machine:
    def __init__(self, work):
        self.work, self.folder, self.debs = work, work / "machine", work / "debs"
        self.folder.mkdir(exist_ok=True)
        (self.debs / "partial").mkdir(parents=True, exist_ok=True)
        self.mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", self.folder)
        for name in ("archives", "sources", "keys", "wheels"):
            (self.folder / name).mkdir()
        self.mount("--bind", self.debs, self.folder / "archives")
        self.env = {"APT_CONFIG": f"{AT}/apt.conf"}
        self.write_apt()
        for name in PROXIES:
            self.env |= {each: os.environ[each] for each in (name, name.upper()) if each in os.environ}
        if CERTIFICATES.exists():
            shutil.copy(CERTIFICATES, self.folder / "ca.crt")
            self.env |= {name: f"{AT}/ca.crt" for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "PIP_CERT")}
        self.write_pip()

    @staticmethod
    def mount(*arguments):
        subprocess.run(["mount", *map(str, arguments)], check=True)

    def write_apt(self):
        dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=False).stdout
        kept = [line for line in dump.splitlines() if re.match(r"Acquire::(https?|Retries|ForceIPv)\S*::", line + "::") and "Ca" not in line]
        if CERTIFICATES.exists():
            kept.append(f'Acquire::https::CaInfo "{AT}/ca.crt";')
        kept += [f'Dir::Cache::archives "{AT}/archives";', 'APT::Sandbox::User "root";']
        self.mirror = None
        parts, keys = sources_of("bookworm")
        if parts:
            kept += [f'Dir::Etc::sourceparts "{AT}/sources";', 'Dir::Etc::sourcelist "/dev/null";']
            text = "\n\n".join(parts) + "\n"
            for number, key in enumerate(keys):
                copy = f"{number}-{os.path.basename(key)}"
                shutil.copy(key, self.folder / "keys" / copy)
                text = text.replace(key, f"{AT}/keys/{copy}")
            (self.folder / "sources/machine.sources").write_text(text)
            plain = [part for part in parts if re.search(r"^Suites:\s*bookworm(\s|$)", part, re.M)]
            uri = re.search(r"^URIs:\s*(\S+)", plain[0], re.M) if plain else None
            self.mirror = uri[1] if uri else None
        (self.folder / "apt.conf").write_text("\n".join(kept) + "\n")

    def write_pip(self):
        self.env |= {name: value for name, value in os.environ.items() if name.startswith("PIP_") and name not in ("PIP_CERT", "PIP_CONFIG_FILE")}
        files = [os.environ.get("PIP_CONFIG_FILE"), os.path.expanduser("~/.config/pip/pip.conf"), "/etc/pip.conf"]
        file = next((each for each in files if each and os.path.isfile(each)), None)
        if file:
            # Its certificate is a path of this machine; PIP_CERT says the one in the chroot.
            (self.folder / "pip.conf").write_text(pathlib.Path(file).read_text())
            self.env["PIP_CONFIG_FILE"] = f"{AT}/pip.conf"
        links = self.env.get("PIP_FIND_LINKS", "")
        if os.path.isdir(links):
            self.mount("--bind", "-o", "ro", links, self.folder / "wheels")
            self.env["PIP_FIND_LINKS"] = f"{AT}/wheels"

    def environment(self):
        """What a RUN step gets besides what the Dockerfile says."""
        return dict(self.env)

    def attach(self, root, binds=(), network=True):
        """Mounts what every container has, and for steps, what they need of this machine."""
        self.mount("-t", "proc", "proc", root / "proc")
        self.mount("-t", "sysfs", "-o", "ro", "sysfs", root / "sys")
        dev = root / "dev"
        self.mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", dev)
        for name in ("null", "zero", "full", "random", "urandom", "tty"):
            (dev / name).touch()
            self.mount("--bind", f"/dev/{name}", dev / name)
        for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
            (dev / name).symlink_to(f"/proc/self/{target}")
        (dev / "shm").mkdir()
        self.mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", dev / "shm")
        if network:
            self.mount("--rbind", self.folder, root / AT.lstrip("/"))
            for name in ("resolv.conf", "hosts"):
                self.mount("--bind", os.path.realpath(f"/etc/{name}"), root / "etc" / name)
        for folder, at in binds:
            target = root / at.lstrip("/")
            target.mkdir(parents=True, exist_ok=True)
            self.mount("--bind", "-o", "ro", folder, target)

    def debootstrap(self, root, suite, slim, log, execute, as_root):
        """Makes what debian:SUITE or debian:SUITE-slim holds today."""
        debs = self.work / "debootstrap"
        debs.mkdir(exist_ok=True)
        execute(["debootstrap", "--variant=minbase", f"--cache-dir={debs}", suite, str(root),
                 *([self.mirror] if self.mirror else [])], log, "debootstrap")
        for folder in ("etc/apt/apt.conf.d", "etc/dpkg/dpkg.cfg.d", "etc/apt/sources.list.d"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        (root / "etc/apt/apt.conf.d/docker").write_text(APT_CONF)
        (root / "etc/dpkg/dpkg.cfg.d/docker").write_text("force-unsafe-io\n" + (SLIM_CONF if slim else ""))
        (root / "etc/apt/sources.list").unlink(missing_ok=True)
        (root / "etc/apt/sources.list.d/debian.sources").write_text(SOURCES.format(suite))
        policy = root / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
        for name in ("resolv.conf", "hosts"):
            (root / "etc" / name).write_text("")
        # Updates that came after the release, as in an image of today.
        self.attach(root)
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", **self.env}
        execute([*as_root(root, env), "/bin/sh", "-c", "apt-get update && apt-get -y dist-upgrade"],
                log.with_name("upgrade.txt"), "apt-get dist-upgrade")
        for at in ("proc", "sys", "dev", "mnt", "etc/resolv.conf", "etc/hosts"):
            subprocess.run(["umount", "--recursive", root / at], check=True)
        for pattern in ("var/lib/apt/lists/*", "var/cache/apt/archives/*.deb", "var/cache/apt/*.bin", "var/log/*.log", "var/log/apt/*"):
            for path in root.glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        if slim:
            for name in SLIM_FOLDERS:
                for path in sorted((root / "usr/share" / name).rglob("*"), reverse=True):
                    if path.is_dir() and not path.is_symlink():
                        if not any(path.iterdir()):
                            path.rmdir()
                    elif name != "doc" or path.name != "copyright":
                        path.unlink()
