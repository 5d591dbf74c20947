-- Sealed tokens: ids and a MAC (HMAC-SHA256) that only the database can make and
-- check.  tag, payload, MAC; the kind is in the MAC, so that a token of one kind is
-- none of another (SEC-TOK-03).
--
-- Functions that are one expression have a standard SQL body: they are bound when
-- they are made and become part of the statement that calls them.  What reads a
-- table is PL/pgSQL, which keeps its plan.
-- (mac is STABLE because convert_to is: a function that promises more than what it
-- calls does not become part of anything and costs several times as much.)
CREATE OR REPLACE FUNCTION postern.mac(p_inner bytea, p_outer bytea, p_kind text, p_message bytea) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN sha256(p_outer || sha256(p_inner || convert_to(p_kind, 'UTF8') || '\x00' || p_message));

-- As base64url, ready for the client.  (translate would take each character apart.)
CREATE OR REPLACE FUNCTION postern.seal(p_kind text, p_payload bytea) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_tag   bytea;
    v_inner bytea;
    v_outer bytea;
BEGIN
    SELECT k.tag, k.inner_pad, k.outer_pad INTO STRICT v_tag, v_inner, v_outer
      FROM postern.mac_key k WHERE k.retired_at IS NULL ORDER BY k.created_at DESC LIMIT 1;
    RETURN rtrim(replace(replace(replace(
        encode(v_tag || p_payload || postern.mac(v_inner, v_outer, p_kind, v_tag || p_payload), 'base64'),
        '+', '-'), '/', '_'), E'\n', ''), '=');
END
$$;

-- The payload, or NULL if the seal is not ours.  The digests of both MACs are
-- compared, so that the time it takes says nothing about either.
CREATE OR REPLACE FUNCTION postern.unseal(p_kind text, p_sealed bytea) RETURNS bytea
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_length integer := octet_length(p_sealed);
    v_inner  bytea;
    v_outer  bytea;
BEGIN
    IF v_length IS NULL OR v_length <= 33 THEN
        RETURN NULL;
    END IF;
    SELECT k.inner_pad, k.outer_pad INTO v_inner, v_outer FROM postern.mac_key k
     WHERE k.tag = substr(p_sealed, 1, 1) AND k.retired_at IS NULL;
    IF FOUND AND sha256(postern.mac(v_inner, v_outer, p_kind, substr(p_sealed, 1, v_length - 32)))
               = sha256(substr(p_sealed, v_length - 31)) THEN
        RETURN substr(p_sealed, 2, v_length - 33);
    END IF;
    RETURN NULL;
END
$$;

-- Integers in payloads: 8 octets, big-endian.
CREATE OR REPLACE FUNCTION postern.payload_integer(p_payload bytea, p_from integer) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ('x' || encode(substr(p_payload, p_from, 8), 'hex'))::bit(64)::bigint;

CREATE OR REPLACE FUNCTION postern.payload_uuid(p_payload bytea, p_from integer) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN encode(substr(p_payload, p_from, 16), 'hex')::uuid;
