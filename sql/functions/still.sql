-- still: is what an answer rests on (postern.basis) as it was?  Then the endpoint that
-- remembers the answer may give it once more, without that anything is worked out again.
-- Which rows these are, and what has to be written so that this sees it: ../0003-basis.sql.
--
-- NULL: no, ask again.  Else the time, in seconds since 1970.
CREATE OR REPLACE FUNCTION postern.still(
    p_grant_id uuid, p_grant_version xid, p_account_version xid, p_consent_version xid, p_session_version xid,
    p_issuer_version xid, p_until bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now    double precision := date_part('epoch', clock_timestamp());
    v_stands boolean;
BEGIN
    IF p_until IS NULL OR p_until <= v_now THEN
        RETURN NULL;
    END IF;
    SELECT EXISTS (SELECT FROM postern.issuer i WHERE i.only_row AND i.xmin = p_issuer_version)
       AND (g.sub IS NULL
            OR EXISTS (SELECT FROM postern.account a WHERE a.sub = g.sub AND a.xmin = p_account_version)
               AND EXISTS (SELECT FROM postern.consent k WHERE k.sub = g.sub AND k.client_id = g.client_id AND k.xmin = p_consent_version)
               AND (g.offline OR EXISTS (SELECT FROM postern.session s WHERE s.id = g.session_id AND s.xmin = p_session_version)))
      INTO v_stands FROM postern.authorization_grant g WHERE g.id = p_grant_id AND g.xmin = p_grant_version;
    RETURN CASE WHEN v_stands THEN floor(v_now) END;
END
$$;

-- Which version the issuer's row has.  A STABLE function sees what the call that asks it saw when it
-- began, also if it has to wait for a lock on the table.
CREATE OR REPLACE FUNCTION postern.issuer_version() RETURNS xid
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN (SELECT i.xmin FROM postern.issuer i WHERE i.only_row);
END
$$;

-- Other functions may decide otherwise: what they replace is remembered no longer.
UPDATE postern.issuer SET name = name;
