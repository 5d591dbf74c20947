-- Rows that no answer depends on any more leave in small batches, so that no
-- request waits for them; every lookup checks expiry by itself.  By their place
-- (ctid), which the lock holds: to look each up by its key once more takes longer than to
-- delete it.
CREATE OR REPLACE FUNCTION postern.sweep(p_batch integer, OUT swept bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_count bigint;
BEGIN
    swept := 0;
    DELETE FROM postern.authorization_grant WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM postern.authorization_grant WHERE expires_at < now() LIMIT p_batch FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    swept := swept + v_count;
    DELETE FROM postern.authorization_request WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM postern.authorization_request WHERE expires_at < now() LIMIT p_batch FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    swept := swept + v_count;
    DELETE FROM postern.session WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM postern.session WHERE expires_at < now() LIMIT p_batch FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    swept := swept + v_count;
    DELETE FROM postern.revoked_token WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM postern.revoked_token WHERE expires_at < now() LIMIT p_batch FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    swept := swept + v_count;
    DELETE FROM postern.api_key WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM postern.api_key WHERE expires_at < now() - interval '30 days' LIMIT p_batch FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    swept := swept + v_count;
    DELETE FROM postern.login_throttle WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM postern.login_throttle WHERE expires_at < now() LIMIT p_batch FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    swept := swept + v_count;
END
$$;
