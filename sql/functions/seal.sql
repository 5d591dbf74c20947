-- Sealed tokens: ids and a MAC (HMAC-SHA256) that only the database can make and
-- check.  tag, payload, MAC; the kind is in the MAC, so that a token of one kind is
-- none of another (SEC-TOK-03).

CREATE FUNCTION postern.mac(p_inner bytea, p_outer bytea, p_kind text, p_message bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN sha256(p_outer || sha256(p_inner || convert_to(p_kind, 'UTF8') || '\x00' || p_message));

-- As base64url, ready for the client.
CREATE FUNCTION postern.seal(p_kind text, p_payload bytea) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT translate(encode(m.tag || p_payload || postern.mac(m.inner_pad, m.outer_pad, p_kind, m.tag || p_payload), 'base64'), E'+/=\n', '-_')
FROM postern.mac_key m WHERE m.retired_at IS NULL ORDER BY m.created_at DESC LIMIT 1
$$;

-- The payload, or NULL if the seal is not ours.  The digests of both MACs are
-- compared, so that the time it takes says nothing about either.
CREATE FUNCTION postern.unseal(p_kind text, p_sealed bytea) RETURNS bytea
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT substr(p_sealed, 2, octet_length(p_sealed) - 33)
FROM postern.mac_key m
WHERE octet_length(p_sealed) > 33 AND m.tag = substr(p_sealed, 1, 1) AND m.retired_at IS NULL
  AND sha256(postern.mac(m.inner_pad, m.outer_pad, p_kind, substr(p_sealed, 1, octet_length(p_sealed) - 32)))
      = sha256(substr(p_sealed, octet_length(p_sealed) - 31))
$$;

-- Integers in payloads: 8 octets, big-endian.
CREATE FUNCTION postern.payload_integer(p_payload bytea, p_from integer) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN ('x' || encode(substr(p_payload, p_from, 8), 'hex'))::bit(64)::bigint;

CREATE FUNCTION postern.payload_uuid(p_payload bytea, p_from integer) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN encode(substr(p_payload, p_from, 16), 'hex')::uuid;
