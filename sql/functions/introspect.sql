-- introspect: what a token is worth, told to the client that it was issued to and to
-- the resource server that it is for (RFC 7662).  Nobody else learns anything:
-- outcome is inactive for a stranger as for rubbish (SEC-INTRO-02).
CREATE OR REPLACE FUNCTION postern.introspect(
    p_client_id text, p_auth_method text, p_secret_sha256 bytea,
    p_grant_id uuid, p_token_client_id text, p_jti text, p_scope text, p_audience text, p_expires bigint, p_kid text,
    p_sealed bytea, p_key_id uuid, p_key_sha256 bytea,
    OUT outcome text, OUT issuer text, OUT token_type text, OUT client_id text, OUT sub text, OUT username text,
    OUT scope text, OUT audience text, OUT expires bigint, OUT jti text, OUT basis postern.basis)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    t         postern.presented;
    v_account uuid;
BEGIN
    PERFORM FROM postern.live_client l
      WHERE l.client_id = p_client_id AND l.token_endpoint_auth_method = p_auth_method AND p_auth_method <> 'none'
        AND l.client_secret_sha256 = p_secret_sha256;
    IF NOT FOUND THEN
        outcome := 'invalid_client';
        RETURN;
    END IF;
    outcome := 'inactive';
    t := postern.presented_token(p_grant_id, p_token_client_id, p_jti, p_scope, p_audience, p_expires, p_kid,
        p_sealed, p_key_id, p_key_sha256);
    IF t.sub IS NOT NULL THEN
        IF t.client_id IS DISTINCT FROM p_client_id THEN
            PERFORM FROM postern.live_resource r WHERE r.resource = t.audience AND r.client_id = p_client_id;
            IF NOT FOUND THEN
                RETURN;
            END IF;
        END IF;
        token_type := 'Bearer';
        client_id := t.client_id;
        sub := t.sub;
        scope := t.scope;
        audience := t.audience;
        expires := t.expires;
        jti := t.jti;
        basis := t.basis;
        v_account := t.account;
    ELSE
        SELECT l.client_id, l.sub, l.sub, array_to_string(l.scope, ' '), floor(date_part('epoch', l.refresh_expires_at))
          INTO introspect.client_id, introspect.sub, v_account, introspect.scope, introspect.expires
          FROM postern.live_refresh_token(p_sealed) l WHERE l.client_id = p_client_id;
        IF NOT FOUND THEN
            RETURN;
        END IF;
    END IF;
    outcome := 'active';
    issuer := (SELECT i.url FROM postern.issuer i);
    IF v_account IS NOT NULL THEN
        username := (SELECT a.login_name FROM postern.live_account a WHERE a.sub = v_account);
    END IF;
END
$$;
