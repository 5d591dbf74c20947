-- 0003-basis.sql: three rows stand for all that a token rests on
--
-- An endpoint may give an answer about a token once more when nothing that the answer
-- rests on has changed since (functions/still.sql).  That is a dozen rows; three of
-- them stand for all: the grant, its account and the issuer, each by its xmin, which is
-- another one after every UPDATE.  So whatever takes something away from a token
-- writes one of these three in the same transaction:
--
--   a login that ends, a consent that goes or shrinks    the account
--   a client, resource, scope or key that changes        the issuer
--   a single token that is revoked                       its grant
--
-- ENABLE ALWAYS: also while a dump is restored or a subscription writes.

-- What is registered: statements of an administrator.
CREATE FUNCTION postern.touch_issuer() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE postern.issuer SET name = name;
    RETURN NULL;
END
$$;

CREATE TRIGGER touch_issuer AFTER UPDATE OR DELETE OR TRUNCATE ON postern.client EXECUTE FUNCTION postern.touch_issuer();
CREATE TRIGGER touch_issuer AFTER UPDATE OR DELETE OR TRUNCATE ON postern.resource EXECUTE FUNCTION postern.touch_issuer();
CREATE TRIGGER touch_issuer AFTER UPDATE OR DELETE OR TRUNCATE ON postern.scope EXECUTE FUNCTION postern.touch_issuer();
-- A new key signs instead of an old one.
CREATE TRIGGER touch_issuer AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON postern.signing_key EXECUTE FUNCTION postern.touch_issuer();
CREATE TRIGGER touch_issuer AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON postern.mac_key EXECUTE FUNCTION postern.touch_issuer();
-- Nobody can say any more whose these were.
CREATE TRIGGER touch_issuer AFTER TRUNCATE ON postern.session EXECUTE FUNCTION postern.touch_issuer();
CREATE TRIGGER touch_issuer AFTER TRUNCATE ON postern.consent EXECUTE FUNCTION postern.touch_issuer();

-- What a person has: what was theirs before the change counts.
CREATE FUNCTION postern.touch_account() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE postern.account SET name = name WHERE sub = OLD.sub;
    RETURN NULL;
END
$$;

-- What is written at each use (last_seen_at, login_for) ends nothing, and no answer
-- outlives expires_at.
CREATE TRIGGER touch_account_end AFTER UPDATE OF id, sub, expires_at, ended_at ON postern.session
FOR EACH ROW EXECUTE FUNCTION postern.touch_account();
CREATE TRIGGER touch_account_gone AFTER DELETE ON postern.session
FOR EACH ROW WHEN (OLD.ended_at IS NULL AND OLD.expires_at > now()) EXECUTE FUNCTION postern.touch_account();
-- Consent that only grows ends nothing.
CREATE TRIGGER touch_account_end AFTER UPDATE ON postern.consent
FOR EACH ROW WHEN ((OLD.id, OLD.sub, OLD.client_id) IS DISTINCT FROM (NEW.id, NEW.sub, NEW.client_id) OR NOT NEW.scope @> OLD.scope)
EXECUTE FUNCTION postern.touch_account();
CREATE TRIGGER touch_account_gone AFTER DELETE ON postern.consent
FOR EACH ROW EXECUTE FUNCTION postern.touch_account();

ALTER TABLE postern.revoked_token ADD COLUMN grant_id uuid;
COMMENT ON COLUMN postern.revoked_token.grant_id IS 'The grant that the token names.';

CREATE FUNCTION postern.touch_grant() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE postern.authorization_grant SET client_id = client_id WHERE id = NEW.grant_id;
    IF NOT FOUND THEN       -- written by hand, and it does not say which: any
        UPDATE postern.issuer SET name = name;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER touch_grant AFTER INSERT OR UPDATE ON postern.revoked_token FOR EACH ROW EXECUTE FUNCTION postern.touch_grant();

DO $$
DECLARE
    r record;
BEGIN
    FOR r IN SELECT t.tgrelid::regclass AS relation, t.tgname FROM pg_trigger t
              WHERE t.tgname ~ '^touch_' AND t.tgrelid IN (SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'postern'::regnamespace)
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', r.relation, r.tgname);
    END LOOP;
END
$$;
