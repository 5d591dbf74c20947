-- logout: end this browser's session, and know where to send the person (OpenID
-- Connect RP-Initiated Logout).  p_confirmed: the person has said so on our page;
-- p_hint_session is the sid of an ID token of ours that the app brought.
-- outcome:
--   ended              the session is ended (or there was none)
--   confirm            ask the person first
--   unregistered_uri   the URI is not one of the client's: show a page
CREATE OR REPLACE FUNCTION postern.logout(
    p_session_id uuid, p_session_sha256 bytea, p_hint_session uuid, p_client_id text, p_uri text, p_confirmed boolean,
    OUT outcome text, OUT client_name text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_uris text[];
BEGIN
    SELECT c.client_name, c.post_logout_redirect_uris INTO logout.client_name, v_uris
      FROM postern.live_client c WHERE c.client_id = p_client_id;
    IF p_uri IS NOT NULL AND NOT p_uri = ANY (coalesce(v_uris, '{}')) THEN
        outcome := 'unregistered_uri';
        RETURN;
    END IF;
    IF NOT p_confirmed AND p_hint_session IS DISTINCT FROM p_session_id AND EXISTS (
        SELECT FROM postern.live_session s WHERE s.id = p_session_id AND s.secret_sha256 = p_session_sha256) THEN
        outcome := 'confirm';
        RETURN;
    END IF;
    UPDATE postern.session s SET ended_at = now()
     WHERE s.id = p_session_id AND s.secret_sha256 = p_session_sha256 AND s.ended_at IS NULL;
    outcome := 'ended';
END
$$;
