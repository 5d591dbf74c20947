-- login: it can log people in, and nothing else.  It never sees a hash: it gets the
-- setting (method, cost, salt), computes crypt(3), and the result is compared here.

-- The app that the person is on the way to, and where it will be answered, if both
-- are registered.
CREATE OR REPLACE FUNCTION postern.login_client(p_client_id text, p_redirect_uri text, OUT client_name text, OUT redirect_uri text)
RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
SELECT c.client_name, a.redirect_uri
FROM postern.live_client c, postern.authorize_client(p_client_id, p_redirect_uri) a
WHERE c.client_id = p_client_id AND a.outcome = 'ok'
$$;

-- What is throttled: the name as such, known or not, and the address (a whole /64
-- in IPv6, because one person has that many; but IPv4 as IPv6 writes it, which a web
-- server that listens for both reports, is IPv4: all of it lies in a single /64).
CREATE OR REPLACE FUNCTION postern.throttle_account(p_login_name text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT 'account:' || encode(sha256(convert_to(postern.canonical_login_name(p_login_name), 'UTF8')), 'hex') $$;

CREATE OR REPLACE FUNCTION postern.throttle_address(p_address text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_address inet;
BEGIN
    v_address := p_address::inet;
    RETURN 'address:' || CASE
        WHEN v_address <<= '::ffff:0:0/96'::inet THEN substring(host(v_address) FROM '[0-9.]+$')
        WHEN family(v_address) = 6 THEN host(network(set_masklen(v_address, 64)))
        ELSE host(v_address) END;
EXCEPTION WHEN invalid_text_representation THEN
    RETURN 'address:unknown';   -- fail closed: all unknown addresses share a budget
END
$$;

-- Count an attempt.  NULL: it may go on; else how long to wait.  One statement, so
-- that parallel guesses are counted one by one (SEC-LOGIN-02).  The first p_free
-- attempts are free, then the wait doubles up to a quarter of an hour; the hundredth
-- failure of an account in a row is the last for a day (NIST SP 800-63B-4 section 3.2.2).
CREATE OR REPLACE FUNCTION postern.throttle_count(p_subject text, p_free integer) RETURNS interval
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_wait interval;
BEGIN
    INSERT INTO postern.login_throttle AS t (subject, failures, blocked_until, expires_at)
    VALUES (p_subject, 1, clock_timestamp(), clock_timestamp() + interval '1 day')
    ON CONFLICT (subject) DO UPDATE SET
        failures = CASE WHEN t.expires_at < clock_timestamp() THEN 1 ELSE t.failures + 1 END,
        blocked_until = clock_timestamp() + CASE
            WHEN t.expires_at < clock_timestamp() OR t.failures + 1 < p_free THEN interval '0'
            WHEN t.failures + 1 >= 100 AND starts_with(p_subject, 'account:') THEN interval '1 day'
            ELSE make_interval(secs => least(900, 2 ^ least(t.failures + 1 - p_free, 20))) END,
        expires_at = clock_timestamp() + interval '1 day'
    WHERE t.blocked_until <= clock_timestamp();
    IF FOUND THEN
        RETURN NULL;
    END IF;
    SELECT t.blocked_until - clock_timestamp() INTO v_wait FROM postern.login_throttle t WHERE t.subject = p_subject;
    RETURN greatest(v_wait, interval '1 second');
END
$$;

-- Begin an attempt.  outcome: ok (compute crypt with setting), throttled (wait).
-- An unknown name gets a setting as well, always the same for the same name.
CREATE OR REPLACE FUNCTION postern.login_begin(p_login_name text, p_address text,
    OUT outcome text, OUT setting text, OUT wait_seconds bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_wait interval;
BEGIN
    v_wait := postern.throttle_count(postern.throttle_address(p_address), 50);
    IF v_wait IS NULL THEN
        v_wait := postern.throttle_count(postern.throttle_account(p_login_name), 5);
    END IF;
    IF v_wait IS NOT NULL THEN
        outcome := 'throttled';
        wait_seconds := ceil(extract(epoch FROM v_wait));
        RETURN;
    END IF;
    outcome := 'ok';
    -- Everything but the hash itself: bcrypt's is not set off by a '$'.
    SELECT CASE WHEN a.password_hash LIKE '$2%' THEN left(a.password_hash, 29)
                ELSE regexp_replace(a.password_hash, '\$[^$]*$', '') END INTO setting
      FROM postern.live_account a
     WHERE postern.canonical_login_name(a.login_name) = postern.canonical_login_name(p_login_name);
    IF setting IS NULL THEN
        SELECT '$y$j9T$' || substr(encode(sha256(m.key || convert_to(postern.canonical_login_name(p_login_name), 'UTF8')), 'hex'), 1, 24)
          INTO setting FROM postern.mac_key m ORDER BY m.created_at DESC LIMIT 1;
    END IF;
END
$$;

-- Finish an attempt: make a session and end the browser's old one.  outcome: ok, wrong.
CREATE OR REPLACE FUNCTION postern.login_finish(
    p_login_name text, p_address text, p_hash text,
    p_new_id uuid, p_new_sha256 bytea, p_old_id uuid, p_old_sha256 bytea,
    p_login_for bytea, p_user_agent text,
    OUT outcome text, OUT sub text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO postern.session (id, secret_sha256, sub, account_epoch, login_for, expires_at, address, user_agent)
    SELECT p_new_id, p_new_sha256, a.sub, a.epoch, p_login_for, now() + i.session_lifetime, p_address, left(p_user_agent, 255)
      FROM postern.live_account a CROSS JOIN postern.issuer i
     WHERE postern.canonical_login_name(a.login_name) = postern.canonical_login_name(p_login_name)
       AND a.password_hash = p_hash AND i.only_row
    RETURNING session.sub INTO login_finish.sub;
    IF login_finish.sub IS NULL THEN
        outcome := 'wrong';
        RETURN;
    END IF;
    UPDATE postern.session o SET ended_at = now()
     WHERE o.id = p_old_id AND o.secret_sha256 = p_old_sha256 AND o.ended_at IS NULL;
    -- In the order in which login_begin counts: two at once would else wait for each other.
    UPDATE postern.login_throttle t SET failures = greatest(t.failures - 1, 0), blocked_until = now()
     WHERE t.subject = postern.throttle_address(p_address);
    DELETE FROM postern.login_throttle t WHERE t.subject = postern.throttle_account(p_login_name);
    outcome := 'ok';
END
$$;
