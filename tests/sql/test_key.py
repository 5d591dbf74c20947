"""postern key: made, listed, retired; the private half never leaves the database."""

import json
import subprocess

import pytest

from cluster import Installation, environment, postern, postern_bin, rows


@pytest.fixture
def site():
    with Installation(owner_may="NOCREATEROLE") as installation:
        done = installation.migrate(roles=False)
        assert done.returncode == 0, done.stderr
        yield installation


def key(site, *words, **settings):
    return postern("key", *words, "--database", site.conninfo(**settings))


def add(site, *words):
    done = key(site, "add", *words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def states(site, mac=True):
    lines = [line.split() for line in key(site, "list").stdout.splitlines()[1:]]
    return {line[0]: (line[1], line[-1]) for line in lines if mac or line[1] != "MAC"}


@pytest.mark.parametrize("alg", ["ES256", "RS256", "PS256", "EdDSA"])
def test_add(site, alg):
    kid = add(site, alg)
    assert len(kid) == 43
    stored, is_pem = site.rows(f"SELECT public_jwk FROM postern.signing_key WHERE kid = '{kid}' AND alg = '{alg}';"
                               " SELECT private_key LIKE '-----BEGIN PRIVATE KEY-----%' FROM postern.signing_key;")
    jwk = json.loads(stored)
    assert (jwk["kid"], jwk["alg"], jwk["use"], is_pem) == (kid, alg, "sig", "t")
    assert not set(jwk) & {"d", "p", "q", "dp", "dq", "qi", "k"}
    assert site.rows(f"SELECT kid FROM postern.current_signing_key WHERE alg = '{alg}';") == [kid]


@pytest.mark.parametrize("alg", ["", "HS256", "none", "es256", "RSA"])
def test_unknown_algorithm(site, alg):
    done = key(site, "add", alg)
    assert done.returncode == 64 and "ES256" in done.stderr
    assert states(site, mac=False) == {}


def test_list(site):
    first, later = add(site, "ES256"), add(site, "ES256", "--active-from", "tomorrow")
    second = add(site, "ES256")
    assert states(site, mac=False) == {first: ("ES256", "accepted"), later: ("ES256", "upcoming"), second: ("ES256", "signs")}
    lines = key(site, "list").stdout.splitlines()
    assert [line.index("ES256") for line in lines[1:] if not line.startswith("mac-")] == [lines[0].index("alg")] * 3
    assert key(site, "retire", first).returncode == 0
    assert states(site)[first] == ("ES256", "retired")


def test_time_that_is_none(site):
    done = key(site, "add", "ES256", "--active-from", "soonish")
    assert done.returncode == 69 and "soonish" in done.stderr and "PRIVATE" not in done.stderr


def test_the_last_active_key_stays(site):
    kid, _, _ = add(site, "ES256"), add(site, "RS256"), add(site, "ES256", "--active-from", "tomorrow")
    done = key(site, "retire", kid)
    assert done.returncode == 65 and "last active key for ES256" in done.stderr
    assert states(site)[kid][1] == "signs"
    assert key(site, "retire", "--force", kid).returncode == 0
    assert states(site)[kid][1] == "retired"


@pytest.mark.parametrize("kid", ["nobody", "-nobody", "' OR true --"])
def test_unknown_kid(site, kid):
    done = key(site, "retire", kid)
    assert done.returncode == 65 and "no such key" in done.stderr


def test_kid_that_looks_like_an_option(site):
    done = postern("key", "retire", "--database", site.conninfo(), "--", "--force")
    assert done.returncode == 65 and "no such key" in done.stderr


def test_retired_twice(site):
    kid, _ = add(site, "ES256"), add(site, "ES256")
    assert key(site, "retire", kid).returncode == 0
    done = key(site, "retire", kid)
    assert done.returncode == 65 and "already" in done.stderr


def test_two_retirements_at_once_leave_one(site):
    for _ in range(3):
        for kid in [k for k, (_, state) in states(site, mac=False).items() if state != "retired"]:
            key(site, "retire", "--force", kid)
        kids = add(site, "ES256"), add(site, "ES256")
        runners = [subprocess.Popen([postern_bin(), "key", "retire", kid, "--database", site.conninfo()],
                                    env=environment(), stderr=subprocess.DEVNULL) for kid in kids]
        assert sorted(runner.wait(timeout=60) for runner in runners) == [0, 65]


def test_not_migrated():
    with Installation() as empty:
        for words in (["add", "ES256"], ["list"], ["retire", "x"]):
            done = key(empty, *words)
            assert done.returncode == 69 and "postern migrate" in done.stderr


def test_stranger(site):
    rows(f"CREATE ROLE {site.prefix}stranger LOGIN;")
    for words in (["add", "ES256"], ["list"], ["retire", "x"]):
        done = key(site, *words, user=site.prefix + "stranger")
        assert done.returncode == 69 and "permission denied" in done.stderr


def test_a_refused_row_is_not_quoted(site):
    site.rows("ALTER TABLE postern.signing_key ADD CONSTRAINT never CHECK (false);")
    done = key(site, "add", "ES256")
    assert done.returncode == 69 and '"never"' in done.stderr
    assert "PRIVATE" not in done.stderr and "Failing row" not in done.stderr and "kty" not in done.stderr


def test_a_log_that_would_get_the_key(site):
    rows(f"ALTER ROLE {site.owner} SET log_statement = 'mod';")
    done = key(site, "add", "ES256")
    assert done.returncode == 69 and "log_parameter_max_length" in done.stderr
    assert states(site, mac=False) == {}
    add(site, "ES256", "--force")
    rows(f"ALTER ROLE {site.owner} SET log_parameter_max_length = 0;")
    add(site, "ES256")


def test_a_superuser_keeps_the_key_out_of_the_log(site):
    rows(f"ALTER DATABASE {site.name} SET log_statement = 'mod';")
    assert key(site, "add", "ES256", user=None).returncode == 0


# --- MAC keys ---------------------------------------------------------------

def rotate(site):
    done = key(site, "rotate", "--mac")
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def seal(site):
    """A token as the server seals it, in octets."""
    return site.rows("SELECT encode(decode(rpad(translate(postern.seal('test', 'payload'), '-_', '+/'), 56, '='), 'base64'), 'hex');")[0]


def unseal(site, sealed):
    return site.rows(f"SELECT coalesce(convert_from(postern.unseal('test', '\\x{sealed}'), 'UTF8'), 'refused');")[0]


def test_rotation_keeps_what_is_sealed_until_it_is_retired(site):
    first = seal(site)
    assert states(site) == {"mac-01": ("MAC", "seals")}
    assert rotate(site) == "mac-02"
    second = seal(site)
    assert states(site) == {"mac-01": ("MAC", "accepted"), "mac-02": ("MAC", "seals")}
    assert (first[:2], second[:2]) == ("01", "02")
    assert (unseal(site, first), unseal(site, second)) == ("payload", "payload")
    assert key(site, "retire", "mac-01").returncode == 0
    assert states(site)["mac-01"] == ("MAC", "retired")
    assert (unseal(site, first), unseal(site, second)) == ("refused", "payload")
    assert site.rows("SELECT count(DISTINCT key) FROM postern.mac_key;") == ["2"]


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_the_last_mac_key_stays(site, force):
    done = key(site, "retire", *force, "mac-01")
    assert done.returncode == 65 and "last MAC key" in done.stderr
    assert states(site) == {"mac-01": ("MAC", "seals")}


def test_mac_key_retired_twice_or_unknown(site):
    rotate(site)
    assert key(site, "retire", "mac-01").returncode == 0
    for name, says in (("mac-01", "already"), ("mac-03", "no such key"), ("mac-", "no such key"), ("mac-011", "no such key")):
        done = key(site, "retire", name)
        assert done.returncode == 65 and says in done.stderr


def test_rotations_at_once_make_different_keys(site):
    runners = [subprocess.Popen([postern_bin(), "key", "rotate", "--mac", "--database", site.conninfo()], env=environment(),
                                stdout=subprocess.PIPE, text=True) for _ in range(4)]
    names = [runner.communicate(timeout=60)[0].strip() for runner in runners]
    assert sorted(names) == ["mac-02", "mac-03", "mac-04", "mac-05"]
    assert [k for k, (_, state) in states(site).items() if state == "seals"] == [max(names, key=lambda n: site.rows(
        f"SELECT created_at FROM postern.mac_key WHERE 'mac-' || encode(tag, 'hex') = '{n}';"))]


def test_all_tags_taken(site):
    site.rows("INSERT INTO postern.mac_key (tag, retired_at) SELECT set_byte('\\x00', 0, n), now() - interval '2 years' FROM generate_series(2, 255) n;")
    done = key(site, "rotate", "--mac")
    assert done.returncode == 65 and "DELETE FROM postern.mac_key" in done.stderr
    site.rows("DELETE FROM postern.mac_key WHERE retired_at < now() - interval '1 year';")
    assert rotate(site) == "mac-02"


def test_only_mac_keys_rotate(site):
    done = key(site, "rotate")
    assert done.returncode == 64 and "--active-from" in done.stderr
    assert states(site) == {"mac-01": ("MAC", "seals")}
