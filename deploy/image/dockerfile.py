"""Reads a Dockerfile: the instructions that this project uses, and no other, so that deploy/image-check.sh can run its steps
without Docker and tests/image_test.py can judge it."""

import dataclasses
import fnmatch
import json
import os
import pathlib
import re
import shlex

FLAGS = {"COPY": {"from", "chown", "chmod"}, "HEALTHCHECK": {"interval", "timeout", "start-period", "retries"}}
EXEC_FORM = {"ENTRYPOINT", "CMD", "VOLUME"}
KNOWN = {"FROM", "ARG", "ENV", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "VOLUME", "ENTRYPOINT", "CMD", "HEALTHCHECK", "LABEL"}


class DockerfileError(Exception):
    """What is wrong with a Dockerfile, with the line."""


@dataclasses.dataclass
class Instruction:
    line: int
    name: str
    flags: dict[str, str]
    words: list[str]  # of COPY, the sources and the target; of exec forms, the command; of ENV, ARG and LABEL, NAME=VALUE
    text: str  # all after the name, as it stands there

    def pairs(self):
        """NAME, VALUE of ENV, ARG and LABEL; the value is None where an ARG has no default."""
        return [(name, value if equals else None) for name, equals, value in (word.partition("=") for word in self.words)]


@dataclasses.dataclass
class Stage:
    name: str
    base: str
    instructions: list[Instruction]

    def last(self, name):
        """The last instruction of this name, which is the one that counts, or None."""
        found = [instruction for instruction in self.instructions if instruction.name == name]
        return found[-1] if found else None


def logical_lines(text):
    """(line number, text) without comments, with continued lines joined as Docker joins them."""
    begun, start = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        start = start if begun else number
        if line.rstrip().endswith("\\"):
            begun += line.rstrip()[:-1]
            continue
        yield start, (begun + line).strip()
        begun = ""
    if begun:
        raise DockerfileError(f"line {start}: the file ends in a line that goes on")


def exec_form(line, text):
    try:
        words = json.loads(text)
    except ValueError:
        words = None
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise DockerfileError(f'line {line}: a list such as ["program", "argument"] is expected: {text}')
    return words


def instruction_of(line, text):
    name, _, rest = text.partition(" ")
    name, rest = name.upper(), rest.strip()
    if name not in KNOWN:
        raise DockerfileError(f"line {line}: {name} is not an instruction that deploy/image-check.sh can run")
    flags = {}
    while match := re.match(r"--([a-z-]+)=(\S+)\s+", rest):
        if match[1] not in FLAGS.get(name, ()):
            raise DockerfileError(f"line {line}: {name} with --{match[1]} is not what deploy/image-check.sh can run")
        flags[match[1]] = match[2]
        rest = rest[match.end():]
    if not rest or rest.startswith("--") or "<<" in rest:
        raise DockerfileError(f"line {line}: {name} {rest} is not what deploy/image-check.sh can run")
    if name in EXEC_FORM:
        words = exec_form(line, rest)
    elif name == "HEALTHCHECK":
        command, _, test = rest.partition(" ")
        if command != "CMD":
            raise DockerfileError(f"line {line}: HEALTHCHECK needs CMD and a list")
        words = exec_form(line, test)
    elif name == "RUN":
        words = [rest]
    else:
        words = shlex.split(rest)
    if name in ("ENV", "LABEL") and not all("=" in word for word in words):
        raise DockerfileError(f"line {line}: {name} needs NAME=VALUE")
    if name == "COPY" and len(words) < 2:
        raise DockerfileError(f"line {line}: COPY needs a source and a target")
    return Instruction(line, name, flags, words, rest)


