"""postern passwd: one password in, one hash out."""

import ctypes
import os
import pty
import random
import signal
import subprocess
import time
import unicodedata

import pytest

from cluster import environment, postern_bin

GOOD = "seven herons above horse pond"
LONG = bytes(random.Random(1).choices(range(33, 127), k=600))     # of no row and no repetition

libcrypt = ctypes.CDLL("libcrypt.so.1")
libcrypt.crypt.restype = ctypes.c_char_p
libc = ctypes.CDLL(None)
libc.ptsname.restype = ctypes.c_char_p


def passwd(stdin, *words):
    return subprocess.run([postern_bin(), "passwd", *words], input=stdin, capture_output=True, env=environment(), timeout=30)


def verifies(password, digest):
    return libcrypt.crypt(password, digest) == digest


@pytest.mark.parametrize("password", [
    GOOD.encode(), LONG[:15], LONG[:511], "\u00e9\u00e8\u00ea\u00eb\u00e0\u00e2\u00e4\u00f4\u00f6\u00f2\u00fb\u00fc\u00f9\u00ee\u00ef".encode(),
    " sixteen spaces ".encode(), b"15 \xc2\xa0 characters"])
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
    (b"", b"no password"), (b"\n", b"empty"), (LONG[:14] + b"\n", b"800-63B-4"), ("\u00e9".encode() * 14, b"800-63B-4"),
    ("e\u0301".encode() * 14, b"800-63B-4"), (LONG[:512], b"511"), (b"x" * 100000, b"511"), ("\u0344".encode() * 200, b"511"), (b"correct horse\tbattery\n", b"control"), (b"correct horse battery\r\n", b"CR LF"), (b"correct horse\r battery\n", b"control"),
    (b"correct horse\0 battery\n", b"control"), (b"correct horse battery\x7f", b"control"), (b"correct horse battery\xc2\x85", b"control"),
    ("seven herons \U000e0080 x".encode(), b"Unicode"), (b"correct horse battery\xff", b"UTF-8"), (b"correct horse battery\xc3", b"UTF-8"), (b"correct horse battery\xed\xa0\x80", b"UTF-8"),
    (b"correct horse battery\xc0\xaf", b"UTF-8"),
])
def test_bad(password, says):
    """SEC-PWD-01."""
    done = passwd(password)
    assert done.returncode == 65 and says in done.stderr
    assert done.stdout == b"" and b"horse" not in done.stderr


FORMS = [   # what is typed and what is hashed, by Python's own tables
    "na\u00efve caf\u00e9 at the corner", "nai\u0308ve cafe\u0301 at the corner", "\u212bngstr\u00f6m and a \u2126 of \ufb01sh", "\u1112\u1161\u11ab\u1100\u1173\u11af and other letters",
    "q\u0307\u0323 two accents here", "\u0958\u0959 what does not compose", "\U0001d15e a note, a half one", "\u0344 two in one, fifteen"]


@pytest.mark.parametrize("password", FORMS, ids=lambda v: v.encode("unicode_escape").decode())
def test_normal_form(password):
    """SEC-PWD-02: however it was typed, NFC is hashed, once."""
    digests = [passwd(unicodedata.normalize(form, password).encode()).stdout.strip() for form in ("NFC", "NFD")] + [passwd(password.encode()).stdout.strip()]
    for digest in digests:
        assert verifies(unicodedata.normalize("NFC", password).encode(), digest)
    compatible = unicodedata.normalize("NFKC", password)
    if compatible != unicodedata.normalize("NFC", password):
        assert not verifies(compatible.encode(), digests[0])


def test_five_hundred_octets_after_it():
    """SEC-PWD-02: the limit is on what is hashed."""
    typed = "".join(c + "\u0301" for c in random.Random(1).choices("aeiou", k=255))
    normal = unicodedata.normalize("NFC", typed)
    assert len(typed.encode()) > 511 >= len(normal.encode())
    done = passwd(typed.encode())
    assert done.returncode == 0 and verifies(normal.encode(), done.stdout.strip())


