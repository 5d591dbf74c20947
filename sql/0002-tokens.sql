-- 0002-tokens.sql: refresh tokens, opaque tokens, API keys, revocation, logout

-- HMAC-SHA256 (RFC 2104) is one expression of core SQL when both pads are at hand.
CREATE FUNCTION postern.hmac_pad(p_key bytea, p_byte integer) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_pad bytea := p_key || decode(repeat('00', 64 - octet_length(p_key)), 'hex');
BEGIN
    FOR i IN 0 .. 63 LOOP
        v_pad := set_byte(v_pad, i, get_byte(v_pad, i) # p_byte);
    END LOOP;
    RETURN v_pad;
END
$$;

ALTER TABLE postern.mac_key
    ADD COLUMN tag        bytea NOT NULL DEFAULT '\x01',
    ADD COLUMN inner_pad  bytea GENERATED ALWAYS AS (postern.hmac_pad(key, 54)) STORED,
    ADD COLUMN outer_pad  bytea GENERATED ALWAYS AS (postern.hmac_pad(key, 92)) STORED,
    ADD COLUMN retired_at timestamptz,
    ADD CONSTRAINT "the tag is one byte and names one key" UNIQUE (tag),
    ADD CONSTRAINT "the tag is one byte" CHECK (octet_length(tag) = 1);
COMMENT ON COLUMN postern.mac_key.tag IS 'First byte of what the key has sealed.';
COMMENT ON COLUMN postern.mac_key.retired_at IS 'Set: what it has sealed is no longer accepted.';

ALTER TABLE postern.issuer
    ADD COLUMN refresh_token_lifetime      interval NOT NULL DEFAULT '90 days',
    ADD COLUMN refresh_token_idle_lifetime interval NOT NULL DEFAULT '30 days',
    ADD CONSTRAINT "refresh tokens live 1 hour to 1 year" CHECK (
        refresh_token_idle_lifetime >= '1 hour' AND refresh_token_lifetime BETWEEN refresh_token_idle_lifetime AND '1 year');
COMMENT ON COLUMN postern.issuer.refresh_token_lifetime IS 'A grant ends after this long in any case (RFC 9700 section 4.14).';
COMMENT ON COLUMN postern.issuer.refresh_token_idle_lifetime IS 'A refresh token that is not used for this long has expired.';

ALTER TABLE postern.resource
    ADD COLUMN access_token_format text NOT NULL DEFAULT 'jwt',
    ADD COLUMN client_id           text REFERENCES postern.client ON UPDATE CASCADE,
    ADD CONSTRAINT "access_token_format: jwt or opaque" CHECK (access_token_format IN ('jwt', 'opaque'));
COMMENT ON COLUMN postern.resource.access_token_format IS 'jwt (RFC 9068): the resource can check it alone. opaque: it must ask, by guard or introspection.';
COMMENT ON COLUMN postern.resource.client_id IS 'The client as which this resource server authenticates at introspection.';

ALTER TABLE postern.client
    ADD COLUMN post_logout_redirect_uris text[] NOT NULL DEFAULT '{}',
    DROP CONSTRAINT "grant_types: authorization_code, client_credentials",
    ADD CONSTRAINT "unknown grant type: see \d+ postern.client" CHECK (
        grant_types <@ '{authorization_code,client_credentials,refresh_token}'),
    ADD CONSTRAINT "refresh_token needs authorization_code beside it" CHECK (
        NOT 'refresh_token' = ANY (grant_types) OR 'authorization_code' = ANY (grant_types)),
    ADD CONSTRAINT "a logout URI is https, http on loopback, or a.domain:/" CHECK (
        postern.are_redirect_uris(post_logout_redirect_uris));
COMMENT ON COLUMN postern.client.grant_types IS 'authorization_code, client_credentials, refresh_token.';
COMMENT ON COLUMN postern.client.post_logout_redirect_uris IS 'Where a person may be sent after logging out (OpenID Connect RP-Initiated Logout section 3).';

INSERT INTO postern.scope (scope, title, description) VALUES
    ('offline_access', 'Stay connected', 'The app keeps its access when you have signed out, until you disconnect it.');

ALTER TABLE postern.authorization_grant
    ADD COLUMN offline            boolean NOT NULL DEFAULT false,
    ADD COLUMN refresh_generation integer,
    ADD COLUMN refreshed_at       timestamptz;
COMMENT ON COLUMN postern.authorization_grant.offline IS 'offline_access: does not end with the login that it was made in.';
COMMENT ON COLUMN postern.authorization_grant.refresh_generation IS 'The live refresh token; NULL: none. An older one is a replay.';
COMMENT ON COLUMN postern.authorization_grant.refreshed_at IS 'When that generation began.';

CREATE TABLE postern.revoked_token (
    jti        text PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
CREATE INDEX revoked_token_expires_at_idx ON postern.revoked_token (expires_at);
COMMENT ON TABLE postern.revoked_token IS 'Single access tokens that were revoked; a row lives until its token would have expired.';

CREATE TABLE postern.api_key (
    id            uuid PRIMARY KEY,
    secret_sha256 bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
    sub           uuid NOT NULL,
    account_epoch integer NOT NULL,
    name          text NOT NULL CHECK (name <> '' AND octet_length(name) <= 255),
    scope         text[] NOT NULL,
    resource      text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL,
    last_used_at  timestamptz,
    revoked_at    timestamptz
);
CREATE INDEX api_key_sub_idx ON postern.api_key (sub);
CREATE INDEX api_key_expires_at_idx ON postern.api_key (expires_at);
COMMENT ON TABLE  postern.api_key IS 'Personal API keys: for a person''s own scripts, limited to scopes of one resource.';
COMMENT ON COLUMN postern.api_key.secret_sha256 IS 'SHA-256 of the key, which was shown once.';
COMMENT ON COLUMN postern.api_key.last_used_at IS 'To the minute.';