def parse(text):
    """The stages of a Dockerfile, in order."""
    stages = []
    for line, logical in logical_lines(text):
        instruction = instruction_of(line, logical)
        if instruction.name == "FROM":
            words = instruction.words
            if len(words) not in (1, 3) or (len(words) == 3 and words[1].upper() != "AS"):
                raise DockerfileError(f"line {line}: FROM IMAGE or FROM IMAGE AS NAME is expected")
            stages.append(Stage(words[2] if len(words) == 3 else str(len(stages)), words[0], []))
        elif not stages:
            raise DockerfileError(f"line {line}: {instruction.name} before the first FROM")
        else:
            stages[-1].instructions.append(instruction)
    if not stages:
        raise DockerfileError("there is no FROM")
    return stages


def expand(text, values):
    """`text` with $NAME and ${NAME} replaced; what has no value becomes nothing, as in Docker."""
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda match: values.get(match[1] or match[2]) or "", text)


class Ignore:
    """What a file of patterns such as Dockerfile.dockerignore keeps from the builder: the last pattern that matches decides."""

    def __init__(self, text):
        lines = [line.strip() for line in text.splitlines()]
        self.patterns = [(line.lstrip("!").strip("/"), line.startswith("!")) for line in lines if line and not line.startswith("#")]

    def ignores(self, path):
        parts, ignored = path.split("/"), False
        for pattern, kept in self.patterns:
            wanted = pattern.split("/")
            if wanted[0] == "**":
                matches = any(fnmatch.fnmatchcase(part, "/".join(wanted[1:])) for part in parts)
            else:
                matches = len(parts) >= len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted))
            if matches:
                ignored = not kept
        return ignored


def context_files(root, ignore):
    """The paths of the files and links below `root` that the builder gets, sorted, relative to it."""
    found = []
    for folder, folders, files in os.walk(root):
        at = pathlib.Path(folder).relative_to(root).as_posix()
        prefix = "" if at == "." else at + "/"
        links = [name for name in folders if (pathlib.Path(folder) / name).is_symlink()]
        found += [prefix + name for name in files + links if not ignore.ignores(prefix + name)]
        folders[:] = [name for name in folders if name not in links and not (prefix == "" and ignore.ignores(name))]
    return sorted(found)


def below(files, source):
    """Those of `files` that COPY SOURCE copies, each with its path relative to the source."""
    source = os.path.normpath(source)
    if source == ".":
        return [(file, file) for file in files]
    exact = [(file, os.path.basename(file)) for file in files if file == source]
    return exact or [(file, file[len(source) + 1:]) for file in files if file.startswith(source + "/")]


def problems(path, root):
    """What is wrong with the Dockerfile at `path` for the source tree `root`, as sentences."""
    try:
        stages = parse(path.read_text())
    except DockerfileError as error:
        return [str(error)]
    said, names = [], []
    files = context_files(root, Ignore(ignore_file(path).read_text()))
    for stage in stages:
        image, colon, tag = stage.base.partition(":")
        if image not in names and (not colon or tag == "latest"):
            said.append(f"FROM {stage.base} names no version")
        for instruction in stage.instructions:
            sources = instruction.words[:-1] if instruction.name == "COPY" else []
            if "from" in instruction.flags:
                if instruction.flags["from"] not in names:
                    said.append(f"line {instruction.line}: there is no stage {instruction.flags['from']} before it")
            else:
                said += [f"line {instruction.line}: the source has no {source}" for source in sources if not below(files, source)]
        names.append(stage.name)
    last = stages[-1]
    user = last.last("USER")
    if user is None or not re.fullmatch(r"[1-9]\d*:[1-9]\d*", user.text):
        said.append("the last stage needs a USER other than root, by number, as UID:GID")
    elif last.instructions.index(user) < max(i for i, each in enumerate(last.instructions) if each.name in ("RUN", "COPY")):
        said.append("the USER of the last stage must come after what root does")
    said += [f"the last stage has no {name}" for name in ("ENTRYPOINT", "VOLUME", "EXPOSE", "HEALTHCHECK", "LABEL") if not last.last(name)]
    return said


def ignore_file(path):
    """The file of patterns that BuildKit reads beside a Dockerfile."""
    return path.with_name(path.name + ".dockerignore")
