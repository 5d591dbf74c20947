"""postern passwd: one password in, one hash out."""

import ctypes
import os
import pty
import signal
import subprocess
import time

import pytest

from cluster import environment, postern_bin

GOOD = "correct horse battery staple"

libcrypt = ctypes.CDLL("libcrypt.so.1")
libcrypt.crypt.restype = ctypes.c_char_p
libc = ctypes.CDLL(None)
libc.ptsname.restype = ctypes.c_char_p


def passwd(stdin, *words):
    return subprocess.run([postern_bin(), "passwd", *words], input=stdin, capture_output=True, env=environment(), timeout=30)


def verifies(password, digest):
    return libcrypt.crypt(password, digest) == digest


@pytest.mark.parametrize("password", [
    GOOD.encode(), b"x" * 15, b"x" * 511, ("\u00e9" * 15).encode(), " fifteen spaces ".encode(), b"15 \xc2\xa0 characters"])
@pytest.mark.parametrize("end", [b"\n", b"", b"\nanother line\n"])
def test_good(password, end):
    """SEC-PWD-01, SEC-PWD-04: 15 characters are enough, of any kind; memory-hard."""
    done = passwd(password + end)
    assert (done.returncode, done.stderr) == (0, b"")
    digest = done.stdout.rstrip(b"\n")
    assert digest.startswith(b"$y$") and verifies(password, digest)
    assert not verifies(password[:-1], digest)


def test_salt():
    assert passwd(GOOD.encode()).stdout != passwd(GOOD.encode()).stdout


@pytest.mark.parametrize("password, says", [
    (b"", b"no password"), (b"\n", b"empty"), (b"x" * 14 + b"\n", b"800-63B-4"), ("\u00e9".encode() * 14, b"800-63B-4"),
    (b"x" * 512, b"511"), (b"x" * 100000, b"511"), (b"correct horse\tbattery\n", b"control"), (b"correct horse battery\r\n", b"control"),
    (b"correct horse\0 battery\n", b"control"), (b"correct horse battery\x7f", b"control"), (b"correct horse battery\xc2\x85", b"control"),
    (b"correct horse battery\xff", b"UTF-8"), (b"correct horse battery\xc3", b"UTF-8"), (b"correct horse battery\xed\xa0\x80", b"UTF-8"),
    (b"correct horse battery\xc0\xaf", b"UTF-8"),
])
def test_bad(password, says):
    """SEC-PWD-01."""
    done = passwd(password)
    assert done.returncode == 65 and says in done.stderr
    assert done.stdout == b"" and b"horse" not in done.stderr


def test_short_on_demand():
    done = passwd(b"short\n", "--allow-short")
    assert done.returncode == 0 and b"warning" in done.stderr and b"800-63B-4" in done.stderr
    assert verifies(b"short", done.stdout.rstrip(b"\n"))
    assert passwd(b"\n", "--allow-short").returncode == 65


class Terminal:
    def __init__(self):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # A shell's background job ignores these; a terminal's program does not.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.signal(signal.SIGQUIT, signal.SIG_DFL)
            os.execve(postern_bin(), ["postern", "passwd"], environment())

    def read_until(self, text):
        seen = b""
        while text not in seen:
            seen += os.read(self.fd, 4096)
        return seen

    def type(self, text):
        os.write(self.fd, text)

    def end(self):
        seen = b""
        try:
            while more := os.read(self.fd, 4096):
                seen += more
        except OSError:
            pass
        return seen, os.waitpid(self.pid, 0)[1]

    def echoes(self):
        return subprocess.run(["stty", "-a"], stdin=self.fd, capture_output=True, text=True).stdout.split().count("echo") == 1


def test_terminal_asks_twice_without_echo():
    terminal = Terminal()
    terminal.read_until(b"Password: ")
    assert not terminal.echoes()
    terminal.type(GOOD.encode() + b"\n")
    seen = terminal.read_until(b"again: ")
    terminal.type(GOOD.encode() + b"\n")
    more, status = terminal.end()
    assert os.waitstatus_to_exitcode(status) == 0
    assert b"horse" not in seen + more
    digest = next(line for line in more.split() if line.startswith(b"$y$"))
    assert verifies(GOOD.encode(), digest)


def test_terminal_with_two_different_passwords():
    terminal = Terminal()
    terminal.read_until(b"Password: ")
    terminal.type(GOOD.encode() + b"\n")
    terminal.read_until(b"again: ")
    terminal.type(GOOD.encode() + b"x\n")
    seen, status = terminal.end()
    assert os.waitstatus_to_exitcode(status) == 65 and b"two different" in seen and b"$y$" not in seen


@pytest.mark.parametrize("keys, number", [(b"\x03", signal.SIGINT), (b"\x1c", signal.SIGQUIT)])
def test_terminal_interrupted(keys, number):
    terminal = Terminal()
    terminal.read_until(b"Password: ")
    other_end = os.open(libc.ptsname(terminal.fd), os.O_RDWR | os.O_NOCTTY)  # outlives the program
    terminal.type(b"half")
    time.sleep(0.05)
    assert not terminal.echoes()
    terminal.type(keys)
    _, status = os.waitpid(terminal.pid, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == number
    assert terminal.echoes()
    os.close(other_end)


def test_output_that_nobody_gets():
    with open("/dev/full", "w") as full:
        done = subprocess.run([postern_bin(), "passwd"], input=GOOD, text=True, stdout=full, stderr=subprocess.PIPE, env=environment())
    assert done.returncode == 74 and "standard output" in done.stderr
