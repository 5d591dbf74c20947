-- live.sql: the one gate
--
-- Whether a client, an account's session or a grant may be used is decided here
-- and nowhere else; every function that issues, guards or shows asks these views and
-- live_grant().  tests/lint refuses other SQL that reads disabled_at, ended_at or
-- revoked_at.
--
-- Only what an endpoint may call pins its search_path; what is called from there runs
-- under that, and to pin it anew would cost more than most of these functions do.

CREATE OR REPLACE VIEW postern.live_client AS
SELECT c.*
FROM postern.client c
WHERE c.disabled_at IS NULL;

CREATE OR REPLACE VIEW postern.live_account AS
SELECT a.sub, a.login_name, a.name, a.email, a.email_verified, a.password_hash, a.epoch
FROM postern.account a
WHERE a.disabled_at IS NULL;

CREATE OR REPLACE VIEW postern.live_session AS
SELECT s.id, s.secret_sha256, s.sub, s.account_epoch, s.auth_time, s.login_for, s.last_seen_at, s.expires_at,
       s.address, s.user_agent, a.login_name, a.name, a.email
FROM postern.session s
JOIN postern.live_account a ON a.sub = s.sub AND a.epoch = s.account_epoch
WHERE s.ended_at IS NULL
  AND s.expires_at > now()
  AND s.last_seen_at > now() - (SELECT i.session_idle_lifetime FROM postern.issuer i WHERE i.only_row);

CREATE OR REPLACE VIEW postern.live_resource AS
SELECT r.resource, r.name, r.access_token_lifetime, r.client_id
FROM postern.resource r
WHERE r.disabled_at IS NULL;

-- What a grant that is alive says, and what it rests on says about its tokens.
CREATE OR REPLACE VIEW postern.grant_terms AS
SELECT NULL::uuid AS id, NULL::text AS client_id, NULL::uuid AS sub, NULL::text[] AS scope, NULL::text AS resource,
       NULL::uuid AS session_id, NULL::timestamptz AS auth_time, NULL::text AS nonce,
       NULL::timestamptz AS expires_at, NULL::integer AS refresh_generation, NULL::timestamptz AS refreshed_at,
       NULL::text AS id_token_signed_response_alg, NULL::interval AS access_token_lifetime, NULL::text AS access_token_format,
       NULL::xid AS version, NULL::xid AS account_version, NULL::xid AS consent_version, NULL::xid AS session_version,
       NULL::timestamptz AS login_expires_at;

-- What an answer about a grant rests on: the versions of five rows (../0003-basis.sql), and
-- until when it holds in any case, in seconds since 1970.  NULL: it holds for once.
CREATE OR REPLACE VIEW postern.basis AS
SELECT NULL::uuid AS grant_id, NULL::xid AS grant_version, NULL::xid AS account_version, NULL::xid AS consent_version,
       NULL::xid AS session_version, NULL::xid AS issuer_version, NULL::bigint AS until;

-- A grant, if it is alive; NULL if it is not.  Every grant rests on its client and on the
-- resource that it is for; a person's also on the account, on the consent and, unless
-- it is for offline access, on the login that it was made in.
--
-- Not one join but a step for each, because a client's own grant needs half of them,
-- and because nothing is so dear in a small statement as a column that is handed up
-- through six joins.
CREATE OR REPLACE FUNCTION postern.live_grant(p_id uuid) RETURNS postern.grant_terms
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_client_id          text;
    v_client_epoch       integer;
    v_sub                uuid;
    v_account_epoch      integer;
    v_consent_id         uuid;
    v_session_id         uuid;
    v_scope              text[];
    v_resource           text;
    v_offline            boolean;
    v_auth_time          timestamptz;
    v_nonce              text;
    v_expires_at         timestamptz;
    v_refresh_generation integer;
    v_refreshed_at       timestamptz;
    v_id_token_alg       text;
    v_lifetime           interval;
    v_format             text;
    v_version            xid;
    v_account_version    xid;
    v_consent_version    xid;
    v_session_version    xid;
    v_login_expires_at   timestamptz;
BEGIN
    SELECT g.client_id, g.client_epoch, g.sub, g.account_epoch, g.consent_id, g.session_id, g.scope, g.resource,
           g.offline, g.auth_time, g.nonce, g.expires_at, g.refresh_generation, g.refreshed_at, g.xmin
      INTO v_client_id, v_client_epoch, v_sub, v_account_epoch, v_consent_id, v_session_id, v_scope, v_resource,
           v_offline, v_auth_time, v_nonce, v_expires_at, v_refresh_generation, v_refreshed_at, v_version
      FROM postern.authorization_grant g
     WHERE g.id = p_id AND g.revoked_at IS NULL AND g.expires_at > now();
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT c.id_token_signed_response_alg INTO v_id_token_alg FROM postern.client c
     WHERE c.client_id = v_client_id AND c.epoch = v_client_epoch AND c.disabled_at IS NULL
       AND v_scope <@ string_to_array(c.scope, ' ');    -- what it may no longer ask for, it no longer has
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF v_resource IS NOT NULL THEN
        SELECT r.access_token_lifetime, r.access_token_format INTO v_lifetime, v_format FROM postern.resource r
         WHERE r.resource = v_resource AND r.disabled_at IS NULL;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
    END IF;
    IF v_sub IS NOT NULL THEN
        SELECT a.xmin INTO v_account_version FROM postern.account a
         WHERE a.sub = v_sub AND a.epoch = v_account_epoch AND a.disabled_at IS NULL;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
        SELECT k.xmin INTO v_consent_version FROM postern.consent k
         WHERE k.sub = v_sub AND k.client_id = v_client_id AND k.id = v_consent_id AND k.scope @> v_scope;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
        IF NOT v_offline THEN
            SELECT s.expires_at, s.xmin INTO v_login_expires_at, v_session_version FROM postern.session s
             WHERE s.id = v_session_id AND s.ended_at IS NULL AND s.expires_at > now();
            IF NOT FOUND THEN
                RETURN NULL;
            END IF;
        END IF;
    END IF;
    RETURN ROW(p_id, v_client_id, v_sub, v_scope, v_resource, v_session_id, v_auth_time, v_nonce, v_expires_at,
        v_refresh_generation, v_refreshed_at, v_id_token_alg, v_lifetime, v_format,
        v_version, v_account_version, v_consent_version, v_session_version, v_login_expires_at)::postern.grant_terms;
END
$$;

-- An API key rests on its account and on the resource that it is for.
CREATE OR REPLACE VIEW postern.live_api_key AS
SELECT k.id, k.secret_sha256, k.sub, k.name, k.scope, k.resource, k.created_at, k.expires_at, k.last_used_at
FROM postern.api_key k
JOIN postern.live_account a ON a.sub = k.sub AND a.epoch = k.account_epoch
JOIN postern.live_resource r ON r.resource = k.resource
WHERE k.revoked_at IS NULL AND k.expires_at > now();

-- The key that signs with an algorithm now.  A view, because a function in SQL would
-- be planned anew in every transaction that calls it.
CREATE OR REPLACE VIEW postern.current_signing_key AS
SELECT DISTINCT ON (k.alg) k.alg, k.kid
FROM postern.signing_key k
WHERE k.retired_at IS NULL AND k.active_from <= now()
ORDER BY k.alg, k.active_from DESC, k.kid;
