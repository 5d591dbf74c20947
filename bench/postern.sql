-- postern.sql: what Postern is measured with.  psql variable: issuer
--
-- 64 people with a login and known consents, a public client that connects them
-- (PKCE), a confidential one that stays connected, a daemon that asks as itself and as
-- the resource server, and two protected resources: Files with JWTs, Vault with opaque
-- tokens.  Prints the session cookies, one a line.

INSERT INTO postern.issuer (url, name) VALUES (:'issuer', 'Bench');

INSERT INTO postern.client (client_id, client_name, redirect_uris, grant_types, response_types, scope,
    token_endpoint_auth_method, client_secret_sha256, id_token_signed_response_alg)
VALUES
    ('app', 'App', '{http://localhost/callback}', '{authorization_code}', '{code}',
     'openid files.read vault.read', 'none', NULL, 'ES256'),
    ('keeper', 'Keeper', '{http://localhost/callback}', '{authorization_code,refresh_token}', '{code}',
     'openid offline_access files.read', 'client_secret_basic', sha256('secret'), 'ES256'),
    ('daemon', 'Daemon', '{}', '{client_credentials}', '{}', 'files.read', 'client_secret_basic', sha256('secret'), 'ES256');

-- A token that the load presents lives as long as any run.
INSERT INTO postern.resource (resource, name, access_token_lifetime, access_token_format, client_id)
VALUES (:'issuer' || '/files', 'Files', '1 day', 'jwt', 'daemon'), (:'issuer' || '/vault', 'Vault', '1 day', 'opaque', 'daemon');
INSERT INTO postern.scope (scope, resource, title)
VALUES ('files.read', :'issuer' || '/files', 'See your files'), ('vault.read', :'issuer' || '/vault', 'See your vault');

INSERT INTO postern.account (login_name, name, email)
SELECT 'person' || i, 'Person ' || i, 'person' || i || '@example.org' FROM generate_series(1, 64) AS i;
INSERT INTO postern.consent (sub, client_id, scope)
SELECT a.sub, c.client_id, string_to_array(c.scope, ' ') FROM postern.account a CROSS JOIN postern.client c
 WHERE c.client_id <> 'daemon';

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
