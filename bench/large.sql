-- large.sql: what a large installation has beside the rows of postern.sql.
-- psql variable: rows
--
-- That many accounts with a consent and a live grant each; as many expired grants,
-- expired logins and expired revocations, which nothing has swept.

SET synchronous_commit = off;

INSERT INTO postern.account (sub, login_name, name, email)
SELECT md5('account ' || i)::uuid, 'member' || i, 'Member ' || i, 'member' || i || '@example.org'
  FROM generate_series(1, :rows) AS i;

INSERT INTO postern.consent (sub, client_id, id, scope)
SELECT md5('account ' || i)::uuid, 'keeper', md5('consent ' || i)::uuid, '{openid,offline_access,files.read}'
  FROM generate_series(1, :rows) AS i;

INSERT INTO postern.authorization_grant (id, client_id, client_epoch, sub, account_epoch, consent_id, scope, resource,
    code_sha256, redirect_uri, auth_time, code_expires_at, redeemed_at, expires_at, offline, refresh_generation, refreshed_at)
SELECT md5(k.kind || ' grant ' || i)::uuid, 'keeper', 0, md5('account ' || i)::uuid, 0, md5('consent ' || i)::uuid,
       '{openid,offline_access,files.read}', (SELECT r.resource FROM postern.resource r WHERE r.name = 'Files'),
       sha256(int8send(i)), 'http://localhost/callback', now(), now(), now(), now() + k.lives, true, 1, now()
  FROM (VALUES ('live', interval '1 day'), ('expired', interval '-1 day')) AS k(kind, lives), generate_series(1, :rows) AS i;

INSERT INTO postern.session (id, secret_sha256, sub, account_epoch, expires_at)
SELECT md5('session ' || i)::uuid, sha256(int8send(i)), md5('account ' || i)::uuid, 0, now() - interval '1 day'
  FROM generate_series(1, :rows) AS i;

INSERT INTO postern.revoked_token (jti, expires_at)
SELECT md5('token ' || i), now() - interval '1 day' FROM generate_series(1, :rows) AS i;

RESET synchronous_commit;
VACUUM ANALYZE;
CHECKPOINT;
