"""Starts and stops tools/demo, the test bed."""

import os
import pathlib
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("POSTERN_BUILD") or ROOT / "build")
SANITIZED = (BUILD / "reports").is_dir()        # configure --enable-sanitizers
READY = "Postern is ready: "
START_SECONDS = 300         # the first start builds
STOP_SECONDS = 40


def free_port():
    """One that is free on both loopback addresses."""
    while True:
        with socket.socket() as s, socket.socket(socket.AF_INET6) as six:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
            try:
                six.bind(("::1", port))
            except OSError as problem:
                if problem.errno == 98:     # in use; without IPv6 it is another error
                    continue
            return port


def read_env(directory):
    """The shell variables of DIR/env."""
    out = {}
    for line in pathlib.Path(directory, "env").read_text().splitlines():
        name, _, value = line.partition("=")
        out[name] = "".join(shlex.split(value))
        if name == "POSTERN_PSQL":
            out[name] = shlex.split(shlex.split(value)[0])
    return out


class Demo:
    def __init__(self, web="lighttpd", path="", mode="fcgi", workers=2):
        self.web, self.path, self.mode, self.workers = web, path, mode, workers
        self.process, self.temporary, self.directory = None, None, None

    def start(self):
        """Returns at once; wait() waits."""
        # Below /tmp and short: the path of a Unix socket has 107 octets at most.
        self.temporary = pathlib.Path(tempfile.mkdtemp(prefix="postern-test-"))
        self.directory = self.temporary / "d"
        self.output = self.temporary / "output"
        command = [ROOT / "tools/demo", "--no-install", "--dir", self.directory, "--port", str(free_port()),
                   "--web", self.web, "--mode", self.mode, "--workers", str(self.workers)]
        if self.path:
            command += ["--path", self.path]
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                            stdout=output, stderr=output, start_new_session=True)
        return self

    def wait(self):
        end = time.monotonic() + START_SECONDS
        while not any(line.startswith(READY) for line in self.output.read_text().splitlines()):
            if self.process.poll() is not None or time.monotonic() > end:
                text = self.output.read_text()
                self.stop()
                raise RuntimeError(f"tools/demo --web {self.web} --mode {self.mode} did not start:\n{text}")
            time.sleep(0.05)
        return self

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.process = None
        if self.temporary is not None:
            shutil.rmtree(self.temporary, ignore_errors=True)
            self.temporary = None
