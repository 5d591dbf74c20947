-- userinfo: claims about the person, as far as the token's scope goes (OpenID
-- Connect Core section 5.3).  sub is NULL: the token is worth nothing.
CREATE OR REPLACE VIEW postern.userinfo_answer AS
SELECT NULL::text AS sub, NULL::text AS scope, NULL::text AS login_name, NULL::text AS name, NULL::text AS email,
       NULL::boolean AS email_verified, NULL::postern.basis AS basis;

CREATE OR REPLACE FUNCTION postern.userinfo(
    p_grant_id uuid, p_client_id text, p_jti text, p_scope text, p_audience text, p_expires bigint, p_kid text, p_sealed bytea)
RETURNS postern.userinfo_answer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    t postern.presented := postern.presented_token(p_grant_id, p_client_id, p_jti, p_scope, p_audience, p_expires, p_kid,
                                                   p_sealed, NULL, NULL);
    a postern.userinfo_answer;
BEGIN
    IF t.account IS NOT NULL THEN
        SELECT l.login_name, l.name, l.email, l.email_verified INTO a.login_name, a.name, a.email, a.email_verified
          FROM postern.live_account l WHERE l.sub = t.account;
    END IF;
    a.sub := t.sub;
    a.scope := t.scope;
    a.basis := t.basis;
    RETURN a;
END
$$;
