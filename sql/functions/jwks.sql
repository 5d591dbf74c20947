-- jwks: the public keys (RFC 7517), oldest first so that the order is stable.
CREATE FUNCTION postern.jwks(OUT public_jwk text) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT k.public_jwk::text FROM postern.signing_key k WHERE k.retired_at IS NULL ORDER BY k.created_at, k.kid $$;
