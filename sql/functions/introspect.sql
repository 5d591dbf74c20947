-- introspect: what a token is worth, told to the client that it was issued to and to
-- the resource server that it is for (RFC 7662).  Nobody else learns anything:
-- outcome is inactive for a stranger as for rubbish (SEC-INTRO-02).
CREATE OR REPLACE VIEW postern.introspect_answer AS
SELECT NULL::text AS outcome, NULL::text AS issuer, NULL::text AS token_type, NULL::text AS client_id, NULL::text AS sub,
       NULL::text AS username, NULL::text AS scope, NULL::text AS audience, NULL::bigint AS expires, NULL::text AS jti,
       NULL::postern.basis AS basis;

CREATE OR REPLACE FUNCTION postern.introspect(
    p_client_id text, p_auth_method text, p_secret_sha256 bytea,
    p_grant_id uuid, p_token_client_id text, p_jti text, p_scope text, p_audience text, p_expires bigint, p_kid text,
    p_sealed bytea, p_key_id uuid, p_key_sha256 bytea) RETURNS postern.introspect_answer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    a         postern.introspect_answer;
    t         postern.presented;
    v_account uuid;
BEGIN
    PERFORM FROM postern.live_client l
      WHERE l.client_id = p_client_id AND l.token_endpoint_auth_method = p_auth_method AND p_auth_method <> 'none'
        AND l.client_secret_sha256 = p_secret_sha256;
    IF NOT FOUND THEN
        a.outcome := 'invalid_client';
        RETURN a;
    END IF;
    t := postern.presented_token(p_grant_id, p_token_client_id, p_jti, p_scope, p_audience, p_expires, p_kid,
        p_sealed, p_key_id, p_key_sha256);
    IF t.sub IS NOT NULL THEN
        IF t.client_id IS DISTINCT FROM p_client_id THEN
            PERFORM FROM postern.live_resource r WHERE r.resource = t.audience AND r.client_id = p_client_id;
            IF NOT FOUND THEN
                a.outcome := 'inactive';
                RETURN a;
            END IF;
        END IF;
        a := ROW(NULL, NULL, 'Bearer'::text, t.client_id, t.sub, NULL, t.scope, t.audience, t.expires, t.jti, t.basis)::postern.introspect_answer;
        v_account := t.account;
    ELSE
        SELECT l.client_id, l.sub, array_to_string(l.scope, ' '), floor(date_part('epoch', l.refresh_expires_at))
          INTO a.client_id, v_account, a.scope, a.expires
          FROM postern.live_refresh_token(p_sealed) l WHERE l.client_id = p_client_id;
        IF NOT FOUND THEN
            a.outcome := 'inactive';
            RETURN a;
        END IF;
        a.sub := v_account;
    END IF;
    a.outcome := 'active';
    SELECT i.url INTO a.issuer FROM postern.issuer i WHERE i.only_row;
    IF v_account IS NOT NULL THEN
        SELECT l.login_name INTO a.username FROM postern.live_account l WHERE l.sub = v_account;
    END IF;
    RETURN a;
END
$$;
