-- 0001-foundation.sql: who we are, who may do what, and what has been granted
--
-- Administration is SQL on these tables; \d+ postern.client is the manual.  A row
-- that would be unsafe cannot be stored: the name of the constraint that refuses
-- it says what to change.  Endpoints never see a table: they call functions.
--
-- Column names are those of RFC 7591 and OpenID Connect Dynamic Client
-- Registration where those have one.

-- What the constraints ask.  Immutable and pure, so that a dump can be restored.

CREATE FUNCTION postern.is_redirect_uri(uri text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN octet_length(uri) <= 2048
   AND uri !~ '[^\x21-\x7e]'            -- printable ASCII, no space
   AND uri !~ '[#"<>\\^`{|}*]'          -- no fragment (RFC 6749 section 3.1.2), no wildcard
   AND (uri ~ '^https://[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?(:[0-9]{1,5})?([/?]|$)'
     OR uri ~ '^https://\[[0-9a-fA-F:]+\](:[0-9]{1,5})?([/?]|$)'
     OR uri ~ '^http://(localhost|([a-z0-9-]+\.)+localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?([/?]|$)'
     OR uri ~ '^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:/');   -- RFC 8252 section 7.1: reverse domain name

CREATE FUNCTION postern.are_redirect_uris(uris text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN NOT EXISTS (SELECT FROM unnest(uris) AS u(uri) WHERE postern.is_redirect_uri(u.uri) IS NOT TRUE);

CREATE FUNCTION postern.is_web_uri(uri text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN octet_length(uri) <= 2048 AND uri !~ '[^\x21-\x7e]' AND uri !~ '["<>\\^`{|}]'
   AND (uri ~ '^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?]|$)'
     OR uri ~ '^http://(localhost|([a-z0-9-]+\.)+localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?([/?]|$)');

-- Space-separated scope tokens, each at most once (RFC 6749 section 3.3).
CREATE FUNCTION postern.is_scope_list(scope text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN scope ~ '^([\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*)?$'
   AND (SELECT count(*) = count(DISTINCT s) FROM unnest(string_to_array(scope, ' ')) AS s);

-- One spelling of a login name, for every channel (SEC-LOGIN-04).
CREATE FUNCTION postern.canonical_login_name(name text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN lower(btrim(normalize(name, NFKC)));   -- NFKC makes plain spaces of the others


CREATE TABLE postern.issuer (
    only_row              boolean PRIMARY KEY DEFAULT true,
    url                   text NOT NULL,
    name                  text NOT NULL DEFAULT 'Postern',
    code_lifetime         interval NOT NULL DEFAULT '60 seconds',
    access_token_lifetime interval NOT NULL DEFAULT '10 minutes',
    id_token_lifetime     interval NOT NULL DEFAULT '10 minutes',
    session_idle_lifetime interval NOT NULL DEFAULT '1 day',
    session_lifetime      interval NOT NULL DEFAULT '14 days',
    CONSTRAINT "there is one issuer: update its row" CHECK (only_row),
    CONSTRAINT "issuer is https (http on loopback), no slash at its end" CHECK (
        url ~ '^https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[1-9][0-9]{0,4})?(/[A-Za-z0-9._~-]+)*$' OR
        url ~ '^http://(localhost|([a-z0-9-]+\.)+localhost|127\.0\.0\.1|\[::1\])(:[1-9][0-9]{0,4})?(/[A-Za-z0-9._~-]+)*$'),
    CONSTRAINT "a code lives 10 seconds to 10 minutes" CHECK (code_lifetime BETWEEN '10 seconds' AND '10 minutes'),
    CONSTRAINT "an access token lives 10 seconds to 1 day" CHECK (access_token_lifetime BETWEEN '10 seconds' AND '1 day'),
    CONSTRAINT "an ID token lives 10 seconds to 1 day" CHECK (id_token_lifetime BETWEEN '10 seconds' AND '1 day'),
    CONSTRAINT "a session lives 1 minute to 1 year" CHECK (
        session_idle_lifetime >= '1 minute' AND session_lifetime BETWEEN session_idle_lifetime AND '1 year')
);
COMMENT ON TABLE  postern.issuer IS 'This authorization server (RFC 8414). One row.';
COMMENT ON COLUMN postern.issuer.url IS 'Issuer identifier: what clients compare with iss. Every URL, cookie path and link comes from it.';
COMMENT ON COLUMN postern.issuer.name IS 'What people read on the pages.';
COMMENT ON COLUMN postern.issuer.code_lifetime IS 'Authorization code, from issue to redemption (RFC 9700: short).';
COMMENT ON COLUMN postern.issuer.access_token_lifetime IS 'Access token, unless the resource says otherwise.';
COMMENT ON COLUMN postern.issuer.id_token_lifetime IS 'ID token.';
COMMENT ON COLUMN postern.issuer.session_idle_lifetime IS 'A login ends after this long without use.';
COMMENT ON COLUMN postern.issuer.session_lifetime IS 'A login ends after this long in any case.';


CREATE TABLE postern.resource (
    resource              text PRIMARY KEY,
    name                  text NOT NULL,
    access_token_lifetime interval,
    disabled_at           timestamptz,
    CONSTRAINT "a resource is an absolute URI without fragment" CHECK (
        octet_length(resource) <= 1024 AND resource ~ '^[a-z][a-z0-9+.-]*:[\x21\x24-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+$'),
    CONSTRAINT "an access token lives 10 seconds to 1 day" CHECK (access_token_lifetime BETWEEN '10 seconds' AND '1 day')
);
COMMENT ON TABLE  postern.resource IS 'A resource server: something that accepts our access tokens.';
COMMENT ON COLUMN postern.resource.resource IS 'Resource indicator (RFC 8707) and aud of its access tokens (RFC 9068).';
COMMENT ON COLUMN postern.resource.name IS 'What people read on the consent page.';
COMMENT ON COLUMN postern.resource.access_token_lifetime IS 'Instead of the issuer''s.';
COMMENT ON COLUMN postern.resource.disabled_at IS 'Set: its tokens are refused and no new ones are issued.';


CREATE TABLE postern.scope (
    scope       text PRIMARY KEY,
    resource    text REFERENCES postern.resource ON UPDATE CASCADE,
    title       text NOT NULL,
    description text NOT NULL DEFAULT '',
    sensitive   boolean NOT NULL DEFAULT false,
    CONSTRAINT "a scope is one word of RFC 6749 section 3.3" CHECK (
        octet_length(scope) <= 128 AND scope <> '' AND postern.is_scope_list(scope) AND strpos(scope, ' ') = 0),
    CONSTRAINT "say in title what the scope allows, in a few words" CHECK (title <> '')
);
COMMENT ON TABLE  postern.scope IS 'A right that a client can ask for. The words are what a person reads before allowing it.';
COMMENT ON COLUMN postern.scope.scope IS 'Scope value (RFC 6749 section 3.3).';
COMMENT ON COLUMN postern.scope.resource IS 'The resource it belongs to; NULL: identity, answered by userinfo.';
COMMENT ON COLUMN postern.scope.title IS 'The right in a few words: "See your files".';
COMMENT ON COLUMN postern.scope.description IS 'One sentence more.';
COMMENT ON COLUMN postern.scope.sensitive IS 'Marked on the consent page.';

INSERT INTO postern.scope (scope, title, description) VALUES
    ('openid',  'Know who you are', 'A stable identifier of your account here.'),
    ('profile', 'See your profile', 'Your name as it stands in your account.'),
    ('email',   'See your e-mail address', 'The address, and whether it was verified.');


CREATE TABLE postern.account (
    sub            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    login_name     text NOT NULL,
    name           text,
    email          text,
    email_verified boolean NOT NULL DEFAULT false,
    password_hash  text,
    disabled_at    timestamptz,
    epoch          integer NOT NULL DEFAULT 0,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT "login_name has 1 to 255 bytes and no control characters" CHECK (
        octet_length(login_name) BETWEEN 1 AND 255 AND login_name !~ '[[:cntrl:]]' AND btrim(login_name) <> ''),
    CONSTRAINT "make password_hash with: postern passwd" CHECK (
        password_hash ~ '^\$(y|2a|2b|2y|6)\$[./A-Za-z0-9$=,]{20,}$')
);
CREATE UNIQUE INDEX account_login_name_key ON postern.account (postern.canonical_login_name(login_name));
COMMENT ON TABLE  postern.account IS 'A person who can log in.';
COMMENT ON COLUMN postern.account.sub IS 'Subject identifier: never changes, never reused.';
COMMENT ON COLUMN postern.account.login_name IS 'What the person types; compared without regard to case and Unicode form.';
COMMENT ON COLUMN postern.account.name IS 'Full name (claim name).';
COMMENT ON COLUMN postern.account.email IS 'Claim email.';
COMMENT ON COLUMN postern.account.email_verified IS 'Claim email_verified.';
COMMENT ON COLUMN postern.account.password_hash IS 'crypt(5) string, from "postern passwd" or crypt(..., gen_salt(''bf'', 12)) of pgcrypto. NULL: no password login.';
COMMENT ON COLUMN postern.account.disabled_at IS 'Set: nothing of this account works, at once.';
COMMENT ON COLUMN postern.account.epoch IS 'Add 1 to end every session and every grant of the account.';


CREATE TABLE postern.client (
    client_id                    text PRIMARY KEY,
    client_name                  text NOT NULL,
    client_uri                   text,
    logo_uri                     text,
    policy_uri                   text,
    tos_uri                      text,
    contacts                     text[] NOT NULL DEFAULT '{}',
    redirect_uris                text[] NOT NULL DEFAULT '{}',
    grant_types                  text[] NOT NULL DEFAULT '{authorization_code}',
    response_types               text[] NOT NULL DEFAULT '{code}',
    scope                        text NOT NULL DEFAULT '',
    token_endpoint_auth_method   text NOT NULL DEFAULT 'client_secret_basic',
    client_secret_sha256         bytea,
    id_token_signed_response_alg text NOT NULL DEFAULT 'RS256',
    profile                      text NOT NULL DEFAULT 'oauth2.1',
    consent                      text NOT NULL DEFAULT 'explicit',
    disabled_at                  timestamptz,
    epoch                        integer NOT NULL DEFAULT 0,
    created_at                   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT "client_id has 1 to 255 visible ASCII characters" CHECK (client_id ~ '^[\x21-\x7e]{1,255}$'),
    CONSTRAINT "client_id must not look like an account's sub" CHECK (
        client_id !~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'),
    CONSTRAINT "client_name is what people will read on the consent page" CHECK (
        btrim(client_name) <> '' AND octet_length(client_name) <= 255 AND client_name !~ '[[:cntrl:]]'
        AND client_name !~ U&'[\200E\200F\202A-\202E\2066-\2069]'),
    CONSTRAINT "client_uri, logo_uri, policy_uri and tos_uri are https URLs" CHECK (
        coalesce(postern.is_web_uri(client_uri), true) AND coalesce(postern.is_web_uri(logo_uri), true) AND
        coalesce(postern.is_web_uri(policy_uri), true) AND coalesce(postern.is_web_uri(tos_uri), true)),
    CONSTRAINT "a redirect URI is https, http on loopback, or a.domain:/" CHECK (
        postern.are_redirect_uris(redirect_uris)),
    CONSTRAINT "grant_types: authorization_code, client_credentials" CHECK (
        grant_types <@ '{authorization_code,client_credentials}'),
    CONSTRAINT "response_types: code" CHECK (response_types <@ '{code}'),
    CONSTRAINT "authorization_code needs a redirect URI and response type code" CHECK (
        NOT 'authorization_code' = ANY (grant_types) OR (cardinality(redirect_uris) > 0 AND 'code' = ANY (response_types))),
    CONSTRAINT "scope is a list of scopes with single spaces, each once" CHECK (
        octet_length(scope) <= 2048 AND postern.is_scope_list(scope)),
    CONSTRAINT "auth method: client_secret_basic, client_secret_post or none" CHECK (
        token_endpoint_auth_method IN ('client_secret_basic', 'client_secret_post', 'none')),
    CONSTRAINT "a client with a secret needs client_secret_sha256, others none" CHECK (
        (token_endpoint_auth_method = 'none') = (client_secret_sha256 IS NULL)),
    CONSTRAINT "client_secret_sha256 is sha256(the secret), 32 bytes" CHECK (octet_length(client_secret_sha256) = 32),
    CONSTRAINT "the secret must not be empty" CHECK (client_secret_sha256 <> sha256('')),
    CONSTRAINT "client_credentials needs a client with a secret" CHECK (
        NOT 'client_credentials' = ANY (grant_types) OR token_endpoint_auth_method <> 'none'),
    CONSTRAINT "id_token_signed_response_alg: ES256, RS256, PS256, EdDSA" CHECK (
        id_token_signed_response_alg IN ('ES256', 'RS256', 'PS256', 'EdDSA')),
    CONSTRAINT "profile: oauth2.1 or oidc-classic" CHECK (profile IN ('oauth2.1', 'oidc-classic')),
    CONSTRAINT "consent: explicit, or implied for your own apps" CHECK (consent IN ('explicit', 'implied'))
);
COMMENT ON TABLE  postern.client IS 'An app that may ask for access (RFC 7591 section 2).';
COMMENT ON COLUMN postern.client.client_id IS 'Client identifier.';
COMMENT ON COLUMN postern.client.client_name IS 'What people read on the consent page.';
COMMENT ON COLUMN postern.client.client_uri IS 'Home page of the app.';
COMMENT ON COLUMN postern.client.logo_uri IS 'Its logo; loaded by the person''s browser.';
COMMENT ON COLUMN postern.client.policy_uri IS 'How it uses the data; linked from the consent page.';
COMMENT ON COLUMN postern.client.tos_uri IS 'Its terms of service; linked from the consent page.';
COMMENT ON COLUMN postern.client.contacts IS 'E-mail addresses of the people responsible; for you.';
COMMENT ON COLUMN postern.client.redirect_uris IS 'Compared byte by byte; only the port of http://127.0.0.1 and http://[::1] is free (RFC 8252 section 7.3).';
COMMENT ON COLUMN postern.client.grant_types IS 'authorization_code, client_credentials.';
COMMENT ON COLUMN postern.client.response_types IS 'code.';
COMMENT ON COLUMN postern.client.scope IS 'The most it may ask for, and what it gets when it asks for nothing; space-separated.';
COMMENT ON COLUMN postern.client.token_endpoint_auth_method IS 'client_secret_basic, client_secret_post, or none (public client: runs in a browser or on a phone).';
COMMENT ON COLUMN postern.client.client_secret_sha256 IS 'sha256(''the secret''); make the secret at random, 32 bytes or more.';
COMMENT ON COLUMN postern.client.id_token_signed_response_alg IS 'RS256 as the specification''s default; ES256 is 14 times cheaper.';
COMMENT ON COLUMN postern.client.profile IS 'oauth2.1: PKCE always. oidc-classic: what older clients need.';
COMMENT ON COLUMN postern.client.consent IS 'explicit: people are asked. implied: your own app, people are not asked.';
COMMENT ON COLUMN postern.client.disabled_at IS 'Set: nothing of this client works, at once.';
COMMENT ON COLUMN postern.client.epoch IS 'Add 1 to end every grant of the client.';


CREATE TABLE postern.signing_key (
    kid          text PRIMARY KEY,
    alg          text NOT NULL,
    public_jwk   json NOT NULL,
    private_key  text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    active_from  timestamptz NOT NULL DEFAULT now(),
    retired_at   timestamptz,
    CONSTRAINT "make keys with: postern key add" CHECK (
        alg IN ('ES256', 'RS256', 'PS256', 'EdDSA')
        AND (kid = public_jwk ->> 'kid') IS TRUE AND (alg = public_jwk ->> 'alg') IS TRUE AND public_jwk ->> 'd' IS NULL AND private_key LIKE '-----BEGIN PRIVATE KEY-----%')
);
COMMENT ON TABLE  postern.signing_key IS 'Keys that sign our tokens. The newest active key of an algorithm signs.';
COMMENT ON COLUMN postern.signing_key.kid IS 'JWK thumbprint (RFC 7638).';
COMMENT ON COLUMN postern.signing_key.alg IS 'The one algorithm this key is used with.';
COMMENT ON COLUMN postern.signing_key.public_jwk IS 'What jwks publishes.';
COMMENT ON COLUMN postern.signing_key.private_key IS 'PKCS #8, PEM. Only the role of token can have it, through a function.';
COMMENT ON COLUMN postern.signing_key.active_from IS 'Published at once, signs from here on, so that clients have seen it.';
COMMENT ON COLUMN postern.signing_key.retired_at IS 'Set: no longer published, its tokens no longer accepted.';


CREATE TABLE postern.mac_key (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    key        bytea NOT NULL DEFAULT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT "a MAC key has 32 bytes" CHECK (octet_length(key) = 32)
);
INSERT INTO postern.mac_key DEFAULT VALUES;
COMMENT ON TABLE  postern.mac_key IS 'Symmetric keys. No role can read them: what they make and check is made and checked in functions.';
COMMENT ON COLUMN postern.mac_key.key IS '256 bits from the server''s random generator. A stolen backup includes them.';


-- Below: written by the endpoints' functions, read by people who look after them.

CREATE TABLE postern.session (
    id            uuid PRIMARY KEY,
    secret_sha256 bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
    sub           uuid NOT NULL,
    account_epoch integer NOT NULL,
    auth_time     timestamptz NOT NULL DEFAULT now(),
    login_for     bytea,
    last_seen_at  timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL,
    ended_at      timestamptz,
    address       text,
    user_agent    text
);
CREATE INDEX session_sub_idx ON postern.session (sub);
CREATE INDEX session_expires_at_idx ON postern.session (expires_at);
COMMENT ON TABLE  postern.session IS 'A login in one browser.';
COMMENT ON COLUMN postern.session.id IS 'First part of the cookie; also the claim sid.';
COMMENT ON COLUMN postern.session.secret_sha256 IS 'SHA-256 of the cookie.';
COMMENT ON COLUMN postern.session.login_for IS 'SHA-256 of the authorization request that this login was made for: satisfies its prompt=login and max_age once.';
COMMENT ON COLUMN postern.session.ended_at IS 'Set: signed out.';

CREATE TABLE postern.login_throttle (
    subject       text PRIMARY KEY,
    failures      integer NOT NULL,
    blocked_until timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL
);
CREATE INDEX login_throttle_expires_at_idx ON postern.login_throttle (expires_at);
COMMENT ON TABLE  postern.login_throttle IS 'Failed logins per account name and per address. DELETE a row to unblock.';
COMMENT ON COLUMN postern.login_throttle.subject IS 'account:SHA-256 of the canonical login name, or address:the address (IPv6: its /64).';
COMMENT ON COLUMN postern.login_throttle.failures IS 'Attempts since the last success, counted before the password is checked.';

CREATE TABLE postern.consent (
    sub        uuid NOT NULL,
    client_id  text NOT NULL,
    id         uuid NOT NULL DEFAULT gen_random_uuid(),
    scope      text[] NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sub, client_id)
);
COMMENT ON TABLE  postern.consent IS 'What a person has allowed a client. DELETE a row to disconnect: every grant that rests on it is dead at once.';
COMMENT ON COLUMN postern.consent.id IS 'Copied into grants: consent given anew does not revive what was disconnected.';
COMMENT ON COLUMN postern.consent.scope IS 'What was allowed so far.';

CREATE TABLE postern.authorization_request (
    id            uuid PRIMARY KEY,
    secret_sha256 bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
    session_id    uuid NOT NULL,
    client_id     text NOT NULL,
    redirect_uri  text NOT NULL,
    query         text NOT NULL,
    scope         text[] NOT NULL,
    decision      text CHECK (decision IN ('allow', 'deny')),
    expires_at    timestamptz NOT NULL
);
CREATE INDEX authorization_request_session_id_idx ON postern.authorization_request (session_id);
CREATE INDEX authorization_request_expires_at_idx ON postern.authorization_request (expires_at);
COMMENT ON TABLE  postern.authorization_request IS 'A request that waits for a person''s consent, bound to that person''s session.';
COMMENT ON COLUMN postern.authorization_request.query IS 'The request itself; consent sends the browser back with it.';
COMMENT ON COLUMN postern.authorization_request.decision IS 'NULL until decided; used up by authorize.';

CREATE TABLE postern.authorization_grant (
    id              uuid PRIMARY KEY,
    client_id       text NOT NULL,
    client_epoch    integer NOT NULL,
    sub             uuid,
    account_epoch   integer,
    consent_id      uuid,
    session_id      uuid,
    scope           text[] NOT NULL,
    resource        text,
    code_sha256     bytea CHECK (octet_length(code_sha256) = 32),
    redirect_uri    text,
    code_challenge  text,
    nonce           text,
    auth_time       timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    code_expires_at timestamptz,
    redeemed_at     timestamptz,
    expires_at      timestamptz NOT NULL,
    revoked_at      timestamptz,
    revoked_because text
) WITH (fillfactor = 80);
CREATE INDEX authorization_grant_expires_at_idx ON postern.authorization_grant (expires_at);
COMMENT ON TABLE  postern.authorization_grant IS 'One authorization (RFC 6749 section 1.3). Access tokens name it and cost no row. One per client for client_credentials.';
COMMENT ON COLUMN postern.authorization_grant.id IS 'First part of the code; claim grant_id of the access tokens.';
COMMENT ON COLUMN postern.authorization_grant.sub IS 'NULL: the client itself.';
COMMENT ON COLUMN postern.authorization_grant.redirect_uri IS 'As the request had it; NULL: it had none.';
COMMENT ON COLUMN postern.authorization_grant.code_sha256 IS 'SHA-256 of the code.';
COMMENT ON COLUMN postern.authorization_grant.redeemed_at IS 'Set once. A second redemption revokes the grant.';
COMMENT ON COLUMN postern.authorization_grant.expires_at IS 'No token of this grant lives longer; later the row may be swept.';
