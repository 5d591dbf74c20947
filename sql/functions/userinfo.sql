-- userinfo: claims about the person, as far as the token's scope goes (OpenID
-- Connect Core section 5.3).  No row: the token is worth nothing.
CREATE OR REPLACE FUNCTION postern.userinfo(
    p_grant_id uuid, p_client_id text, p_jti text, p_scope text, p_audience text, p_expires bigint, p_kid text, p_sealed bytea,
    OUT sub text, OUT scope text, OUT login_name text, OUT name text, OUT email text, OUT email_verified boolean)
RETURNS SETOF record
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT t.sub, t.scope, a.login_name, a.name, a.email, a.email_verified
      FROM postern.presented_token(p_grant_id, p_client_id, p_jti, p_scope, p_audience, p_expires, p_kid, p_sealed, NULL, NULL) t
      LEFT JOIN postern.live_grant g ON g.id = t.grant_id
      LEFT JOIN postern.live_account a ON a.sub = g.sub
     WHERE t.sub IS NOT NULL;
END
$$;
