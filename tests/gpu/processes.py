"""Programs with a time limit, and programs that answer each line with a line of JSON."""

import json
import os
import select
import signal
import subprocess
import time


class Failed(Exception):
    """What went wrong, in words for the report."""


class Missing(Exception):
    """What is not there to be checked, in words for the report."""


def tail(text, lines=15):
    """The end of what a program said."""
    return "\n".join(text.strip().splitlines()[-lines:])


def end(process):
    """Ends a program of ours and what it has started: each is the leader of a session of its own."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.wait()


def run(command, limit_s, environment=None, allowed=(0,)):
    """What the program wrote to its standard output. Failed where it takes longer or ends with another code."""
    command = [str(word) for word in command]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                               stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})}, start_new_session=True)
    try:
        out, err = process.communicate(timeout=max(limit_s, 0.1))
    except subprocess.TimeoutExpired:
        end(process)
        out, err = process.communicate()
        raise Failed(f"it did not end within {limit_s:.0f} s; it said last:\n{tail(out + err)}") from None
    if process.returncode not in allowed:
        raise Failed(f"it ended with code {process.returncode}:\n{tail(out + err)}")
    return out


class Commanded:
    """A program that greets with a line of JSON, and answers each line of its input with one."""

    def __init__(self, command, log, environment=None):
        self.command = [str(word) for word in command]
        self._log = log
        self._bytes = b""
        with open(log, "ab") as errors:
            self._process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                                             env={**os.environ, **(environment or {})}, start_new_session=True)

    def ask(self, *words, limit_s):
        """The answer to a line of these words."""
        try:
            self._process.stdin.write((" ".join(map(str, words)) + "\n").encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failure("it has ended") from None
        return self.answer(limit_s)

    def answer(self, limit_s, parse=json.loads):
        """The next line that it writes, as JSON if nothing else is said."""
        deadline = time.monotonic() + limit_s
        while b"\n" not in self._bytes:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._process.stdout], [], [], left)[0]:
                raise self._failure(f"it did not answer within {limit_s:.0f} s")
            read = os.read(self._process.stdout.fileno(), 1 << 16)
            if not read:
                raise self._failure(f"it ended with code {self._process.wait()}")
            self._bytes += read
        line, self._bytes = self._bytes.split(b"\n", 1)
        try:
            return parse(line)
        except ValueError:
            raise self._failure(f"it answered {line[:200]!r}") from None

    def close(self):
        end(self._process)
        self._process.stdin.close()
        self._process.stdout.close()

    def _failure(self, what):
        self.close()
        with open(self._log, errors="replace") as log:
            return Failed(f"{os.path.basename(self.command[-1] if len(self.command) == 1 else self.command[1])}: {what}; "
                          f"it said last:\n{tail(log.read())}")
