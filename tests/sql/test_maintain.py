"""postern maintain: what has expired goes, in small batches; what lives stays."""

import subprocess

import pytest

from cluster import Installation, environment, postern, postern_bin, rows

EXPIRED = 1200      # of each; more than a batch has


@pytest.fixture
def site():
    with Installation(owner_may="NOCREATEROLE") as installation:
        done = installation.migrate(roles=False)
        assert done.returncode == 0, done.stderr
        yield installation


def fill(site, count, expires):
    site.rows(
        "INSERT INTO postern.issuer (url) VALUES ('http://localhost') ON CONFLICT DO NOTHING;"
        "INSERT INTO postern.authorization_grant (id, client_id, client_epoch, scope, expires_at)"
        f" SELECT gen_random_uuid(), 'c', 0, '{{}}', {expires} FROM generate_series(1, {count});"
        "INSERT INTO postern.session (id, secret_sha256, sub, account_epoch, expires_at)"
        f" SELECT gen_random_uuid(), sha256(''), gen_random_uuid(), 0, {expires} FROM generate_series(1, {count});"
        "INSERT INTO postern.revoked_token (jti, expires_at)"
        f" SELECT gen_random_uuid(), {expires} FROM generate_series(1, {count});")


def left(site):
    return site.rows("SELECT count(*) FROM postern.authorization_grant UNION ALL SELECT count(*) FROM postern.session"
                     " UNION ALL SELECT count(*) FROM postern.revoked_token;")


def maintain(site, *words, **settings):
    return postern("maintain", "--database", site.conninfo(**settings), *words)


def test_expired_rows_go_and_others_stay(site):
    fill(site, EXPIRED, "now() - interval '1 second'")
    fill(site, 5, "now() + interval '1 hour'")
    done = maintain(site)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{3 * EXPIRED} rows swept\n", "")
    assert left(site) == ["5", "5", "5"]
    assert maintain(site).stdout == "0 rows swept\n"


def test_quiet_when_there_was_nothing(site):
    assert maintain(site, "--quiet").stdout == ""
    fill(site, 1, "now() - interval '1 second'")
    assert maintain(site, "--quiet").stdout == "3 rows swept\n"


def test_in_batches(site):
    """No statement takes more than a batch, so none holds many locks."""
    site.rows("CREATE TABLE seen (n bigint);"
              "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.seen SELECT count(*) FROM gone; RETURN NULL; END $$;"
              "CREATE TRIGGER note AFTER DELETE ON postern.session REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION note();",
              user=None)
    site.rows("ALTER TABLE seen OWNER TO " + site.owner, user=None)
    fill(site, EXPIRED, "now() - interval '1 second'")
    assert maintain(site).returncode == 0
    assert site.rows("SELECT max(n), sum(n) FROM seen;") == [f"500|{EXPIRED}"]


def test_several_at_once(site):
    fill(site, EXPIRED, "now() - interval '1 second'")
    command = [postern_bin(), "maintain", "--database", site.conninfo()]
    runners = [subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [runner.communicate(timeout=60)[0] for runner in runners]
    assert [runner.returncode for runner in runners] == [0, 0, 0]
    assert sum(int(out.split()[0]) for out in said) == 3 * EXPIRED
    assert left(site) == ["0", "0", "0"]


def test_a_locked_row_is_left_for_the_next_time(site):
    fill(site, 3, "now() - interval '1 second'")
    holder = subprocess.Popen(["psql", "-XqAt", "-d", site.conninfo()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(), text=True)
    holder.stdin.write("BEGIN; SELECT 'held' FROM postern.session LIMIT 1 FOR UPDATE;\n")
    holder.stdin.flush()
    assert holder.stdout.readline() == "held\n"
    assert maintain(site).stdout == "8 rows swept\n"
    holder.communicate("COMMIT;\n", timeout=60)
    assert maintain(site).stdout == "1 row swept\n"


def test_stranger_and_not_migrated(site):
    rows(f"CREATE ROLE {site.prefix}stranger LOGIN;")
    done = maintain(site, user=site.prefix + "stranger")
    assert done.returncode == 69 and "permission denied" in done.stderr
    with Installation() as empty:
        done = maintain(empty)
        assert done.returncode == 69 and "postern migrate" in done.stderr
    done = postern("maintain", "--database", "host=/nonexistent dbname=x")
    assert done.returncode == 69 and "/nonexistent" in done.stderr
