"""The one gate (DESIGN rule 4, SEC-TOK-06): what an administrator changes in SQL holds
on the next request, in every process, without a restart."""

import pytest

from lib import jwt
from lib.bed import CB, basic, handle_of

# name, SQL, what puts it back; {id}: the session, {code}: the grant
GATES = [
    ("account disabled", "UPDATE postern.account SET disabled_at = now() WHERE login_name = 'grace'",
     "UPDATE postern.account SET disabled_at = NULL"),
    ("account epoch", "UPDATE postern.account SET epoch = epoch + 1 WHERE login_name = 'grace'", None),
    ("account deleted", "UPDATE postern.account SET sub = gen_random_uuid() WHERE login_name = 'grace'",
     "UPDATE postern.account SET sub = '{sub}' WHERE login_name = 'grace'"),
    ("client disabled", "UPDATE postern.client SET disabled_at = now() WHERE client_id = 't-public'",
     "UPDATE postern.client SET disabled_at = NULL"),
    ("client epoch", "UPDATE postern.client SET epoch = epoch + 1 WHERE client_id = 't-public'", None),
    ("client deleted", "UPDATE postern.client SET client_id = 't-gone' WHERE client_id = 't-public'",
     "UPDATE postern.client SET client_id = 't-public' WHERE client_id = 't-gone'"),
    ("client scope reduced", "UPDATE postern.client SET scope = 'openid profile' WHERE client_id = 't-public'",
     "UPDATE postern.client c SET scope = o.scope FROM postern.client o WHERE c.client_id = 't-public' AND o.client_id = 't-other'"),
    ("resource disabled", "UPDATE postern.resource SET disabled_at = now() WHERE name = 'Drive'",
     "UPDATE postern.resource SET disabled_at = NULL"),
    ("resource renamed", "UPDATE postern.resource SET resource = 'urn:gone' WHERE name = 'Drive'",
     "UPDATE postern.resource SET resource = '{drive}' WHERE resource = 'urn:gone'"),
    ("consent deleted", "DELETE FROM postern.consent WHERE client_id = 't-public'", None),
    ("consent reduced", "UPDATE postern.consent SET scope = '{openid}' WHERE client_id = 't-public'", None),
    ("consent given anew", "UPDATE postern.consent SET id = gen_random_uuid() WHERE client_id = 't-public'", None),
    ("session ended", "UPDATE postern.session SET ended_at = now() WHERE id = '{id}'", None),
    ("session expired", "UPDATE postern.session SET expires_at = now() WHERE id = '{id}'", None),
    ("session deleted", "DELETE FROM postern.session WHERE id = '{id}'", None),
    ("grant revoked", "UPDATE postern.authorization_grant SET revoked_at = now() WHERE id = '{code}'", None),
    ("grant expired", "UPDATE postern.authorization_grant SET expires_at = now() WHERE id = '{code}'", None),
    ("grant deleted", "DELETE FROM postern.authorization_grant WHERE id = '{code}'", None),
]


def words(sql, **values):
    for name, value in values.items():
        sql = sql.replace("{" + name + "}", value)
    return sql.replace("{openid}", "{{openid}}")


@pytest.mark.parametrize("sql, back", [g[1:] for g in GATES], ids=["SEC-TOK-06 " + g[0] for g in GATES])
def test_code_and_token_die(bed, sql, back):
    """SEC-TOK-06; between approval and redemption: CVE-2026-88770, CVE-2026-9798, CVE-2026-16103; everywhere at once:
    CVE-2025-12624."""
    session = bed.session()
    bed.consent("t-public")
    spent, unspent = bed.code(session), bed.code(session)
    token = bed.redeem(spent).json()["access_token"]
    assert bed.call(token).status == 200
    try:
        for code in (spent, unspent):
            bed.db(words(sql, id=session.id, code=handle_of(code).id))
        refused = bed.call(token)
        assert refused.status == 401, refused
        assert bed.get("/userinfo", headers=[("Authorization", "Bearer " + token)]).status == 401
        assert bed.post("/introspect", {"token": token}, headers=[basic("t-drive")]).body == b'{"active":false}'
        assert 'error="invalid_token"' in refused.get("WWW-Authenticate")
        answer = bed.redeem(unspent)
        assert answer.json()["error"] in ("invalid_grant", "invalid_client"), answer
        assert answer.json()["error"] == "invalid_grant" or "client" in sql
    finally:
        if back:
            bed.db(words(back, sub=bed.sub["grace"], drive=bed.drive))
    bed.tokens()        # and afterwards all is well


def test_identity_only_grant_does_not_rest_on_a_resource(bed):
    session = bed.session()
    bed.consent("t-public")
    code = bed.code(session, scope="openid")
    bed.db("UPDATE postern.resource SET disabled_at = now() WHERE name = 'Drive'")
    try:
        assert bed.redeem(code).status == 200
    finally:
        bed.db("UPDATE postern.resource SET disabled_at = NULL")


