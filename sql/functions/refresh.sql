-- Refresh tokens: grant id, generation and a MAC; never stored (RFC 6749 section 6,
-- RFC 9700 section 4.14).

CREATE OR REPLACE FUNCTION postern.refresh_token(p_grant_id uuid, p_generation integer) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN postern.seal('refresh token', uuid_send(p_grant_id) || int4send(p_generation));
END
$$;

-- The grant that a refresh token of any generation names; NULL if it is not ours.
CREATE OR REPLACE FUNCTION postern.refresh_token_grant(p_sealed bytea) RETURNS uuid
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_payload bytea := postern.unseal('refresh token', p_sealed);
BEGIN
    RETURN CASE WHEN octet_length(v_payload) = 20 THEN postern.payload_uuid(v_payload, 1) END;
END
$$;

CREATE OR REPLACE FUNCTION postern.refresh_token_generation(p_sealed bytea) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ('x' || encode(substr(p_sealed, 18, 4), 'hex'))::bit(32)::integer;

-- The live grant of a refresh token that is the current one, and until when it is.
CREATE OR REPLACE FUNCTION postern.live_refresh_token(p_sealed bytea,
    OUT client_id text, OUT sub uuid, OUT scope text[], OUT refresh_expires_at timestamptz)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_id   uuid := postern.refresh_token_grant(p_sealed);
    g      postern.grant_terms;
    v_idle timestamptz;
BEGIN
    IF v_id IS NULL THEN
        RETURN;
    END IF;
    g := postern.live_grant(v_id);
    v_idle := g.refreshed_at + (SELECT i.refresh_token_idle_lifetime FROM postern.issuer i WHERE i.only_row);
    IF g.refresh_generation = postern.refresh_token_generation(p_sealed) AND v_idle > now() THEN
        client_id := g.client_id;
        sub := g.sub;
        scope := g.scope;
        refresh_expires_at := least(g.expires_at, v_idle);
    END IF;
END
$$;
