-- revoke: a client gives back what it was issued (RFC 7009).  outcome: ok (also for
-- what is unknown or another client's), invalid_client.
CREATE OR REPLACE FUNCTION postern.revoke(
    p_client_id text, p_auth_method text, p_secret_sha256 bytea,
    p_grant_id uuid, p_token_client_id text, p_jti text, p_scope text, p_audience text, p_expires bigint, p_kid text,
    p_sealed bytea,
    OUT outcome text, OUT what text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_payload   bytea;
    v_grant_id  uuid := p_grant_id;
    v_client_id text := p_token_client_id;
    v_jti       text := p_jti;
    v_expires   bigint := p_expires;
BEGIN
    IF NOT EXISTS (SELECT FROM postern.live_client l
                    WHERE l.client_id = p_client_id AND l.token_endpoint_auth_method = p_auth_method
                      AND (p_auth_method = 'none' OR l.client_secret_sha256 = p_secret_sha256)) THEN
        outcome := 'invalid_client';
        RETURN;
    END IF;
    outcome := 'ok';
    what := 'nothing';
    -- An access token that is ours is put down whether or not it is worth something now:
    -- what is disabled can be enabled again, what was revoked must not come back.
    v_payload := postern.unseal('access token', p_sealed);
    IF octet_length(v_payload) = 48 THEN        -- as opaque_token lays it out
        v_grant_id := postern.payload_uuid(v_payload, 1);
        SELECT g.client_id INTO v_client_id FROM postern.authorization_grant g WHERE g.id = v_grant_id;
        v_expires := postern.payload_integer(v_payload, 17);
        v_jti := encode(substr(v_payload, 33, 16), 'hex');
    END IF;
    IF v_jti IS NOT NULL THEN
        IF v_client_id = p_client_id AND v_grant_id IS NOT NULL AND v_expires > extract(epoch FROM clock_timestamp()) THEN
            INSERT INTO postern.revoked_token (jti, expires_at, grant_id) VALUES (v_jti, to_timestamp(v_expires), v_grant_id)
            ON CONFLICT (jti) DO NOTHING;
            what := 'access token';
        END IF;
        RETURN;
    END IF;
    -- Any generation of a refresh token ends its grant: whoever holds an old one has
    -- no business with the grant either (RFC 7009 section 2.1, SEC-REV-04).
    UPDATE postern.authorization_grant g SET revoked_at = now(), revoked_because = 'revoked by the client'
     WHERE g.id = postern.refresh_token_grant(p_sealed) AND g.client_id = p_client_id AND g.revoked_at IS NULL;
    IF FOUND THEN
        what := 'grant';
    END IF;
END
$$;
