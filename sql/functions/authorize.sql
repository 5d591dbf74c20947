-- authorize: the one decision of the browser flow (RFC 6749 section 4.1.1, OpenID
-- Connect Core section 3.1.2).

-- Is a presented redirect URI one of the registered?  Byte by byte; only the port
-- of a loopback address is free (RFC 8252 section 7.3).
CREATE OR REPLACE FUNCTION postern.redirect_uri_matches(p_registered text[], p_presented text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_port constant text := '^(http://(?:127\.0\.0\.1|\[::1\])):[1-9][0-9]{0,4}(?=[/?]|$)';
BEGIN
    IF p_presented = ANY (p_registered) THEN
        RETURN true;
    END IF;
    IF p_presented !~ v_port THEN
        RETURN false;
    END IF;
    IF substring(p_presented FROM '^http://[^/?]*:([0-9]+)')::integer > 65535 THEN
        RETURN false;
    END IF;
    RETURN EXISTS (
        SELECT FROM unnest(p_registered) AS u(uri)
        WHERE u.uri ~ '^http://(127\.0\.0\.1|\[::1\])(:|/|\?|$)'
          AND regexp_replace(u.uri, '^(http://(?:127\.0\.0\.1|\[::1\])):[0-9]+', '\1') =
              regexp_replace(p_presented, v_port, '\1'));
END
$$;

-- Where the answer goes: the presented URI if it is registered, the only registered
-- one if none is presented (RFC 6749 section 3.1.2.3), else NULL.
CREATE OR REPLACE FUNCTION postern.answer_uri(p_registered text[], p_presented text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN CASE
    WHEN p_presented IS NULL AND cardinality(p_registered) = 1 THEN p_registered[1]
    WHEN p_presented = ANY (p_registered) THEN p_presented
    WHEN postern.redirect_uri_matches(p_registered, p_presented) THEN p_presented END;

-- Where may an error be reported?  outcome: ok, unknown_client, unregistered_redirect_uri.
CREATE OR REPLACE FUNCTION postern.authorize_client(
    p_client_id text, p_redirect_uri text,
    OUT outcome text, OUT issuer text, OUT redirect_uri text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    SELECT i.url, postern.answer_uri(c.redirect_uris, p_redirect_uri)
      INTO authorize_client.issuer, authorize_client.redirect_uri
      FROM postern.live_client c CROSS JOIN postern.issuer i WHERE c.client_id = p_client_id AND i.only_row;
    outcome := CASE WHEN NOT FOUND THEN 'unknown_client'
                    WHEN redirect_uri IS NULL THEN 'unregistered_redirect_uri' ELSE 'ok' END;
END
$$;

-- Decide one authorization request.  Outcomes:
--   ok                         a code was issued
--   login, consent             send the person there
--   login_required, consent_required, access_denied, unauthorized_client,
--   invalid_scope, invalid_target, invalid_request_pkce
--                              report to the client at redirect_uri
--   unknown_client, unregistered_redirect_uri
--                              show a page
-- (The row is of a type with a name: OUT parameters beside so many others are looked up in
-- the catalog at each call, twice, which costs what reading a row does.)
CREATE OR REPLACE VIEW postern.authorize_answer AS
SELECT NULL::text AS outcome, NULL::text AS issuer, NULL::text AS redirect_uri;

CREATE OR REPLACE FUNCTION postern.authorize(
    p_client_id text, p_redirect_uri text, p_scope text, p_resource text,
    p_code_challenge text, p_nonce text,
    p_prompt_none boolean, p_prompt_login boolean, p_prompt_consent boolean, p_max_age bigint,
    p_query text, p_query_sha256 bytea,
    p_session_id uuid, p_session_sha256 bytea,
    p_consent_id uuid, p_consent_sha256 bytea,
    p_new_id uuid, p_code_sha256 bytea, p_request_sha256 bytea) RETURNS postern.authorize_answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    a            postern.authorize_answer;
    c            record;
    w            postern.resolved_scope;
    s            record;
    v_consent_id uuid;
    v_consented  boolean;
    v_decision   text;
BEGIN
    SELECT l.grant_types, l.response_types, l.profile, l.consent, l.token_endpoint_auth_method, l.epoch, l.scope,
           postern.answer_uri(l.redirect_uris, p_redirect_uri) AS redirect_uri
      INTO c FROM postern.live_client l WHERE l.client_id = p_client_id;
    IF NOT FOUND THEN
        a.outcome := 'unknown_client';
        RETURN a;
    END IF;
    a.issuer := (SELECT i.url FROM postern.issuer i WHERE i.only_row);
    a.redirect_uri := c.redirect_uri;
    IF a.redirect_uri IS NULL THEN
        a.outcome := 'unregistered_redirect_uri';
        RETURN a;
    END IF;
    IF NOT 'authorization_code' = ANY (c.grant_types) OR NOT 'code' = ANY (c.response_types) THEN
        a.outcome := 'unauthorized_client';
        RETURN a;
    END IF;
    -- RFC 9700 section 2.1.1; only an old confidential client may go without.
    IF p_code_challenge IS NULL AND (c.profile <> 'oidc-classic' OR c.token_endpoint_auth_method = 'none') THEN
        a.outcome := 'invalid_request_pkce';
        RETURN a;
    END IF;
    w := postern.resolve_scope(c.scope, p_scope, p_resource, true);
    IF w.outcome <> 'ok' THEN
        a.outcome := w.outcome;
        RETURN a;
    END IF;

    -- A login made for this very request satisfies prompt=login and max_age.
    SELECT l.id, l.sub, l.account_epoch, l.auth_time, l.login_for, l.last_seen_at, l.expires_at,
           p_prompt_login OR l.auth_time < now() - make_interval(secs => p_max_age) AS uses_login
      INTO s FROM postern.live_session l
     WHERE l.id = p_session_id AND l.secret_sha256 = p_session_sha256
       AND (l.login_for = p_query_sha256
            OR (NOT p_prompt_login
                AND (p_max_age IS NULL OR l.auth_time >= now() - make_interval(secs => p_max_age))));
    IF NOT FOUND THEN
        a.outcome := CASE WHEN p_prompt_none THEN 'login_required' ELSE 'login' END;
        RETURN a;
    END IF;

    SELECT t.id, t.scope @> w.scope INTO v_consent_id, v_consented
      FROM postern.consent t WHERE t.sub = s.sub AND t.client_id = p_client_id;
    IF c.consent = 'implied' AND v_consented IS NOT TRUE THEN
        SELECT r.id, true INTO v_consent_id, v_consented FROM postern.record_consent(s.sub, p_client_id, w.scope) r;
    END IF;
    IF p_prompt_consent OR v_consented IS NOT TRUE OR p_consent_id IS NOT NULL THEN
        -- What the person has decided about this very request, once.
        DELETE FROM postern.authorization_request r
         WHERE r.id = p_consent_id AND r.secret_sha256 = p_consent_sha256 AND r.session_id = s.id
           AND r.query = p_query AND r.decision IS NOT NULL AND r.expires_at > now()
        RETURNING r.decision INTO v_decision;
        IF v_decision = 'deny' THEN
            a.outcome := 'access_denied';
            RETURN a;
        END IF;
        IF v_consented IS NOT TRUE OR (p_prompt_consent AND v_decision IS NULL) THEN
            IF p_prompt_none THEN
                a.outcome := 'consent_required';
                RETURN a;
            END IF;
            -- Bounded per session: the oldest of too many make room.
            DELETE FROM postern.authorization_request r WHERE r.id IN (
                SELECT o.id FROM postern.authorization_request o WHERE o.session_id = s.id
                ORDER BY o.expires_at DESC OFFSET 19);
            INSERT INTO postern.authorization_request
                (id, secret_sha256, session_id, client_id, redirect_uri, query, scope, expires_at)
            VALUES (p_new_id, p_request_sha256, s.id, p_client_id, a.redirect_uri, p_query, w.scope,
                now() + interval '10 minutes');
            a.outcome := 'consent';
            RETURN a;
        END IF;
    END IF;

    IF s.login_for IS NOT NULL OR s.last_seen_at < now() - interval '1 minute' THEN
        UPDATE postern.session t SET login_for = NULL, last_seen_at = now()
         WHERE t.id = s.id AND t.login_for IS NOT DISTINCT FROM s.login_for;
        -- The same request at the same moment was faster, and a login is used once.
        IF NOT FOUND AND s.uses_login THEN
            a.outcome := CASE WHEN p_prompt_none THEN 'login_required' ELSE 'login' END;
            RETURN a;
        END IF;
    END IF;
    INSERT INTO postern.authorization_grant
        (id, client_id, client_epoch, sub, account_epoch, consent_id, session_id, scope, resource,
         code_sha256, redirect_uri, code_challenge, nonce, auth_time, code_expires_at, offline, expires_at)
    SELECT p_new_id, p_client_id, c.epoch, s.sub, s.account_epoch, v_consent_id, s.id, w.scope, w.resource,
        p_code_sha256, p_redirect_uri, p_code_challenge, p_nonce, s.auth_time, now() + i.code_lifetime,
        'offline_access' = ANY (w.scope),
        -- No token of this grant lives longer.
        CASE WHEN NOT 'refresh_token' = ANY (c.grant_types)
             THEN now() + i.code_lifetime + coalesce(w.access_token_lifetime, i.access_token_lifetime)
             WHEN 'offline_access' = ANY (w.scope) THEN now() + i.refresh_token_lifetime
             ELSE least(s.expires_at, now() + i.refresh_token_lifetime) END
      FROM postern.issuer i WHERE i.only_row;
    a.outcome := 'ok';
    RETURN a;
END
$$;
