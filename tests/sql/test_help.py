"""--help and --version of every program, and of every command of postern."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

from cluster import ENDPOINTS, ROOT, environment, postern_bin

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from lib.demo import read_env  # noqa: E402

PROGRAMS = pathlib.Path(read_env(os.environ["POSTERN_BED"])["POSTERN_LIBEXECDIR"])
COMMANDS = [tuple(filter(None, pair)) for pair in
            re.findall(r'\{ \{ "([a-z]+)"(?:, "([a-z]+)")? \}', (ROOT / "sbin/postern.c").read_text())]
CALLS = [((endpoint,), PROGRAMS / endpoint, ()) for endpoint in ENDPOINTS]
CALLS += [(("postern", *words), postern_bin(), words) for words in [(), *COMMANDS]]
IDS = [" ".join(name) for name, _, _ in CALLS]


def run(program, *words, **more):
    return subprocess.run([program, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30,
                          env=environment(**more))


def test_the_table_is_complete():
    assert {p.name for p in PROGRAMS.iterdir()} == set(ENDPOINTS) == {p.stem for p in (ROOT / "cgi-bin").glob("*.c")}
    assert {"migrate", "key", "check", "maintain", "passwd"} == {words[0] for words in COMMANDS}


def test_the_documents_are_installed():
    """A new server is set up by them, perhaps without the sources: where README says, each as it is, and with what it leads to."""
    prefix = PROGRAMS.parents[1]
    sources = {p.name: p.read_text() for p in (ROOT / "docs").glob("*.md")}
    assert {p.name: p.read_text() for p in (prefix / "share/doc/postern").iterdir() if p.name in sources} == sources
    links = {link for text in sources.values() for link in re.findall(r"\]\((?![a-z]+:|\.\./|#)([^)#]+)", text)}
    assert links and links <= set(sources)
    for name in ("conf/nginx.conf", "examples/noteapp/index.html", "sql/roles.sql", "templates/login.html"):
        assert (prefix / "share/postern" / name).read_text() == (ROOT / name).read_text()


@pytest.mark.parametrize("name, program, words", CALLS, ids=IDS)
def test_help(name, program, words):
    done = run(program, *words, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert name[0] in done.stdout and " ".join(words) in done.stdout
    assert done.stdout.endswith("\n") and max(map(len, done.stdout.splitlines())) <= 100


@pytest.mark.parametrize("name, program, words", CALLS, ids=IDS)
def test_version(name, program, words):
    done = run(program, *words, "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(rf"{name[0]} (\(Postern\) )?\d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize("name, program, words", CALLS, ids=IDS)
def test_an_unknown_option(name, program, words):
    done = run(program, *words, "--frobnicate")
    assert done.returncode == 64 and done.stdout == "" and done.stderr


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_query_is_no_option(endpoint):
    """In CGI a query without '=' arrives as arguments (RFC 3875 section 4.4)."""
    done = run(PROGRAMS / endpoint, "--help", GATEWAY_INTERFACE="CGI/1.1", REQUEST_METHOD="GET", REQUEST_URI="/x?--help", QUERY_STRING="--help")
    assert "--workers" not in done.stdout


def test_half_a_command():
    assert run(postern_bin(), "key", "--help").returncode == 0
    assert run(postern_bin(), "key").returncode == 64
