"""Aligned crops through the server over gRPC: faces a second."""

import json
import os
import shutil
import subprocess
import time

from processes import Failed, end, run, tail


class Server:
    """facegate-server of the package on a free loopback port."""

    def __init__(self, check, part, folder, model):
        data = folder / "data"
        shutil.rmtree(data, ignore_errors=True)
        self._port, self.log = folder / "port", folder / "server.log"
        self._port.unlink(missing_ok=True)
        largest = 8 if check.quick else 256
        # Enough calls at work to fill batches, and room for all that the load sends.
        command = [*check.program("bin/facegate-server"), "--model", model, "--data_dir", data, "--listen", "127.0.0.1:0",
                   "--port_file", self._port, "--device", check.device, "--detector", "none", "--max_batch", largest,
                   "--face_queue", 4096, "--request_queue", 4096, "--worker_threads", 4 * largest if check.on_card else 16,
                   "--calls_per_connection", 64]
        check.record(part, command)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log, env=os.environ,
                                             start_new_session=True)

    def wait(self, limit_s):
        """Its address, once it serves."""
        deadline = time.monotonic() + limit_s
        while not self._port.exists() or not self._port.read_text().strip():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.close()
                raise Failed(f"the server did not start; its log ends:\n{tail(self.log.read_text(errors='replace'))}")
            time.sleep(0.05)
        return f"127.0.0.1:{self._port.read_text().strip()}"

    def close(self):
        end(self._process)


def measure(check, part, limit_s, network):
    """The load by crops as JPEG, as clients send them, and as BMP, which costs the server's CPU nothing to decode."""
    deadline = time.monotonic() + limit_s
    folder = check.folder("serving")
    started = time.monotonic()
    server = Server(check, part, folder, check.folder(network) / "model.safetensors")
    try:
        target = server.wait(limit_s - 15)
        part["figures"].update({"network": network, "start_s": round(time.monotonic() - started, 2), "loads": []})
        for picture in ("jpeg", "bmp"):
            command = [*check.program("bin/gpu_serve_bench"), "--target", target, "--picture", picture]
            if check.quick:
                command += ["--connections", 2, "--outstanding", 4, "--seconds", 3, "--warm-up", 1]
            check.record(part, command)
            part["figures"]["loads"].append(json.loads(run(command, deadline - time.monotonic())))
    finally:
        server.close()
