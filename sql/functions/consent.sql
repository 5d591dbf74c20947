-- consent: it can record one decision of the person who is logged in, and nothing else.

-- Add to what a person allows a client.
CREATE OR REPLACE FUNCTION postern.record_consent(p_sub uuid, p_client_id text, p_scope text[], OUT id uuid, OUT scope text[])
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$
INSERT INTO postern.consent AS k (sub, client_id, scope) VALUES (p_sub, p_client_id, p_scope)
ON CONFLICT ON CONSTRAINT consent_pkey DO UPDATE SET updated_at = now(),
    scope = ARRAY(SELECT DISTINCT w FROM unnest(k.scope || excluded.scope) AS w ORDER BY w)
RETURNING k.id, k.scope
$$;

-- What to ask: a row per scope.  No row: the request is gone, or is another person's.
CREATE OR REPLACE FUNCTION postern.consent_page(
    p_request_id uuid, p_request_sha256 bytea, p_session_id uuid, p_session_sha256 bytea,
    OUT client_name text, OUT client_uri text, OUT logo_uri text, OUT policy_uri text, OUT tos_uri text,
    OUT redirect_uri text, OUT account_name text, OUT resource_name text,
    OUT title text, OUT description text, OUT sensitive boolean) RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
SELECT c.client_name, c.client_uri, c.logo_uri, c.policy_uri, c.tos_uri, r.redirect_uri,
       coalesce(s.name, s.login_name), v.name, w.title, w.description, w.sensitive
FROM postern.authorization_request r
JOIN postern.live_session s ON s.id = r.session_id AND s.id = p_session_id AND s.secret_sha256 = p_session_sha256
JOIN postern.live_client c ON c.client_id = r.client_id
JOIN postern.scope w ON w.scope = ANY (r.scope)
LEFT JOIN postern.resource v ON v.resource = w.resource
WHERE r.id = p_request_id AND r.secret_sha256 = p_request_sha256 AND r.expires_at > now() AND r.decision IS NULL
ORDER BY array_position(r.scope, w.scope)
$$;

-- Decide.  outcome: ok (go back to authorize with query), gone.  Single use: a
-- second decision finds nothing (SEC-CONS-02).
CREATE OR REPLACE FUNCTION postern.consent_decide(
    p_request_id uuid, p_request_sha256 bytea, p_session_id uuid, p_session_sha256 bytea, p_allow boolean,
    OUT outcome text, OUT query text, OUT client_id text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    d record;
BEGIN
    UPDATE postern.authorization_request r SET decision = CASE WHEN p_allow THEN 'allow' ELSE 'deny' END
      FROM postern.live_session s
     WHERE r.id = p_request_id AND r.secret_sha256 = p_request_sha256 AND r.expires_at > now() AND r.decision IS NULL
       AND s.id = r.session_id AND s.id = p_session_id AND s.secret_sha256 = p_session_sha256
    RETURNING r.query, r.client_id, r.scope, s.sub INTO d;
    IF NOT FOUND THEN
        outcome := 'gone';
        RETURN;
    END IF;
    IF p_allow THEN
        PERFORM postern.record_consent(d.sub, d.client_id, d.scope);
    END IF;
    outcome := 'ok';
    query := d.query;
    client_id := d.client_id;
END
$$;