WEAK = [    # name, password, --names, why
    ("known", "correct horse battery staple", "", b"tried first"),
    ("known, in capitals", "Correct Horse BATTERY Staple", "", b"tried first"),
    ("known, ending in digits, with a sign", "password12345678!", "", b"tried first"),
    ("known, shorter than a password may be, with a year", "winteriscoming2026", "", b"tried first"),
    ("known, with a year", "supercalifragilisticexpialidocious2026", "", b"tried first"),
    ("known, with signs", "thequickbrownfox!!1!", "", b"tried first"),
    ("one character", "x" * 15, "", b"again and again"),
    ("one character of two octets", "\u00e9" * 15, "", b"again and again"),
    ("one piece", "abcabcabcabcabc", "", b"again and again"),
    ("one piece, and half of it", "hunter2 hunter2 hun", "", b"again and again"),
    ("twice", "fine passw0rd.fine passw0rd.", "", b"again and again"),
    ("one piece, in any case", "Hunter2hunter2HUNTER2", "", b"again and again"),
    ("one piece, and a sign", "Hunter2Hunter2Hunter2!", "", b"again and again"),
    ("twice, with a space between", "correct horse correct horse!", "", b"again and again"),
    ("one character, and another one", "aaaaaaaaaaaaaaa1", "", b"again and again"),
    ("one character, and a letter", "00000000000000a", "", b"in their order"),
    ("one letter in two cases, and another one", "AaAaAaAaAaAaAaAb", "", b"in their order"),
    ("counting", "1234567890123456", "", b"in their order"),
    ("counting down", "98765432109876543", "", b"in their order"),
    ("the alphabet", "abcdefghijklmnop", "", b"in their order"),
    ("the alphabet and some digits", "ABCDEFGHIJKLMNOPQRST12", "", b"in their order"),
    ("the keyboard", "qwertyuiopasdfghjkl", "", b"row of the keyboard"),
    ("the keyboard, backwards", "mnbvcxzlkjhgfdsa", "", b"row of the keyboard"),
    ("the name", "ada.lovelace.ada.lovelace-1815", "ada.lovelace@example.org", b"besides the names"),
    ("the name in capitals", "ADALOVELACEADA!", "ada.lovelace@example.org", b"besides the names"),
    ("the site", "notes.example.org 2026", "ada https://notes.example.org", b"besides the names"),
    ("a name that is composed", "paul \u00e9luard \u00e9luard 1952", "Paul \u0065\u0301luard", b"besides the names"),
    ("two names", "Ada Lovelace NoteApp!", "ada Ada Lovelace NoteApp", b"besides the names"),
]


@pytest.mark.parametrize("password, names, why", [w[1:] for w in WEAK], ids=["SEC-PWD-03 " + w[0] for w in WEAK])
def test_weak(password, names, why):
    done = passwd(password.encode(), *(["--names", names] if names else []))
    assert done.returncode == 65 and done.stdout == b"" and why in done.stderr, done.stderr
    assert password.encode() not in done.stderr


STRONG = [  # near to what is refused
    ("known, with a word more", "correct horse battery staple heron", ""), ("known, with a word before", "my correct horse battery staple", ""),
    ("known, with five digits", "thequickbrownfox83610", ""), ("a comment", "seven herons # 2 horses", ""), ("half of it comes again", "red heron red heron blue", ""),
    ("a run and then words", "12345678 geese on the shore", ""), ("a long word with the name in it", "madagascar by the sea", "ada"),
    ("a name of two letters", "li li li li li and li", "li"), ("a name and enough", "ada likes seven herons", "ada lovelace"),
    ("no names", "ada.lovelace.london", ""), ("a comment of the list", "# known-passwords -- what nobody may take for a password (\"postern passwd\")", ""),
]


@pytest.mark.parametrize("password, names", [s[1:] for s in STRONG], ids=["SEC-PWD-03 " + s[0] for s in STRONG])
def test_strong(password, names):
    done = passwd(password.encode(), "--names", names)
    assert (done.returncode, done.stderr) == (0, b"")


def test_list_of_ones_own(tmp_path):
    """SEC-PWD-03: with line ends of any kind and without one at the end; it takes the place of ours."""
    known = tmp_path / "known"
    known.write_bytes(b"# a comment here is no password\r\nherons over the pond\r\n\n" + "caf\u00e9 by the harbour".encode() + b"\nthe last of the lines")
    for password in ("Herons over the Pond", "cafe\u0301 by the harbour", "the last of the lines", "the last of the lines?"):
        done = passwd(password.encode(), "--known", str(known))
        assert done.returncode == 65 and b"tried first" in done.stderr, password
    for password in ("a comment here is no password", "correct horse battery staple"):
        assert passwd(password.encode(), "--known", str(known)).returncode == 0, password


@pytest.mark.parametrize("line", [b"x" * 1535 + b"\n", b"x" * 100000 + b"\n", b"\xff\n", b"a\0b\n", b"\n\n", b"\xf3\xa0\x82\x80\n", b"\r\n"])
def test_odd_line_of_a_list(tmp_path, line):
    """SEC-PWD-03: is passed over; the next one counts."""
    known = tmp_path / "known"
    known.write_bytes(line + GOOD.encode())
    assert passwd(GOOD.encode(), "--known", str(known)).returncode == 65
    assert passwd(GOOD.encode() + b" fly", "--known", str(known)).returncode == 0


def test_names_that_are_no_text():
    """SEC-PWD-03."""
    for names in (b"\xff", b"n" * 512):
        done = passwd(GOOD.encode(), "--names", names)
        assert done.returncode == 64 and done.stdout == b"" and b"--names" in done.stderr


@pytest.mark.parametrize("path, says", [("/nonexistent/list", b"No such file"), ("/", b"Is a directory")])
def test_list_that_cannot_be_read(path, says):
    """SEC-PWD-03: then nothing is taken."""
    done = passwd(GOOD.encode(), "--known", path)
    assert done.returncode == 66 and done.stdout == b"" and says in done.stderr and b"herons" not in done.stderr


def test_short_does_not_mean_known():
    """SEC-PWD-03: --allow-short lifts one rule only."""
    for password in ("xxxxxx", "123456", "qwerty", "password", "Letmein1!", "secret"):
        assert passwd(password.encode(), "--allow-short").returncode == 65


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
