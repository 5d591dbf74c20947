-- ceiling.sql: the tables of ceiling.c; a client, a session and a code, no more

CREATE TABLE client (
    id     integer PRIMARY KEY,
    secret text NOT NULL,
    data   text NOT NULL
);
CREATE TABLE session (
    id     integer PRIMARY KEY,
    client text NOT NULL,
    sub    uuid NOT NULL,
    scope  text NOT NULL
);
-- fillfactor as in postern.authorization_grant: a redemption stays on its page.
CREATE TABLE code (
    id          uuid PRIMARY KEY,
    client      text NOT NULL,
    sub         uuid NOT NULL,
    scope       text NOT NULL,
    challenge   text NOT NULL,
    nonce       text NOT NULL,
    expires_at  timestamptz NOT NULL,
    redeemed_at timestamptz
) WITH (fillfactor = 80);

INSERT INTO client SELECT i, md5(i::text), repeat('x', 200) FROM generate_series(0, 999) AS i;
INSERT INTO session SELECT i, 'ceiling', gen_random_uuid(), 'openid files.read' FROM generate_series(0, 999) AS i;
ANALYZE;
