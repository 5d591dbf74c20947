-- What a presented access token is worth, whatever its form.  No row: nothing.
--
--   JWT      the caller has verified the signature and passes the claims; its key,
--            which the caller may have kept, must still be in use
--   opaque   p_sealed is what the client presented; it is checked here
--   API key  p_key_id and p_key_sha256
--
-- guard, introspect, userinfo and revoke all ask here (SEC-TOK-06).
CREATE FUNCTION postern.presented_token(
    p_grant_id uuid, p_client_id text, p_jti text, p_scope text, p_audience text, p_expires bigint, p_kid text,
    p_sealed bytea, p_key_id uuid, p_key_sha256 bytea,
    OUT grant_id uuid, OUT client_id text, OUT sub text, OUT jti text, OUT scope text, OUT audience text,
    OUT expires bigint) RETURNS SETOF record
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_payload bytea;
    v_mask    bigint;
    g         record;
BEGIN
    IF p_key_id IS NOT NULL THEN
        RETURN QUERY
        SELECT k.id, NULL::text, k.sub::text, NULL::text, array_to_string(k.scope, ' '), k.resource,
               floor(extract(epoch FROM k.expires_at))::bigint
          FROM postern.live_api_key k WHERE k.id = p_key_id AND k.secret_sha256 = p_key_sha256;
        RETURN;
    END IF;
    IF p_sealed IS NOT NULL THEN
        v_payload := postern.unseal('access token', p_sealed);
        IF v_payload IS NULL OR octet_length(v_payload) <> 48 THEN
            RETURN;
        END IF;
        grant_id := postern.payload_uuid(v_payload, 1);
        expires := postern.payload_integer(v_payload, 17);
        v_mask := postern.payload_integer(v_payload, 25);
        jti := encode(substr(v_payload, 33, 16), 'hex');
    ELSE
        grant_id := p_grant_id;
        expires := p_expires;
        jti := p_jti;
        scope := p_scope;
        audience := p_audience;
    END IF;
    IF expires IS NULL OR expires <= extract(epoch FROM clock_timestamp()) THEN
        RETURN;
    END IF;
    SELECT l.client_id, l.sub, l.scope, l.resource, i.url INTO g
      FROM postern.live_grant l CROSS JOIN postern.issuer i
     WHERE l.id = presented_token.grant_id
       AND NOT EXISTS (SELECT FROM postern.revoked_token t WHERE t.jti = presented_token.jti);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    client_id := g.client_id;
    sub := coalesce(g.sub::text, g.client_id);
    IF p_sealed IS NOT NULL THEN
        audience := coalesce(g.resource, g.url);
        scope := (SELECT string_agg(w.word, ' ' ORDER BY w.place) FROM unnest(g.scope) WITH ORDINALITY AS w(word, place)
                   WHERE v_mask >> (w.place::integer - 1) & 1 = 1);
    ELSIF g.client_id <> p_client_id OR audience <> coalesce(g.resource, g.url)
       OR NOT EXISTS (SELECT FROM postern.signing_key k WHERE k.kid = p_kid AND k.retired_at IS NULL) THEN
        RETURN;
    END IF;
    RETURN NEXT;
END
$$;

-- guard: the same, and when an API key is used, a note of it, once a minute at most.
CREATE FUNCTION postern.guard(
    p_grant_id uuid, p_client_id text, p_jti text, p_scope text, p_audience text, p_expires bigint, p_kid text,
    p_sealed bytea, p_key_id uuid, p_key_sha256 bytea,
    OUT client_id text, OUT sub text, OUT scope text, OUT audience text) RETURNS SETOF record
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT t.client_id, t.sub, t.scope, t.audience
      FROM postern.presented_token(p_grant_id, p_client_id, p_jti, p_scope, p_audience, p_expires, p_kid,
                                   p_sealed, p_key_id, p_key_sha256) t;
    IF FOUND AND p_key_id IS NOT NULL THEN
        UPDATE postern.api_key k SET last_used_at = now()
         WHERE k.id = p_key_id AND (k.last_used_at IS NULL OR k.last_used_at < now() - interval '1 minute');
    END IF;
END
$$;
