-- token: grants become tokens; token itself only signs.

-- What token signs and sends.  Absent tokens are NULL.  (The shape of a row is a view
-- and not a type: an upgrade can put it in its place.)
CREATE OR REPLACE VIEW postern.token_answer AS
SELECT NULL::text AS outcome, NULL::text AS issuer, NULL::bigint AS issued_at,
       NULL::bigint AS access_token_seconds, NULL::bigint AS id_token_seconds,
       NULL::text AS grant_id, NULL::text AS sub, NULL::text AS scope, NULL::text AS audience,
       NULL::text AS nonce, NULL::bigint AS auth_time, NULL::text AS session_id,
       NULL::text AS access_kid, NULL::text AS id_kid,  -- the keys that sign now
       NULL::text AS access_token,                      -- opaque, when the resource wants it so
       NULL::text AS refresh_token, NULL::postern.basis AS basis;

-- Everything that is issued is issued here, from a grant that is alive; outcome ok
-- or ended.  p_scope is what this token is for, within the grant's.
CREATE OR REPLACE FUNCTION postern.issue(p_grant_id uuid, p_scope text[]) RETURNS postern.token_answer
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    g                 postern.grant_terms := postern.live_grant(p_grant_id);
    a                 postern.token_answer;
    v_issuer          text;
    v_access_lifetime interval;
    v_id_lifetime     interval;
    v_access_kid      text;
    v_id_kid          text;
    v_access_token    text;
    v_refresh_token   text;
BEGIN
    IF g.id IS NULL THEN
        a.outcome := 'ended';
        RETURN a;
    END IF;
    SELECT i.url, coalesce(g.access_token_lifetime, i.access_token_lifetime), i.id_token_lifetime
      INTO v_issuer, v_access_lifetime, v_id_lifetime FROM postern.issuer i WHERE i.only_row;
    IF g.access_token_format = 'opaque' THEN
        v_access_token := postern.opaque_token(g.id, g.scope, p_scope, now() + v_access_lifetime);
    ELSE
        SELECT k.kid INTO v_access_kid FROM postern.current_signing_key k WHERE k.alg = 'ES256';
    END IF;
    IF g.sub IS NOT NULL AND g.id_token_signed_response_alg = 'ES256' THEN
        v_id_kid := v_access_kid;
    END IF;
    IF g.sub IS NOT NULL AND v_id_kid IS NULL AND 'openid' = ANY (p_scope) THEN
        SELECT k.kid INTO v_id_kid FROM postern.current_signing_key k WHERE k.alg = g.id_token_signed_response_alg;
    END IF;
    IF g.refresh_generation IS NOT NULL THEN
        v_refresh_token := postern.refresh_token(g.id, g.refresh_generation);
    END IF;
    RETURN ROW('ok'::text, v_issuer, floor(date_part('epoch', now()))::bigint,
        date_part('epoch', v_access_lifetime)::bigint, date_part('epoch', v_id_lifetime)::bigint,
        g.id::text, coalesce(g.sub::text, g.client_id), array_to_string(p_scope, ' '), coalesce(g.resource, v_issuer),
        g.nonce, floor(date_part('epoch', g.auth_time))::bigint, g.session_id::text,
        v_access_kid, v_id_kid, v_access_token, v_refresh_token, NULL)::postern.token_answer;
END
$$;

-- An opaque access token: the grant, when it ends, which of the grant's scopes it
-- is for (a bit each), and an identifier of its own.
CREATE OR REPLACE FUNCTION postern.opaque_token(p_grant_id uuid, p_granted text[], p_scope text[], p_expires timestamptz) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_mask bigint;
BEGIN
    SELECT coalesce(sum(1::bigint << (w.place::integer - 1)), 0) INTO v_mask
      FROM unnest(p_granted) WITH ORDINALITY AS w(word, place) WHERE w.word = ANY (p_scope) AND w.place <= 62;
    RETURN postern.seal('access token', uuid_send(p_grant_id) || int8send(floor(date_part('epoch', p_expires))::bigint)
        || int8send(v_mask) || uuid_send(gen_random_uuid()));
END
$$;

-- Redeem a code (RFC 6749 section 4.1.3, RFC 7636 section 4.6).  p_challenge is what
-- the verifier comes to.  Outcomes: ok, invalid_client, and for the log: unknown,
-- expired, replayed, wrong_client, wrong_redirect_uri, wrong_verifier, ended.
--
-- One conditional statement decides, so that of any number of redemptions one
-- wins.  The second one, with a fresh view of the row, finds out why the others
-- did not; a replay revokes the grant, and that is committed.
CREATE OR REPLACE FUNCTION postern.redeem_code(
    p_client_id text, p_auth_method text, p_secret_sha256 bytea,
    p_grant_id uuid, p_code_sha256 bytea, p_redirect_uri text, p_challenge text) RETURNS postern.token_answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    a       postern.token_answer;
    c       record;
    v_scope text[];
