"""postern check finds nothing wrong with the configurations that we ship."""

import subprocess

import pytest


@pytest.mark.http
def test_check(bed):
    done = subprocess.run([bed.env["POSTERN_SBINDIR"] + "/postern", "check"], capture_output=True, text=True, timeout=120,
                          env={"POSTERN_CONFIG": bed.config, "PGUSER": bed.env["PGUSER"]})
    lines = [line for line in done.stdout.splitlines() if not line.startswith("ok: ")]
    # What a bed is: an issuer for trying out, with the clients of the tests.
    assert [line for line in lines if not line.startswith(("warning: issuer: ", "warning: clients: "))] == []
    assert (done.returncode, done.stderr) == (1, "")
    assert "ok: endpoints: " in done.stdout
