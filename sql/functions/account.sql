-- account: what a person sees and ends of their own.

CREATE OR REPLACE FUNCTION postern.for_people(p_time timestamptz) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT to_char(p_time AT TIME ZONE 'UTC', 'FMDD FMMonth YYYY') $$;

-- What a key may be for: what a person could allow an app.  A scope that only clients of
-- their own account have (client_credentials), or nobody, is no person's to give.
CREATE OR REPLACE FUNCTION postern.key_scopes() RETURNS text[]
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN ARRAY(SELECT DISTINCT w.word FROM postern.live_client c, unnest(string_to_array(c.scope, ' ')) AS w(word)
                  WHERE 'authorization_code' = ANY (c.grant_types) ORDER BY w.word);
END
$$;

-- Everything that the page shows, a row each; no row: nobody is logged in.  kind:
--   account   name, login name in detail, e-mail in uri
--   app       id, name, uri, since; titles of its scopes, one a line
--   session   id, user agent in name, address in detail, since, last_used; is_current
--   key       id, name, since, last_used, ends, titles
--   scope     what a new key may be for: id, title in name, resource in detail
CREATE OR REPLACE FUNCTION postern.account_page(
    p_session_id uuid, p_session_sha256 bytea,
    OUT kind text, OUT id text, OUT name text, OUT detail text, OUT uri text, OUT since text, OUT last_used text,
    OUT ends text, OUT titles text, OUT is_current boolean) RETURNS SETOF record
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    s            record;
    v_key_scopes text[];
BEGIN
    SELECT l.sub, l.login_name, l.name, l.email INTO s FROM postern.live_session l
     WHERE l.id = p_session_id AND l.secret_sha256 = p_session_sha256;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    RETURN QUERY SELECT 'account', NULL::text, coalesce(s.name, s.login_name)::text, s.login_name::text, s.email::text,
        NULL::text, NULL::text, NULL::text, NULL::text, NULL::boolean;
    RETURN QUERY SELECT 'app', c.client_id, c.client_name, NULL::text, c.client_uri, postern.for_people(k.granted_at),
        NULL::text, NULL::text, postern.scope_titles(k.scope), NULL::boolean
      FROM postern.consent k JOIN postern.client c ON c.client_id = k.client_id
     WHERE k.sub = s.sub ORDER BY lower(c.client_name), c.client_id;
    RETURN QUERY SELECT 'session', l.id::text, coalesce(l.user_agent, 'Unknown browser'), l.address, NULL::text,
        postern.for_people(l.auth_time), postern.for_people(l.last_seen_at), NULL::text, NULL::text, l.id = p_session_id
      FROM postern.live_session l WHERE l.sub = s.sub ORDER BY l.id = p_session_id DESC, l.last_seen_at DESC LIMIT 50;
    RETURN QUERY SELECT 'key', l.id::text, l.name, NULL::text, NULL::text, postern.for_people(l.created_at),
        postern.for_people(l.last_used_at), postern.for_people(l.expires_at), postern.scope_titles(l.scope), NULL::boolean
      FROM postern.live_api_key l WHERE l.sub = s.sub ORDER BY l.created_at DESC LIMIT 50;
    v_key_scopes := postern.key_scopes();
    RETURN QUERY SELECT 'scope', w.scope, w.title, r.name, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, w.sensitive
      FROM postern.scope w JOIN postern.live_resource r ON r.resource = w.resource WHERE w.scope = ANY (v_key_scopes)
     ORDER BY r.name, w.scope LIMIT 100;
END
$$;

CREATE OR REPLACE FUNCTION postern.scope_titles(p_scope text[]) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT string_agg(w.title, E'\n' ORDER BY array_position(p_scope, w.scope)) FROM postern.scope w WHERE w.scope = ANY (p_scope) $$;

