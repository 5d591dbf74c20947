-- 0003-basis.sql: five rows stand for all that a token rests on
--
-- An endpoint may give an answer about a token once more when nothing that the answer
-- rests on has changed since (functions/still.sql).  That is a dozen rows; five of them
-- stand for all, each by its xmin, which is another one after every UPDATE: the grant,
-- its account, consent and login, which are looked at themselves, and the issuer, which
-- stands for everything that is registered.  So whoever changes a client, a resource, a
-- scope or a key writes the issuer's row in the same transaction, by these triggers, and
-- who revokes a single token writes its grant's.
--
-- What people do all the time (sign in, sign out, connect, disconnect) writes no row but
-- its own: nobody waits for anybody.
--
-- FOR EACH ROW and ENABLE ALWAYS: also what a subscription writes, and what is written
-- while session_replication_role is replica.

-- Once in a transaction is enough.  A touch that has no effect (a trigger or a policy of
-- somebody else's stands in its way) must not be taken for one.
CREATE FUNCTION postern.touch_issuer() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE postern.issuer SET name = name WHERE xmin <> pg_current_xact_id()::xid;
    IF NOT FOUND AND EXISTS (SELECT FROM postern.issuer i WHERE i.xmin <> pg_current_xact_id()::xid) THEN
        RAISE 'the row of postern.issuer could not be written: what endpoints remember would stand';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER touch_issuer AFTER UPDATE OR DELETE ON postern.client FOR EACH ROW EXECUTE FUNCTION postern.touch_issuer();
CREATE TRIGGER touch_issuer AFTER UPDATE OR DELETE ON postern.resource FOR EACH ROW EXECUTE FUNCTION postern.touch_issuer();
CREATE TRIGGER touch_issuer AFTER UPDATE OR DELETE ON postern.scope FOR EACH ROW EXECUTE FUNCTION postern.touch_issuer();
-- A new key signs instead of an old one.
CREATE TRIGGER touch_issuer AFTER INSERT OR UPDATE OR DELETE ON postern.signing_key FOR EACH ROW EXECUTE FUNCTION postern.touch_issuer();
CREATE TRIGGER touch_issuer AFTER INSERT OR UPDATE OR DELETE ON postern.mac_key FOR EACH ROW EXECUTE FUNCTION postern.touch_issuer();

CREATE TRIGGER touch_issuer_empty AFTER TRUNCATE ON postern.client EXECUTE FUNCTION postern.touch_issuer();
CREATE TRIGGER touch_issuer_empty AFTER TRUNCATE ON postern.resource EXECUTE FUNCTION postern.touch_issuer();
CREATE TRIGGER touch_issuer_empty AFTER TRUNCATE ON postern.scope EXECUTE FUNCTION postern.touch_issuer();
CREATE TRIGGER touch_issuer_empty AFTER TRUNCATE ON postern.signing_key EXECUTE FUNCTION postern.touch_issuer();
CREATE TRIGGER touch_issuer_empty AFTER TRUNCATE ON postern.mac_key EXECUTE FUNCTION postern.touch_issuer();

ALTER TABLE postern.revoked_token ADD COLUMN grant_id uuid;
COMMENT ON COLUMN postern.revoked_token.grant_id IS 'The grant that the token names; NULL if you do not know it.';

CREATE FUNCTION postern.touch_grant() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NEW.grant_id IS NULL THEN        -- written by hand: it may be of any
        UPDATE postern.issuer SET name = name WHERE xmin <> pg_current_xact_id()::xid;
    ELSE                                -- of one that is gone no answer stands
        UPDATE postern.authorization_grant SET client_id = client_id WHERE id = NEW.grant_id;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER touch_grant AFTER INSERT OR UPDATE ON postern.revoked_token FOR EACH ROW EXECUTE FUNCTION postern.touch_grant();

DO $$
DECLARE
    r record;
BEGIN
    FOR r IN SELECT t.tgrelid::regclass AS relation, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
              WHERE t.tgname ~ '^touch_' AND c.relnamespace = 'postern'::regnamespace
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', r.relation, r.tgname);
    END LOOP;
END
$$;
