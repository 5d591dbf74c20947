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
SELECT NULL::uuid AS account, NULL::text AS client_id, NULL::text AS sub, NULL::text AS jti, NULL::text AS scope,
       NULL::text AS audience, NULL::bigint AS expires, NULL::postern.basis AS basis;

CREATE OR REPLACE FUNCTION postern.presented_token(
    p_grant_id uuid, p_client_id text, p_jti text, p_scope text, p_audience text, p_expires bigint, p_kid text,
    p_sealed bytea, p_key_id uuid, p_key_sha256 bytea) RETURNS postern.presented
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    t          postern.presented;
    g          postern.grant_terms;
    v_grant_id uuid := p_grant_id;
    v_jti      text := p_jti;
    v_scope    text := p_scope;
    v_expires  bigint := p_expires;
    v_issuer   text;
    v_version  xid;
    v_audience text;
    v_payload  bytea;
    v_mask     bigint;
BEGIN
    IF p_key_id IS NOT NULL THEN
        SELECT k.sub, NULL, k.sub, NULL, array_to_string(k.scope, ' '), k.resource, floor(date_part('epoch', k.expires_at)), NULL
          INTO t FROM postern.live_api_key k WHERE k.id = p_key_id AND k.secret_sha256 = p_key_sha256;
        RETURN CASE WHEN t.sub IS NOT NULL THEN t END;
    END IF;
    IF p_sealed IS NOT NULL THEN
        v_payload := postern.unseal('access token', p_sealed);
        IF v_payload IS NULL OR octet_length(v_payload) <> 48 THEN
            RETURN NULL;
        END IF;
        v_grant_id := postern.payload_uuid(v_payload, 1);
        v_expires := postern.payload_integer(v_payload, 17);
        v_mask := postern.payload_integer(v_payload, 25);
        v_jti := encode(substr(v_payload, 33, 16), 'hex');
    END IF;
    IF v_expires IS NULL OR v_expires <= date_part('epoch', clock_timestamp()) THEN
        RETURN NULL;
    END IF;
    g := postern.live_grant(v_grant_id);
    IF g.id IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM FROM postern.revoked_token r WHERE r.jti = v_jti;
    IF FOUND THEN
        RETURN NULL;
    END IF;
    SELECT i.url, i.xmin INTO v_issuer, v_version FROM postern.issuer i WHERE i.only_row;
    v_audience := coalesce(g.resource, v_issuer);
    IF p_sealed IS NOT NULL THEN
        v_scope := (SELECT string_agg(w.word, ' ' ORDER BY w.place) FROM unnest(g.scope) WITH ORDINALITY AS w(word, place)
                     WHERE w.place <= 62 AND v_mask >> (w.place::integer - 1) & 1 = 1);     -- as opaque_token counts; a shift by 64 is one by 0
    ELSE
        PERFORM FROM postern.signing_key k WHERE k.kid = p_kid AND k.retired_at IS NULL;
        IF NOT FOUND OR g.client_id <> p_client_id OR v_audience <> p_audience THEN
            RETURN NULL;
        END IF;
    END IF;
    RETURN ROW(g.sub, g.client_id, coalesce(g.sub::text, g.client_id), v_jti, v_scope, v_audience, v_expires,
        ROW(g.id, g.version, g.account_version, g.consent_version, g.session_version, v_version,
            least(v_expires, floor(date_part('epoch', least(g.expires_at, g.login_expires_at)))))::postern.basis)::postern.presented;
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
