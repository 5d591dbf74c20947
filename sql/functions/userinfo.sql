-- userinfo: claims about the person, as far as the token's scope goes (OpenID
-- Connect Core section 5.3).  sub is NULL: the token is worth nothing.
CREATE OR REPLACE FUNCTION postern.userinfo(
    p_grant_id uuid, p_client_id text, p_jti text, p_scope text, p_audience text, p_expires bigint, p_kid text, p_sealed bytea,
    OUT sub text, OUT scope text, OUT login_name text, OUT name text, OUT email text, OUT email_verified boolean,
    OUT basis postern.basis)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    t postern.presented := postern.presented_token(p_grant_id, p_client_id, p_jti, p_scope, p_audience, p_expires, p_kid,
                                                   p_sealed, NULL, NULL);
BEGIN
    IF t.sub IS NULL THEN
        RETURN;
    END IF;
    sub := t.sub;
    scope := t.scope;
    basis := t.basis;
    SELECT a.login_name, a.name, a.email, a.email_verified
      INTO userinfo.login_name, userinfo.name, userinfo.email, userinfo.email_verified
      FROM postern.live_account a WHERE a.sub = t.account;
END
$$;
