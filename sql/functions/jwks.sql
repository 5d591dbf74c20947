-- jwks: the public keys (RFC 7517), oldest first so that the order is stable.
-- PL/pgSQL keeps its plan; a function in SQL would be planned at every call.
CREATE OR REPLACE FUNCTION postern.jwks(OUT public_jwk text) RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT k.public_jwk::text FROM postern.signing_key k WHERE k.retired_at IS NULL ORDER BY k.created_at, k.kid;
END
$$;
