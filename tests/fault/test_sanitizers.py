"""A build with sanitizers finds planted bugs and says what it is; every other build has
nothing of it (configure --enable-sanitizers, tools/test --sanitize)."""

import pathlib
import subprocess
import time

import pytest

from lib import fcgi, wire
from lib.demo import BUILD, SANITIZED

REPORTS = BUILD / "reports"
BUGS = {    # what the probe does: what the report must say
    "overrun": "heap-buffer-overflow", "use_after_free": "heap-use-after-free", "overrun_arena": "use-after-poison",
    "overflow": "signed integer overflow", "leak": "detected memory leaks",
}


@pytest.fixture
def probe(bed):
    path = BUILD / "tests/sandbox/probe"
    done = subprocess.run(["make", "-C", str(BUILD), "tests/sandbox/probe"], capture_output=True, text=True)
    assert done.returncode == 0 and path.exists(), done.stdout[-2000:] + done.stderr[-2000:]
    with fcgi.Endpoint(bed.run, path, bed.config, workers=1) as endpoint:
        assert act(bed, endpoint, "nothing").status == 200, endpoint.log.read_text()
        yield endpoint


def act(bed, endpoint, name):
    return endpoint("POST", bed.at("/token"), body=wire.form({"act": name}).encode())


@pytest.mark.parametrize("name", BUGS)
def planted_bug_is_reported(bed, probe, name):
    """By the worker itself, from inside its sandbox, into a file of its own."""
    (pid,) = probe.workers()
    report = REPORTS / ("report.undefined" if name == "overflow" else "report")
    report = report.with_name(f"{report.name}.probe.{pid}")
    try:
        answer = act(bed, probe, name)
        assert (answer.status == 200) == (name == "leak"), answer
        if name == "leak":
            probe.stop()            # looked for when the worker leaves
        end = time.monotonic() + 5
        while not (report.exists() and BUGS[name] in report.read_text()):
            assert time.monotonic() < end, report.read_text() if report.exists() else probe.log.read_text()
            time.sleep(0.05)
    finally:
        report.unlink(missing_ok=True)      # planted: it is not a finding


if SANITIZED:
    test_planted_bug_is_reported = planted_bug_is_reported


def test_the_build_says_what_it_is(bed):
    for program in sorted(bed.programs.iterdir()):
        version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        assert ("sanitizers" in version) == SANITIZED, version
        symbols = subprocess.run(["nm", "-D", program], capture_output=True, text=True, check=True).stdout
        assert ("__asan_" in symbols) == SANITIZED and ("__ubsan_" in symbols) == SANITIZED
    with fcgi.Endpoint(bed.run, bed.programs / "jwks", bed.config, workers=1) as endpoint:
        assert endpoint("GET", bed.at("/jwks")).status == 200
        assert ("wide sandbox" in pathlib.Path(endpoint.log).read_text()) == SANITIZED
