-- ceiling.sql: the tables of ceiling.c
--
-- What every server that keeps its state in a database needs, in rows about as wide
-- as Postern's; nothing references anything, nothing is checked.  The 1000 rows of
-- each are numbered: an id is row_id(number), of a client 'client-number'.

CREATE FUNCTION row_id(i integer) RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN ('00000000-0000-4000-8000-' || lpad(to_hex(i), 12, '0'))::uuid;

CREATE TABLE client (
    client_id     text PRIMARY KEY,
    name          text NOT NULL,
    secret        bytea NOT NULL,
    redirect_uris text[] NOT NULL,
    grant_types   text[] NOT NULL,
    scope         text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE account (
    sub        uuid PRIMARY KEY,
    login_name text NOT NULL,
    name       text NOT NULL,
    email      text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE session (
    id           uuid PRIMARY KEY,
    secret       bytea NOT NULL,
    sub          uuid NOT NULL,
    auth_time    timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL
);
CREATE TABLE consent (
    sub        uuid NOT NULL,
    client_id  text NOT NULL,
    scope      text[] NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sub, client_id)
);
-- One row an authorization: the code, then the refresh token.  fillfactor: an update
-- stays on its page.  The second index is what finds the rows that may leave.
CREATE TABLE authorization_grant (
    id            uuid PRIMARY KEY,
    client_id     text NOT NULL,
    sub           uuid NOT NULL,
    session_id    uuid NOT NULL,
    scope         text[] NOT NULL,
    resource      text NOT NULL,
    code_digest   bytea NOT NULL,
    redirect_uri  text NOT NULL,
    challenge     text NOT NULL,
    nonce         text,
    auth_time     timestamptz NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    redeemed_at   timestamptz,
    refresh_token uuid,
    refreshed_at  timestamptz,
    expires_at    timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX ON authorization_grant (expires_at);
CREATE TABLE resource (
    resource text PRIMARY KEY,
    name     text NOT NULL,
    lifetime interval NOT NULL DEFAULT '10 minutes'
);

-- What an endpoint's role may do: call this, and read no table.
CREATE FUNCTION userinfo(p_id uuid,
    OUT scope text[], OUT expires_at timestamptz, OUT sub uuid, OUT login_name text, OUT name text, OUT email text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    SELECT g.scope, g.expires_at, a.sub, a.login_name, a.name, a.email
      INTO userinfo.scope, userinfo.expires_at, userinfo.sub, userinfo.login_name, userinfo.name, userinfo.email
      FROM public.authorization_grant g JOIN public.account a ON a.sub = g.sub WHERE g.id = p_id;
END
$$;

INSERT INTO client
SELECT 'client-' || i, 'Client ' || i, sha256('secret'), '{http://localhost/callback}',
       '{authorization_code,refresh_token,client_credentials}', 'openid files.read'
  FROM generate_series(0, 999) AS i;
INSERT INTO account
SELECT row_id(i), 'person' || i, 'Person ' || i, 'person' || i || '@example.org' FROM generate_series(0, 999) AS i;
INSERT INTO session
SELECT row_id(i), sha256('cookie'), row_id(i), now(), now(), now() + interval '1 day' FROM generate_series(0, 999) AS i;
INSERT INTO resource SELECT 'http://localhost/' || w, w FROM unnest('{files,vault}'::text[]) AS w;
INSERT INTO consent SELECT row_id(i), 'client-' || i, '{openid,files.read}' FROM generate_series(0, 999) AS i;
INSERT INTO authorization_grant
SELECT row_id(i), 'client-' || i, row_id(i), row_id(i), '{openid,files.read}', 'http://localhost/files', sha256('code'),
       'http://localhost/callback', 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', 'n-0S6_WzA2Mj', now(), now(), now(),
       row_id(i), now(), now() + interval '1 day'
  FROM generate_series(0, 999) AS i;
VACUUM ANALYZE;
