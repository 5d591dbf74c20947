-- token: the private half of the key that a function has just named.  Asked once
-- per key and process.
CREATE OR REPLACE FUNCTION postern.signing_key(p_kid text, OUT alg text, OUT private_key text) RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT k.alg, k.private_key FROM postern.signing_key k WHERE k.kid = p_kid AND k.retired_at IS NULL $$;

-- guard, introspect, revoke, userinfo, logout: the public half.
CREATE OR REPLACE FUNCTION postern.verification_key(p_kid text, OUT public_jwk text) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT k.public_jwk::text FROM postern.signing_key k WHERE k.kid = p_kid AND k.retired_at IS NULL $$;
