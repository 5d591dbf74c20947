-- What a presented access token is worth, whatever its form.  NULL: nothing.
--
--   JWT      the caller has verified the signature and passes the claims; its key,
--            which the caller may have kept, must still be in use
--   opaque   p_sealed is what the client presented; it is checked here
--   API key  p_key_id and p_key_sha256
--
-- A plain value, because a set would be collected first and read again.  guard, introspect and userinfo all ask here (SEC-TOK-06).
-- (The shape of a row is a view and not a type: an upgrade can put it in its place.)
CREATE OR REPLACE VIEW postern.presented AS
SELECT NULL::uuid AS grant_id, NULL::text AS client_id, NULL::text AS sub, NULL::text AS jti,
       NULL::text AS scope, NULL::text AS audience, NULL::bigint AS expires;

CREATE OR REPLACE FUNCTION postern.presented_token(
    p_grant_id uuid, p_client_id text, p_jti text, p_scope text, p_audience text, p_expires bigint, p_kid text,
    p_sealed bytea, p_key_id uuid, p_key_sha256 bytea) RETURNS postern.presented
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    t         postern.presented;
    v_payload bytea;
    v_mask    bigint;
    g         record;
BEGIN
    IF p_key_id IS NOT NULL THEN
        SELECT k.id, NULL, k.sub, NULL, array_to_string(k.scope, ' '), k.resource, floor(extract(epoch FROM k.expires_at))
          INTO t FROM postern.live_api_key k WHERE k.id = p_key_id AND k.secret_sha256 = p_key_sha256;
        RETURN CASE WHEN t.sub IS NOT NULL THEN t END;
    END IF;
    IF p_sealed IS NOT NULL THEN
        v_payload := postern.unseal('access token', p_sealed);
        IF v_payload IS NULL OR octet_length(v_payload) <> 48 THEN
            RETURN NULL;
        END IF;
        t.grant_id := postern.payload_uuid(v_payload, 1);
        t.expires := postern.payload_integer(v_payload, 17);
        v_mask := postern.payload_integer(v_payload, 25);
        t.jti := encode(substr(v_payload, 33, 16), 'hex');
    ELSE
        t := (p_grant_id, p_client_id, NULL, p_jti, p_scope, p_audience, p_expires)::postern.presented;
    END IF;
    IF t.expires IS NULL OR t.expires <= extract(epoch FROM clock_timestamp()) THEN
        RETURN NULL;
    END IF;
    SELECT l.client_id, coalesce(l.sub::text, l.client_id) AS sub, l.scope, coalesce(l.resource, i.url) AS audience INTO g
      FROM postern.live_grant l CROSS JOIN postern.issuer i
     WHERE l.id = t.grant_id
       AND NOT EXISTS (SELECT FROM postern.revoked_token r WHERE r.jti = t.jti)
       AND (p_sealed IS NOT NULL
            OR EXISTS (SELECT FROM postern.signing_key k WHERE k.kid = p_kid AND k.retired_at IS NULL));
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF p_sealed IS NOT NULL THEN
        t.client_id := g.client_id;
        t.audience := g.audience;
        t.scope := (SELECT string_agg(w.word, ' ' ORDER BY w.place) FROM unnest(g.scope) WITH ORDINALITY AS w(word, place)
                     WHERE v_mask >> (w.place::integer - 1) & 1 = 1);
    ELSIF g.client_id <> t.client_id OR g.audience <> t.audience THEN
        RETURN NULL;
    END IF;
    t.sub := g.sub;
    RETURN t;
END
$$;

-- guard: the same, and when an API key is used, a note of it, once a minute at most.
CREATE OR REPLACE FUNCTION postern.guard(
    p_grant_id uuid, p_client_id text, p_jti text, p_scope text, p_audience text, p_expires bigint, p_kid text,
    p_sealed bytea, p_key_id uuid, p_key_sha256 bytea) RETURNS postern.presented
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF p_key_id IS NOT NULL THEN
        UPDATE postern.api_key k SET last_used_at = now()
         WHERE k.id = p_key_id AND k.secret_sha256 = p_key_sha256
           AND (k.last_used_at IS NULL OR k.last_used_at < now() - interval '1 minute');
    END IF;
    RETURN postern.presented_token(p_grant_id, p_client_id, p_jti, p_scope, p_audience, p_expires, p_kid,
        p_sealed, p_key_id, p_key_sha256);
END
$$;
