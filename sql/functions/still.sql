-- still: is what an answer rests on (postern.basis) as it was?  Then the endpoint that
-- remembers the answer may give it once more, without that anything is worked out again.
-- What has to be written so that this sees it: ../0003-basis.sql.
--
-- NULL: no, ask again.  Else the time, in seconds since 1970.
CREATE OR REPLACE FUNCTION postern.still(
    p_grant_id uuid, p_grant_version xid, p_account uuid, p_account_version xid, p_issuer_version xid, p_until bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now double precision := date_part('epoch', clock_timestamp());
BEGIN
    RETURN CASE WHEN p_until > v_now
         AND EXISTS (SELECT FROM postern.issuer i WHERE i.xmin = p_issuer_version)
         AND EXISTS (SELECT FROM postern.authorization_grant g WHERE g.id = p_grant_id AND g.xmin = p_grant_version)
         AND (p_account IS NULL
              OR EXISTS (SELECT FROM postern.account a WHERE a.sub = p_account AND a.xmin = p_account_version))
        THEN floor(v_now) END;
END
$$;

-- Other functions may decide otherwise: what they replace is remembered no longer.
UPDATE postern.issuer SET name = name;
