-- postern.sql: what Postern is measured with.  psql variable: issuer
--
-- 64 people with a login and a known consent each, a public client that connects
-- them (PKCE), a confidential client of its own, and a protected resource.  Prints
-- the session cookies, one a line.

INSERT INTO postern.issuer (url, name) VALUES (:'issuer', 'Bench');
INSERT INTO postern.resource (resource, name, access_token_lifetime)
VALUES (:'issuer' || '/files', 'Files', '1 day');	-- the guarded token lives as long as any run
INSERT INTO postern.scope (scope, resource, title) VALUES ('files.read', :'issuer' || '/files', 'See your files');

INSERT INTO postern.client (client_id, client_name, redirect_uris, grant_types, response_types, scope,
    token_endpoint_auth_method, client_secret_sha256, id_token_signed_response_alg)
VALUES
    ('app', 'App', '{http://localhost/callback}', '{authorization_code}', '{code}', 'openid files.read', 'none', NULL, 'ES256'),
    ('daemon', 'Daemon', '{}', '{client_credentials}', '{}', 'files.read', 'client_secret_basic', sha256('secret'), 'ES256');

INSERT INTO postern.account (login_name) SELECT 'person' || i FROM generate_series(1, 64) AS i;
INSERT INTO postern.consent (sub, client_id, scope) SELECT a.sub, 'app', '{openid,files.read}' FROM postern.account a;

-- A cookie is 48 octets: the row's id and a secret; the row holds the digest of all.
WITH cookie AS (
    SELECT a.sub, h.id, uuid_send(h.id) || sha256(uuid_send(gen_random_uuid())) AS octets
    FROM postern.account a CROSS JOIN LATERAL (SELECT gen_random_uuid() AS id WHERE a.sub IS NOT NULL) h
), session AS (
    INSERT INTO postern.session (id, secret_sha256, sub, account_epoch, expires_at)
    SELECT c.id, sha256(c.octets), c.sub, 0, now() + interval '1 day' FROM cookie c
)
SELECT 'postern_session=' || translate(encode(c.octets, 'base64'), E'+/\n', '-_') FROM cookie c;

ANALYZE;
