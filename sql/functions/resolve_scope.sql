-- What a request for scope comes to, for every grant type (SEC-TOK-05): requested
-- within the client's, all of one resource (RFC 8707).  outcome: ok, invalid_scope,
-- invalid_target; the rest holds only with ok.  resource is NULL when only identity
-- was asked for; access_token_lifetime is NULL when the resource has none of its own.
--
-- One SELECT in a body of standard SQL, so that it becomes a part of the statement
-- that calls it: no call, no plan and no search_path of its own.
CREATE OR REPLACE FUNCTION postern.resolve_scope(p_allowed text, p_requested text, p_resource text, p_person boolean)
RETURNS TABLE (outcome text, scope text[], resource text, access_token_lifetime interval)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT CASE
            WHEN f.known = 0 OR f.known <> cardinality(string_to_array(coalesce(p_requested, p_allowed), ' '))
                OR NOT string_to_array(coalesce(p_requested, p_allowed), ' ') <@ string_to_array(p_allowed, ' ')
                OR (f.identity > 0 AND NOT p_person) THEN 'invalid_scope'
            WHEN p_resource IS NULL AND f.first_resource <> f.last_resource THEN 'invalid_target'
            WHEN p_resource IS NOT NULL AND f.has_resource IS NOT TRUE THEN 'invalid_target'
            ELSE 'ok' END,
        f.scope, coalesce(p_resource, f.first_resource), f.access_token_lifetime
    FROM (
        SELECT count(*) AS known,
               count(*) FILTER (WHERE s.resource IS NULL) AS identity,
               array_agg(s.scope ORDER BY s.resource NULLS FIRST, s.scope)
                   FILTER (WHERE p_resource IS NULL OR s.resource IS NULL OR s.resource = p_resource) AS scope,
               min(s.resource) AS first_resource, max(s.resource) AS last_resource,
               bool_or(s.resource = p_resource) AS has_resource,
               min(r.access_token_lifetime) FILTER (WHERE p_resource IS NULL OR s.resource = p_resource) AS access_token_lifetime
        FROM postern.scope s
        LEFT JOIN postern.live_resource r ON r.resource = s.resource
        WHERE s.scope = ANY (string_to_array(coalesce(p_requested, p_allowed), ' '))
          AND (s.resource IS NULL OR r.resource IS NOT NULL)
    ) f;
END;
