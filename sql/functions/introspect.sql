-- introspect: what a token is worth, told to the client that it was issued to and to
-- the resource server that it is for (RFC 7662).  Nobody else learns anything:
-- outcome is inactive for a stranger as for rubbish (SEC-INTRO-02).
CREATE OR REPLACE FUNCTION postern.introspect(
    p_client_id text, p_auth_method text, p_secret_sha256 bytea,
    p_grant_id uuid, p_token_client_id text, p_jti text, p_scope text, p_audience text, p_expires bigint, p_kid text,
    p_sealed bytea, p_key_id uuid, p_key_sha256 bytea,
    OUT outcome text, OUT issuer text, OUT token_type text, OUT client_id text, OUT sub text, OUT username text,
    OUT scope text, OUT audience text, OUT expires bigint, OUT jti text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    t record;
BEGIN
    SELECT i.url INTO introspect.issuer FROM postern.live_client l CROSS JOIN postern.issuer i
     WHERE l.client_id = p_client_id AND l.token_endpoint_auth_method = p_auth_method AND p_auth_method <> 'none'
       AND l.client_secret_sha256 = p_secret_sha256;
    IF NOT FOUND THEN
        outcome := 'invalid_client';
        RETURN;
    END IF;
    outcome := 'inactive';
    SELECT * INTO t FROM postern.presented_token(p_grant_id, p_token_client_id, p_jti, p_scope, p_audience, p_expires, p_kid,
        p_sealed, p_key_id, p_key_sha256);
    IF t.sub IS NOT NULL THEN
        IF t.client_id IS DISTINCT FROM p_client_id AND NOT EXISTS (
            SELECT FROM postern.live_resource r WHERE r.resource = t.audience AND r.client_id = p_client_id) THEN
            RETURN;
        END IF;
        token_type := 'Bearer';
    ELSE
        SELECT l.client_id, l.sub::text AS sub, array_to_string(l.scope, ' ') AS scope, NULL::text AS audience,
               floor(extract(epoch FROM l.refresh_expires_at))::bigint AS expires, NULL::text AS jti
          INTO t FROM postern.live_refresh_token(p_sealed) l WHERE l.client_id = p_client_id;
        IF NOT FOUND THEN
            RETURN;
        END IF;
    END IF;
    outcome := 'active';
    client_id := t.client_id;
    sub := t.sub;
    scope := t.scope;
    audience := t.audience;
    expires := t.expires;
    jti := t.jti;
    -- A client's own access has no account; no client_id looks like a sub (a constraint).
    IF sub ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
        username := (SELECT a.login_name FROM postern.live_account a WHERE a.sub = introspect.sub::uuid);
    END IF;
END
$$;
