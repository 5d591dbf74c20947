-- live.sql: the one gate
--
-- Whether a client, an account's session or a grant may be used is decided here
-- and nowhere else; every function that issues, guards or shows selects from these
-- views.  tests/lint refuses other SQL that reads disabled_at, ended_at or revoked_at.

CREATE OR REPLACE VIEW postern.live_client AS
SELECT c.*
FROM postern.client c
WHERE c.disabled_at IS NULL;

CREATE OR REPLACE VIEW postern.live_account AS
SELECT a.sub, a.login_name, a.name, a.email, a.email_verified, a.password_hash, a.epoch
FROM postern.account a
WHERE a.disabled_at IS NULL;

CREATE OR REPLACE VIEW postern.live_session AS
SELECT s.id, s.secret_sha256, s.sub, s.account_epoch, s.auth_time, s.login_for, s.last_seen_at, s.expires_at,
       s.address, s.user_agent, a.login_name, a.name, a.email
FROM postern.session s
JOIN postern.live_account a ON a.sub = s.sub AND a.epoch = s.account_epoch
WHERE s.ended_at IS NULL
  AND s.expires_at > now()
  AND s.last_seen_at > now() - (SELECT i.session_idle_lifetime FROM postern.issuer i);

CREATE OR REPLACE VIEW postern.live_resource AS
SELECT r.resource, r.name, r.access_token_lifetime, r.client_id
FROM postern.resource r
WHERE r.disabled_at IS NULL;

-- A grant of a person rests on that person's consent and, unless it is for offline
-- access, on the login that it was made in; a grant of a client rests on the client.  Every grant rests on its
-- client and on the resource that it is for.
CREATE OR REPLACE VIEW postern.live_grant AS
SELECT g.id, g.client_id, g.sub, g.scope, g.resource, g.session_id, g.auth_time, g.nonce, g.expires_at,
       g.refresh_generation, g.refreshed_at, c.id_token_signed_response_alg,
       r.access_token_lifetime, r.access_token_format
FROM postern.authorization_grant g
JOIN postern.client c ON c.client_id = g.client_id AND c.disabled_at IS NULL AND c.epoch = g.client_epoch
LEFT JOIN postern.account a ON a.sub = g.sub AND a.disabled_at IS NULL AND a.epoch = g.account_epoch
LEFT JOIN postern.consent k ON k.sub = g.sub AND k.client_id = g.client_id AND k.id = g.consent_id
LEFT JOIN postern.session s ON s.id = g.session_id AND s.ended_at IS NULL AND s.expires_at > now()
LEFT JOIN postern.resource r ON r.resource = g.resource
WHERE g.revoked_at IS NULL
  AND g.expires_at > now()
  AND r.disabled_at IS NULL
  AND (g.sub IS NULL OR (a.sub IS NOT NULL AND (g.offline OR s.id IS NOT NULL) AND k.scope @> g.scope));

-- An API key rests on its account and on the resource that it is for.
CREATE OR REPLACE VIEW postern.live_api_key AS
SELECT k.id, k.secret_sha256, k.sub, k.name, k.scope, k.resource, k.created_at, k.expires_at, k.last_used_at
FROM postern.api_key k
JOIN postern.live_account a ON a.sub = k.sub AND a.epoch = k.account_epoch
JOIN postern.live_resource r ON r.resource = k.resource
WHERE k.revoked_at IS NULL AND k.expires_at > now();

-- The key that signs with an algorithm now.  A view, because a function in SQL would
-- be planned anew in every transaction that calls it.
CREATE OR REPLACE VIEW postern.current_signing_key AS
SELECT DISTINCT ON (k.alg) k.alg, k.kid
FROM postern.signing_key k
WHERE k.retired_at IS NULL AND k.active_from <= now()
ORDER BY k.alg, k.active_from DESC, k.kid;