BEGIN
    SELECT l.profile, l.grant_types
      INTO c FROM postern.live_client l
     WHERE l.client_id = p_client_id AND l.token_endpoint_auth_method = p_auth_method
       AND (p_auth_method = 'none' OR l.client_secret_sha256 = p_secret_sha256);
    IF NOT FOUND OR NOT 'authorization_code' = ANY (c.grant_types) THEN
        a.outcome := CASE WHEN FOUND THEN 'unauthorized_client' ELSE 'invalid_client' END;
        RETURN a;
    END IF;
    UPDATE postern.authorization_grant t
       SET redeemed_at = now(), refreshed_at = now(), refresh_generation = CASE WHEN 'refresh_token' = ANY (c.grant_types) THEN 1 END
     WHERE t.id = p_grant_id AND t.code_sha256 = p_code_sha256 AND t.client_id = p_client_id
       AND t.redeemed_at IS NULL AND t.code_expires_at > clock_timestamp()
       AND t.code_challenge IS NOT DISTINCT FROM p_challenge
       AND (t.redirect_uri IS NOT DISTINCT FROM p_redirect_uri
            -- OAuth 2.1 no longer sends it here: the challenge binds the request.
            OR (p_redirect_uri IS NULL AND c.profile = 'oauth2.1' AND t.code_challenge IS NOT NULL))
    RETURNING t.scope INTO v_scope;
    IF FOUND THEN
        RETURN postern.issue(p_grant_id, v_scope);
    END IF;

    UPDATE postern.authorization_grant t SET revoked_at = now(), revoked_because = 'code replayed'
     WHERE t.id = p_grant_id AND t.code_sha256 = p_code_sha256 AND t.redeemed_at IS NOT NULL AND t.revoked_at IS NULL;
    SELECT CASE
        WHEN t.redeemed_at IS NOT NULL THEN 'replayed'
        WHEN t.client_id <> p_client_id THEN 'wrong_client'
        WHEN t.code_expires_at <= clock_timestamp() THEN 'expired'
        WHEN t.code_challenge IS DISTINCT FROM p_challenge THEN 'wrong_verifier'
        ELSE 'wrong_redirect_uri' END
      INTO a.outcome FROM postern.authorization_grant t WHERE t.id = p_grant_id AND t.code_sha256 = p_code_sha256;
    IF NOT FOUND THEN
        a.outcome := 'unknown';
    END IF;
    RETURN a;
END
$$;

-- Refresh (RFC 6749 section 6; RFC 9700 section 4.14.2).  p_sealed is the token.  Each
-- use makes the next generation.  The one before it may come again for a moment,
-- because replies get lost: it gets the same successor, which need not be stored to
-- be the same.  Anything older is a replay and ends the grant.
--
-- Outcomes: those of redeem_code, invalid_scope and invalid_target.
CREATE OR REPLACE FUNCTION postern.refresh(
    p_client_id text, p_auth_method text, p_secret_sha256 bytea,
    p_sealed bytea, p_scope text, p_resource text) RETURNS postern.token_answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_window     constant interval := '10 seconds';
    v_id         uuid := postern.refresh_token_grant(p_sealed);
    v_generation integer;
    v_wanted     text[] := string_to_array(p_scope, ' ');
    v_scope      text[];
    c            record;
    g            record;
    a            postern.token_answer;
BEGIN
    SELECT l.grant_types, i.refresh_token_idle_lifetime INTO c FROM postern.live_client l CROSS JOIN postern.issuer i
     WHERE i.only_row AND l.client_id = p_client_id AND l.token_endpoint_auth_method = p_auth_method
       AND (p_auth_method = 'none' OR l.client_secret_sha256 = p_secret_sha256);
    IF NOT FOUND OR NOT 'refresh_token' = ANY (c.grant_types) THEN
        a.outcome := CASE WHEN FOUND THEN 'unauthorized_client' ELSE 'invalid_client' END;
        RETURN a;
    END IF;
    IF v_id IS NULL THEN
        a.outcome := 'unknown';
        RETURN a;
    END IF;
    IF p_scope IS NOT NULL AND NOT postern.is_scope_list(p_scope) THEN
        a.outcome := 'invalid_scope';
        RETURN a;
    END IF;
    v_generation := postern.refresh_token_generation(p_sealed);
    UPDATE postern.authorization_grant t SET refresh_generation = t.refresh_generation + 1, refreshed_at = now()
     WHERE t.id = v_id AND t.client_id = p_client_id AND t.refresh_generation = v_generation
       AND t.refreshed_at > clock_timestamp() - c.refresh_token_idle_lifetime
       AND (v_wanted IS NULL OR v_wanted <@ t.scope)
       AND (p_resource IS NULL OR p_resource = t.resource)
    RETURNING t.scope INTO v_scope;
    IF FOUND THEN
        RETURN postern.issue(v_id, coalesce(v_wanted, v_scope));
    END IF;

    LOOP
        SELECT t.client_id, t.refresh_generation, t.refreshed_at, t.scope, t.resource INTO g
          FROM postern.authorization_grant t WHERE t.id = v_id;
        a.outcome := CASE
            WHEN NOT FOUND OR g.refresh_generation < v_generation OR g.refresh_generation IS NULL THEN 'unknown'
            WHEN g.client_id <> p_client_id THEN 'wrong_client'
            WHEN v_wanted IS NOT NULL AND NOT v_wanted <@ g.scope THEN 'invalid_scope'
            WHEN p_resource IS NOT NULL AND p_resource IS DISTINCT FROM g.resource THEN 'invalid_target'
            WHEN g.refresh_generation = v_generation THEN 'expired'
            WHEN g.refresh_generation = v_generation + 1 AND g.refreshed_at > clock_timestamp() - v_window THEN 'again'
            ELSE 'replayed' END;
        EXIT WHEN a.outcome <> 'again';
        a := postern.issue(v_id, coalesce(v_wanted, g.scope));
        -- Was the successor used between the two statements?  Then this is its successor,
        -- and nothing for the holder of a token that is two too old: look again.
        IF a.outcome <> 'ok' OR a.refresh_token = postern.refresh_token(v_id, v_generation + 1) THEN
            RETURN a;
        END IF;
        a := NULL;
    END LOOP;
    IF a.outcome = 'replayed' THEN
        UPDATE postern.authorization_grant t SET revoked_at = now(), revoked_because = 'refresh token replayed'
         WHERE t.id = v_id AND t.revoked_at IS NULL;
    END IF;
    RETURN a;
