-- peer.sql: one client that may do everything, and 64 logins with consent given.
-- psql variable: issuer.  Prints a Cookie header's value a line.

INSERT INTO postern.issuer (url, name) VALUES (:'issuer', 'Bench');
INSERT INTO postern.resource (resource, name, access_token_format)
VALUES (:'issuer' || '/api', 'API', 'jwt'), (:'issuer' || '/opaque', 'Opaque', 'opaque');
INSERT INTO postern.scope (scope, resource, title)
VALUES ('api', :'issuer' || '/api', 'Use the API'), ('opaque', :'issuer' || '/opaque', 'Use it by reference');
INSERT INTO postern.client (client_id, client_name, redirect_uris, grant_types, scope, token_endpoint_auth_method,
    client_secret_sha256, id_token_signed_response_alg)
VALUES ('bench', 'Bench', '{https://rp.example/cb}', '{authorization_code,refresh_token,client_credentials}',
    'openid profile email offline_access api opaque', 'client_secret_basic', sha256('bench-secret-0123456789abcdef'), 'ES256');

INSERT INTO postern.account (login_name, name, email)
SELECT 'person' || i, 'Person ' || i, 'person' || i || '@example.org' FROM generate_series(1, 64) AS i;
INSERT INTO postern.consent (sub, client_id, scope)
SELECT a.sub, 'bench', '{openid,profile,email,offline_access}' FROM postern.account a;

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
