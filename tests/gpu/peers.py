"""PyTorch's sides. They compile for a minute or two, so they are started early, while nothing is timed, and all of them are
ready, or have ended, before anything is."""

import sys
import time
from pathlib import Path

from processes import Commanded, Failed, Missing

HERE = Path(__file__).resolve().parent


class Peers:
    def __init__(self):
        self._peers = {}
        self._greetings = {}
        self._why = {}  # one is not there

    def start(self, check, part, key, program, options, log):
        command = [sys.executable, HERE / program, *options]
        check.record(part, command)
        self._peers[key] = Commanded(command, log, {"TORCHINDUCTOR_COMPILE_THREADS": "4"})

    def wait(self, _check, part, limit_s):
        """Until each has greeted; those that have not then are ended."""
        end = time.monotonic() + limit_s - 2
        for key, peer in self._peers.items():
            try:
                self._greetings[key] = part["figures"][key] = peer.answer(max(1.0, end - time.monotonic()))
            except Failed as why:
                self._why[key] = part["figures"][key] = str(why)
        if self._why:
            raise Failed("; ".join(f"{key}: {why}" for key, why in self._why.items()))

    def get(self, key):
        """The program and its greeting; Missing where there is none."""
        if key not in self._greetings:
            raise Missing(self._why.get(key, "PyTorch was not started"))
        return self._peers[key], self._greetings[key]

    def end(self, key):
        if key in self._peers:
            self._peers.pop(key).close()

    def close(self):
        for key in list(self._peers):
            self.end(key)
