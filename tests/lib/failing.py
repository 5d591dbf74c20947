"""Endpoints in which the Nth call fails: the test's side of tests/fault/failing.c."""

import ctypes
import mmap
import os
import subprocess
import time

from . import fcgi
from .demo import BUILD

MEMORY, INPUT, OUTPUT = 1, 2, 4
NEVER = 2 ** 60             # counts, and nothing fails


class Control(ctypes.Structure):
    """struct control of failing.c"""
    _fields_ = [(name, ctypes.c_uint64) for name in ("nth", "and_later", "kinds", "error", "connection", "count", "failed")] + [("where", ctypes.c_char * 1024)]


def library():
    path = BUILD / "tests/fault/failing.so"
    done = subprocess.run(["make", "-C", str(BUILD), "tests/fault/failing.so"], capture_output=True, text=True)
    assert done.returncode == 0 and path.exists(), done.stdout[-2000:] + done.stderr[-2000:]
    return path


class Failing:
    """Starts endpoints, each of one process, with the library."""

    def __init__(self, bed):
        self.bed, self.library = bed, library()
        self.path = os.path.join(bed.run, f"failing-{os.getpid()}-{time.monotonic_ns() % 10**9}")
        with open(self.path, "w+b") as file:
            file.truncate(mmap.PAGESIZE)
            self.memory = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self.control = Control.from_buffer(self.memory)

    def close(self):
        del self.control
        self.memory.close()
        os.unlink(self.path)

    def start(self, program):
        environment = {"LD_PRELOAD": str(self.library), "FAILING_CONTROL": self.path}
        return fcgi.Endpoint(self.bed.run, self.bed.programs / program, self.bed.config, workers=0, environment=environment)

    def arm(self, nth, kinds=MEMORY, error=0, connection=1, and_later=False):
        """From the so-many-th connection of the next endpoint on."""
        c = self.control
        c.nth, c.and_later, c.kinds, c.error, c.connection = nth, and_later, kinds, error, connection
        c.count, c.failed, c.where = 0, 0, b""

    def disarm(self):
        """What has been counted stays."""
        self.control.nth = 0

    @property
    def where(self):
        return self.control.where.decode()