MACHINE = [
    ("disabled", "UPDATE postern.client SET disabled_at = now() WHERE client_id = 't-machine'",
     "UPDATE postern.client SET disabled_at = NULL", "invalid_client"),
    ("secret changed", "UPDATE postern.client SET client_secret_sha256 = sha256('another') WHERE client_id = 't-machine'",
     "UPDATE postern.client c SET client_secret_sha256 = o.client_secret_sha256 FROM postern.client o"
     " WHERE c.client_id = 't-machine' AND o.client_id = 't-basic'", "invalid_client"),
    ("method changed", "UPDATE postern.client SET token_endpoint_auth_method = 'client_secret_post' WHERE client_id = 't-machine'",
     "UPDATE postern.client SET token_endpoint_auth_method = 'client_secret_basic' WHERE client_id = 't-machine'", "invalid_client"),
    ("scope taken", "UPDATE postern.client SET scope = 'vault.read' WHERE client_id = 't-machine'",
     "UPDATE postern.client SET scope = 'files.read files.write vault.read' WHERE client_id = 't-machine'", "invalid_scope"),
    ("resource disabled", "UPDATE postern.resource SET disabled_at = now() WHERE name = 'Drive'",
     "UPDATE postern.resource SET disabled_at = NULL", "invalid_scope"),
    ("grant type taken", "UPDATE postern.client SET grant_types = '{{}}' WHERE client_id = 't-machine'",
     "UPDATE postern.client SET grant_types = '{{client_credentials}}' WHERE client_id = 't-machine'", "unauthorized_client"),
]


@pytest.mark.parametrize("sql, back, error", [m[1:] for m in MACHINE], ids=["SEC-TOK-06 machine " + m[0] for m in MACHINE])
def test_machine(bed, sql, back, error):
    token = bed.machine(scope="files.read").json()["access_token"]
    assert bed.call(token).status == 200
    bed.db(sql)
    try:
        assert bed.machine(scope="files.read").json()["error"] == error
        if "disabled" in sql or "scope" in sql:
            assert bed.call(token).status == 401
    finally:
        bed.db(back)
    assert bed.call(bed.machine(scope="files.read").json()["access_token"]).status == 200


def test_epoch_of_a_machine(bed):
    """One UPDATE ends every token of a client; new ones are issued."""
    token = bed.machine(scope="files.read").json()["access_token"]
    bed.db("UPDATE postern.client SET epoch = epoch + 1 WHERE client_id = 't-machine'")
    assert bed.call(token).status == 401
    assert bed.call(bed.machine(scope="files.read").json()["access_token"]).status == 200


def test_authorize_sees_changes(bed):
    session = bed.session()
    bed.consent("t-public")
    steps = [   # SQL, then what the next request gives
        ("UPDATE postern.client SET redirect_uris = '{{https://other.example/}}' WHERE client_id = 't-public'", None),
        ("UPDATE postern.client SET redirect_uris = ARRAY['" + CB + "'] WHERE client_id = 't-public'", "code"),
        ("UPDATE postern.client SET scope = 'openid' WHERE client_id = 't-public'", "invalid_scope"),
        ("UPDATE postern.client SET scope = 'openid files.read' WHERE client_id = 't-public'", "code"),
        ("UPDATE postern.client SET disabled_at = now() WHERE client_id = 't-public'", None),
        ("UPDATE postern.client SET disabled_at = NULL WHERE client_id = 't-public'", "code"),
        ("UPDATE postern.client SET grant_types = '{{}}', response_types = '{{}}' WHERE client_id = 't-public'", "unauthorized_client"),
        ("UPDATE postern.client SET grant_types = '{{authorization_code}}', response_types = '{{code}}' WHERE client_id = 't-public'", "code"),
        ("UPDATE postern.resource SET disabled_at = now() WHERE name = 'Drive'", "invalid_scope"),
        ("UPDATE postern.resource SET disabled_at = NULL", "code"),
        ("UPDATE postern.account SET disabled_at = now() WHERE login_name = 'grace'", "login_required"),
        ("UPDATE postern.account SET disabled_at = NULL", "code"),
        ("UPDATE postern.account SET epoch = epoch + 1 WHERE login_name = 'grace'", "login_required"),
    ]
    try:
        for sql, outcome in steps:
            bed.db(sql)
            answer = bed.get("/authorize", bed.authorization(prompt="none"), session)
            if outcome is None:
                assert answer.status == 400 and answer.location is None, (sql, answer)
            else:
                got = answer.query()
                assert ("code" in got) == (outcome == "code") and got.get("error", "code") == outcome, (sql, got)
    finally:
        bed.prepare()


def test_session_ends_by_idleness_and_age(bed):
    """SEC-SESS-05, CVE-2022-37186: the row decides, on each request and in each process."""
    for sql in ("UPDATE postern.session SET last_seen_at = now() - interval '25 hours' WHERE id = {}",
                "UPDATE postern.session SET expires_at = now() - interval '1 second' WHERE id = {}"):
        session = bed.session()
        assert bed.get("/account", cookie=session).status == 200
        bed.db(sql, session.id)
        assert bed.get("/account", cookie=session).status == 303


def test_new_key_signs_and_a_retired_one_is_refused(bed):
    """A key that is retired ends its tokens on the next request, cached or not."""
    token = bed.machine(scope="files.read").json()["access_token"]
    kid = jwt.read(token)[0]["kid"]
    assert bed.call(token).status == 200
    bed.db("UPDATE postern.signing_key SET retired_at = now() WHERE kid = {}", kid)
    try:
        assert bed.call(token).status == 401
        answer = bed.machine(scope="files.read")
        assert answer.status == 500 and answer.json()["error"] == "server_error"     # there is no other ES256 key
    finally:
        bed.db("UPDATE postern.signing_key SET retired_at = NULL WHERE kid = {}", kid)
    assert bed.call(token).status == 200
    bed.works()


def test_issuer_name_is_shown_at_once_or_soon(bed):
    """Claims come from the row, each time."""
    bed.db("UPDATE postern.issuer SET access_token_lifetime = '61 seconds'")
    try:
        assert bed.machine(scope="files.read").json()["expires_in"] == 61
    finally:
        bed.db("UPDATE postern.issuer SET access_token_lifetime = DEFAULT")
