-- token: codes and client credentials become claims; token itself only signs them.

-- Redeem a code (RFC 6749 section 4.1.3, RFC 7636 section 4.6).  p_challenge is what
-- the verifier comes to.  Outcomes: ok, invalid_client, and for the log: unknown,
-- expired, replayed, wrong_client, wrong_redirect_uri, wrong_verifier, ended.
--
-- One conditional statement decides, so that of any number of redemptions one
-- wins.  The second one, with a fresh view of the row, finds out why the others
-- did not; a replay revokes the grant, and that is committed.
CREATE FUNCTION postern.redeem_code(
    p_client_id text, p_auth_method text, p_secret_sha256 bytea,
    p_grant_id uuid, p_code_sha256 bytea, p_redirect_uri text, p_challenge text,
    OUT outcome text, OUT issuer text, OUT issued_at bigint, OUT access_token_seconds bigint,
    OUT id_token_seconds bigint, OUT sub text, OUT scope text, OUT audience text, OUT nonce text,
    OUT auth_time bigint, OUT session_id text, OUT access_kid text, OUT id_kid text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c record;
    g record;
BEGIN
    SELECT l.profile, l.id_token_signed_response_alg AS alg, i.url, i.access_token_lifetime, i.id_token_lifetime
      INTO c FROM postern.live_client l CROSS JOIN postern.issuer i
     WHERE l.client_id = p_client_id AND l.token_endpoint_auth_method = p_auth_method
       AND (p_auth_method = 'none' OR l.client_secret_sha256 = p_secret_sha256)
       AND 'authorization_code' = ANY (l.grant_types);
    IF NOT FOUND THEN
        outcome := 'invalid_client';
        RETURN;
    END IF;
    UPDATE postern.authorization_grant t SET redeemed_at = now()
     WHERE t.id = p_grant_id AND t.code_sha256 = p_code_sha256 AND t.client_id = p_client_id
       AND t.redeemed_at IS NULL AND t.code_expires_at > clock_timestamp()
       AND t.code_challenge IS NOT DISTINCT FROM p_challenge
       AND (t.redirect_uri IS NOT DISTINCT FROM p_redirect_uri
            -- OAuth 2.1 no longer sends it here: the challenge binds the request.
            OR (p_redirect_uri IS NULL AND c.profile = 'oauth2.1' AND t.code_challenge IS NOT NULL))
       AND EXISTS (SELECT FROM postern.live_grant l WHERE l.id = t.id)
    RETURNING t.sub, t.scope, t.resource, t.nonce, t.auth_time, t.session_id INTO g;
    IF FOUND THEN
        outcome := 'ok';
        issuer := c.url;
        issued_at := floor(extract(epoch FROM now()));
        access_token_seconds := extract(epoch FROM coalesce(
            (SELECT r.access_token_lifetime FROM postern.live_resource r WHERE r.resource = g.resource), c.access_token_lifetime));
        id_token_seconds := extract(epoch FROM c.id_token_lifetime);
        sub := g.sub;
        scope := array_to_string(g.scope, ' ');
        audience := coalesce(g.resource, c.url);
        nonce := g.nonce;
        auth_time := floor(extract(epoch FROM g.auth_time));
        session_id := g.session_id;
        access_kid := postern.current_kid('ES256');
        id_kid := postern.current_kid(c.alg);
        RETURN;
    END IF;

    UPDATE postern.authorization_grant t SET revoked_at = now(), revoked_because = 'code replayed'
     WHERE t.id = p_grant_id AND t.code_sha256 = p_code_sha256 AND t.redeemed_at IS NOT NULL AND t.revoked_at IS NULL;
    SELECT CASE
        WHEN t.redeemed_at IS NOT NULL THEN 'replayed'
        WHEN t.client_id <> p_client_id THEN 'wrong_client'
        WHEN t.code_expires_at <= clock_timestamp() THEN 'expired'
        WHEN t.code_challenge IS DISTINCT FROM p_challenge THEN 'wrong_verifier'
        WHEN t.redirect_uri IS DISTINCT FROM p_redirect_uri THEN 'wrong_redirect_uri'
        ELSE 'ended' END
      INTO outcome FROM postern.authorization_grant t WHERE t.id = p_grant_id AND t.code_sha256 = p_code_sha256;
    IF NOT FOUND THEN
        outcome := 'unknown';
    END IF;
END
$$;

-- The client's own access (RFC 6749 section 4.4).  Outcomes: ok, invalid_client,
-- unauthorized_client, invalid_scope, invalid_target.
--
-- The grant is one row per client and epoch, made when it is first used: its id is
-- computed from both, so that the usual request only reads.
CREATE FUNCTION postern.client_credentials(
    p_client_id text, p_auth_method text, p_secret_sha256 bytea, p_scope text, p_resource text,
    OUT outcome text, OUT issuer text, OUT issued_at bigint, OUT access_token_seconds bigint,
    OUT grant_id text, OUT scope text, OUT audience text, OUT access_kid text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c       record;
    v_scope record;
    v_id    uuid;
BEGIN
    SELECT l.grant_types, l.scope, l.epoch, i.url, i.access_token_lifetime
      INTO c FROM postern.live_client l CROSS JOIN postern.issuer i
     WHERE l.client_id = p_client_id AND l.token_endpoint_auth_method = p_auth_method
       AND l.client_secret_sha256 = p_secret_sha256;
    IF NOT FOUND THEN
        outcome := 'invalid_client';
        RETURN;
    END IF;
    IF NOT 'client_credentials' = ANY (c.grant_types) THEN
        outcome := 'unauthorized_client';
        RETURN;
    END IF;
    SELECT * INTO v_scope FROM postern.resolve_scope(c.scope, p_scope, p_resource, false);
    IF v_scope.outcome <> 'ok' THEN
        outcome := v_scope.outcome;
        RETURN;
    END IF;
    v_id := encode(substr(sha256(convert_to(p_client_id || ' ' || c.epoch, 'UTF8')), 1, 16), 'hex')::uuid;
    IF NOT EXISTS (SELECT FROM postern.live_grant l WHERE l.id = v_id) THEN
        INSERT INTO postern.authorization_grant (id, client_id, client_epoch, scope, expires_at)
        VALUES (v_id, p_client_id, c.epoch, '{}', 'infinity') ON CONFLICT (id) DO NOTHING;
        IF NOT EXISTS (SELECT FROM postern.live_grant l WHERE l.id = v_id) THEN
            outcome := 'unauthorized_client';   -- it was revoked by hand
            RETURN;
        END IF;
    END IF;
    outcome := 'ok';
    issuer := c.url;
    issued_at := floor(extract(epoch FROM now()));
    access_token_seconds := extract(epoch FROM coalesce(
        (SELECT r.access_token_lifetime FROM postern.live_resource r WHERE r.resource = v_scope.resource), c.access_token_lifetime));
    grant_id := v_id;
    scope := array_to_string(v_scope.scope, ' ');
    audience := v_scope.resource;
    access_kid := postern.current_kid('ES256');
END
$$;
