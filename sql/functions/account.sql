-- account: what a person sees and ends of their own.

-- The person, and a row per connected app (none: one row without an app).  No row:
-- nobody is logged in.
CREATE FUNCTION postern.account_page(
    p_session_id uuid, p_session_sha256 bytea,
    OUT login_name text, OUT name text, OUT email text,
    OUT client_id text, OUT client_name text, OUT client_uri text, OUT logo_uri text,
    OUT since text, OUT titles text) RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
SELECT s.login_name, s.name, s.email, c.client_id, c.client_name, c.client_uri, c.logo_uri,
       to_char(k.granted_at AT TIME ZONE 'UTC', 'FMDD FMMonth YYYY'),
       (SELECT string_agg(w.title, E'\n' ORDER BY array_position(k.scope, w.scope)) FROM postern.scope w WHERE w.scope = ANY (k.scope))
FROM postern.live_session s
LEFT JOIN (postern.consent k JOIN postern.client c ON c.client_id = k.client_id) ON k.sub = s.sub
WHERE s.id = p_session_id AND s.secret_sha256 = p_session_sha256
ORDER BY lower(c.client_name), c.client_id
$$;

-- Disconnect an app.  Everything that rests on the consent is dead when this
-- commits: tokens, codes, requests under way.  outcome: ok, not_connected, no_session.
CREATE FUNCTION postern.account_disconnect(p_session_id uuid, p_session_sha256 bytea, p_client_id text,
    OUT outcome text, OUT client_name text)
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
    DELETE FROM postern.consent k USING postern.client c
     WHERE k.sub = v_sub AND k.client_id = p_client_id AND c.client_id = k.client_id
    RETURNING c.client_name INTO account_disconnect.client_name;
    outcome := CASE WHEN FOUND THEN 'ok' ELSE 'not_connected' END;
END
$$;

-- Sign out of this browser.  outcome: ok, no_session.
CREATE FUNCTION postern.account_sign_out(p_session_id uuid, p_session_sha256 bytea, OUT outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE postern.session s SET ended_at = now()
     WHERE s.id = p_session_id AND s.secret_sha256 = p_session_sha256 AND s.ended_at IS NULL;
    outcome := CASE WHEN FOUND THEN 'ok' ELSE 'no_session' END;
END
$$;
