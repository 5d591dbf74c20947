-- still: is what an answer rests on as it was?  Then the endpoint that remembers the answer
-- may give it once more, without that anything is worked out again.  What has to be
-- written so that this sees it: ../0003-basis.sql.
--
-- NULL: no, ask again.  Else the time, in seconds since 1970.
CREATE OR REPLACE FUNCTION postern.still(p_basis postern.basis) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_now double precision := date_part('epoch', clock_timestamp());
BEGIN
    IF p_basis.until IS NULL OR p_basis.until <= v_now THEN
        RETURN NULL;
    END IF;
    PERFORM FROM postern.issuer i WHERE i.xmin = p_basis.issuer_version;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    PERFORM FROM postern.authorization_grant g WHERE g.id = p_basis.grant_id AND g.xmin = p_basis.grant_version;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF p_basis.account IS NOT NULL THEN
        PERFORM FROM postern.account a WHERE a.sub = p_basis.account AND a.xmin = p_basis.account_version;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
    END IF;
    RETURN floor(v_now);
END
$$;

-- Other functions may decide otherwise: what they replace is remembered no longer.
UPDATE postern.issuer SET name = name;