END
$$;

-- The client's own access (RFC 6749 section 4.4).  Outcomes: ok, invalid_client,
-- unauthorized_client, invalid_scope, invalid_target.
--
-- The grant is one row per client, epoch and scope, made when it is first used: its
-- id is computed from these, so that the usual request only reads.  Its answer may be
-- given again for an hour, unless another key signs before.  What it rests on is read
-- before what it says, so that no change can fall between the two.
CREATE OR REPLACE FUNCTION postern.client_credentials(
    p_client_id text, p_auth_method text, p_secret_sha256 bytea, p_scope text, p_resource text)
RETURNS postern.token_answer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    a             postern.token_answer;
    w             postern.resolved_scope;
    v_grant_types text[];
    v_allowed     text;
    v_epoch       integer;
    v_grant_id    uuid;
    v_version     xid;
    v_issuer      xid;
    v_ends        double precision;
    v_until       double precision;
BEGIN
    v_issuer := postern.issuer_version();
    SELECT l.grant_types, l.scope, l.epoch INTO v_grant_types, v_allowed, v_epoch FROM postern.live_client l
     WHERE l.client_id = p_client_id AND l.token_endpoint_auth_method = p_auth_method
       AND (p_auth_method = 'none' OR l.client_secret_sha256 = p_secret_sha256);
    IF NOT FOUND THEN
        a.outcome := 'invalid_client';
        RETURN a;
    END IF;
    -- A public client cannot have it: its id alone is no proof (RFC 6749 section 4.4).
    IF p_auth_method = 'none' OR 'client_credentials' <> ALL (v_grant_types) THEN
        a.outcome := 'unauthorized_client';
        RETURN a;
    END IF;
    w := postern.resolve_scope(v_allowed, p_scope, p_resource, false);
    IF w.outcome <> 'ok' THEN
        a.outcome := w.outcome;
        RETURN a;
    END IF;
    v_grant_id := encode(substr(sha256(convert_to(p_client_id || ' ' || v_epoch || ' ' || w.resource || ' '
        || array_to_string(w.scope, ' '), 'UTF8')), 1, 16), 'hex')::uuid;
    SELECT g.xmin, date_part('epoch', g.expires_at) INTO v_version, v_ends FROM postern.authorization_grant g WHERE g.id = v_grant_id;
    a := postern.issue(v_grant_id, w.scope);
    IF a.outcome = 'ok' AND v_version IS NOT NULL AND a.access_token IS NULL THEN     -- an opaque token is another one each time
        SELECT least(min(date_part('epoch', k.active_from)), v_ends, a.issued_at + 3600) INTO v_until
          FROM postern.signing_key k WHERE k.active_from > now();
        a.basis := ROW(v_grant_id, v_version, NULL, NULL, NULL, v_issuer, floor(v_until))::postern.basis;
    END IF;
    IF a.outcome = 'ended' THEN
        INSERT INTO postern.authorization_grant (id, client_id, client_epoch, scope, resource, expires_at)
        VALUES (v_grant_id, p_client_id, v_epoch, w.scope, w.resource, 'infinity') ON CONFLICT (id) DO NOTHING;
        a := postern.issue(v_grant_id, w.scope);
    END IF;
    IF a.outcome = 'ended' THEN
        a.outcome := 'unauthorized_client';     -- it was revoked by hand
    END IF;
    RETURN a;
END
$$;