-- Disconnect an app.  Everything that rests on the consent is dead when this
-- commits: tokens, codes, requests under way.  outcome: ok, not_found, no_session.
CREATE OR REPLACE FUNCTION postern.account_disconnect(p_session_id uuid, p_session_sha256 bytea, p_client_id text, OUT outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_sub uuid;
BEGIN
    SELECT s.sub INTO v_sub FROM postern.live_session s WHERE s.id = p_session_id AND s.secret_sha256 = p_session_sha256;
    IF NOT FOUND THEN
        outcome := 'no_session';
        RETURN;
    END IF;
    DELETE FROM postern.consent k WHERE k.sub = v_sub AND k.client_id = p_client_id;
    outcome := CASE WHEN FOUND THEN 'ok' ELSE 'not_found' END;
END
$$;

-- End a session of the same person: this one (p_other NULL) or another one.
CREATE OR REPLACE FUNCTION postern.account_end_session(p_session_id uuid, p_session_sha256 bytea, p_other uuid, OUT outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_sub uuid;
BEGIN
    SELECT s.sub INTO v_sub FROM postern.live_session s WHERE s.id = p_session_id AND s.secret_sha256 = p_session_sha256;
    IF NOT FOUND THEN
        outcome := 'no_session';
        RETURN;
    END IF;
    UPDATE postern.session s SET ended_at = now()
     WHERE s.id = coalesce(p_other, p_session_id) AND s.sub = v_sub AND s.ended_at IS NULL;
    outcome := CASE WHEN FOUND THEN 'ok' ELSE 'not_found' END;
END
$$;

-- Make an API key.  outcome: ok, no_session, invalid_scope, invalid_target, too_many,
-- made_already, not_found.
--
-- The id comes from the form: a form that is sent again, as browsers do when its answer is
-- loaded anew, makes no second key.  (not_found: the id is that of another person's key.)
CREATE OR REPLACE FUNCTION postern.account_make_key(
    p_session_id uuid, p_session_sha256 bytea, p_key_id uuid, p_key_sha256 bytea, p_name text, p_scope text, p_days bigint,
    OUT outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    s       record;
    v_scope record;
BEGIN
    SELECT l.sub, l.account_epoch INTO s FROM postern.live_session l
     WHERE l.id = p_session_id AND l.secret_sha256 = p_session_sha256;
    IF NOT FOUND THEN
        outcome := 'no_session';
        RETURN;
    END IF;
    -- Identity scopes are for apps: a key needs one resource (p_person false).
    SELECT * INTO v_scope FROM postern.resolve_scope(array_to_string(postern.key_scopes(), ' '), coalesce(p_scope, ''), NULL, false);
    IF v_scope.outcome <> 'ok' THEN
        outcome := v_scope.outcome;
        RETURN;
    END IF;
    -- One at a time, so that the count is true: the page could not show more of them.
    PERFORM FROM postern.account a WHERE a.sub = s.sub FOR NO KEY UPDATE;
    PERFORM FROM postern.api_key k WHERE k.id = p_key_id AND k.sub = s.sub;
    IF FOUND THEN
        outcome := 'made_already';
        RETURN;
    END IF;
    IF (SELECT count(*) FROM postern.live_api_key k WHERE k.sub = s.sub) >= 50 THEN
        outcome := 'too_many';
        RETURN;
    END IF;
    INSERT INTO postern.api_key (id, secret_sha256, sub, account_epoch, name, scope, resource, expires_at)
    VALUES (p_key_id, p_key_sha256, s.sub, s.account_epoch, p_name, v_scope.scope, v_scope.resource,
        now() + make_interval(days => least(greatest(p_days, 1), 366)::integer))
    ON CONFLICT (id) DO NOTHING;
    outcome := CASE WHEN FOUND THEN 'ok' ELSE 'not_found' END;
END
$$;

-- Revoke an API key.  outcome: ok, not_found, no_session.
CREATE OR REPLACE FUNCTION postern.account_revoke_key(p_session_id uuid, p_session_sha256 bytea, p_key_id uuid, OUT outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_sub uuid;
BEGIN
    SELECT s.sub INTO v_sub FROM postern.live_session s WHERE s.id = p_session_id AND s.secret_sha256 = p_session_sha256;
    IF NOT FOUND THEN
        outcome := 'no_session';
        RETURN;
    END IF;
    UPDATE postern.api_key k SET revoked_at = now() WHERE k.id = p_key_id AND k.sub = v_sub AND k.revoked_at IS NULL;
    outcome := CASE WHEN FOUND THEN 'ok' ELSE 'not_found' END;
END
$$;
