-- guard: is the grant that an access token names still alive, and
-- the token itself not expired, nor the key that signed it retired?  A row if it is.
CREATE FUNCTION postern.guard(p_grant_id uuid, p_audience text, p_expires bigint, p_kid text,
    OUT client_id text) RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT g.client_id FROM postern.live_grant g WHERE g.id = p_grant_id
        AND EXISTS (SELECT FROM postern.live_resource r WHERE r.resource = p_audience)
        AND EXISTS (SELECT FROM postern.signing_key k WHERE k.kid = p_kid AND k.retired_at IS NULL)
        AND p_expires > extract(epoch FROM clock_timestamp());
END
$$;
