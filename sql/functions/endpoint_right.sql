-- Which functions each endpoint may call.  roles.sql grants just this to the endpoint's
-- role, and "postern check" compares.
CREATE OR REPLACE VIEW postern.endpoint_right (endpoint, functions) AS VALUES
    ('authorize', '{issuer_identity,authorize_client,authorize}'::text[]),
    ('login',     '{issuer_identity,login_client,login_begin,login_finish,sweep}'),
    ('consent',   '{issuer_identity,consent_page,consent_decide}'),
    ('token',     '{issuer_identity,redeem_code,refresh,client_credentials,still,signing_key,sweep}'),
    ('introspect','{issuer_identity,introspect,still,verification_key}'),
    ('revoke',    '{issuer_identity,revoke,verification_key}'),
    ('userinfo',  '{issuer_identity,userinfo,still,verification_key}'),
    ('logout',    '{issuer_identity,logout,verification_key}'),
    ('account',   '{issuer_identity,account_page,account_disconnect,account_end_session,account_make_key,account_revoke_key}'),
    ('guard',     '{issuer_identity,guard,still,verification_key}'),
    ('metadata',  '{issuer_identity,metadata}'),
    ('jwks',      '{issuer_identity,jwks}');
