-- What a request for scope comes to, for every grant type (SEC-TOK-05): requested
-- within the client's, all of one resource (RFC 8707).  outcome: ok, invalid_scope,
-- invalid_target.  resource is NULL when only identity was asked for.
CREATE FUNCTION postern.resolve_scope(
    p_allowed text, p_requested text, p_resource text, p_person boolean,
    OUT outcome text, OUT scope text[], OUT resource text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_words     text[] := string_to_array(coalesce(p_requested, p_allowed), ' ');
    v_known     integer;
    v_identity  integer;
    v_resources text[];
BEGIN
    SELECT count(*), count(*) FILTER (WHERE s.resource IS NULL),
           array_agg(s.scope ORDER BY s.resource NULLS FIRST, s.scope)
               FILTER (WHERE p_resource IS NULL OR s.resource IS NULL OR s.resource = p_resource),
           array_agg(DISTINCT s.resource) FILTER (WHERE s.resource IS NOT NULL)
      INTO v_known, v_identity, resolve_scope.scope, v_resources
      FROM postern.scope s
      LEFT JOIN postern.live_resource r ON r.resource = s.resource
     WHERE s.scope = ANY (v_words) AND (s.resource IS NULL OR r.resource IS NOT NULL);

    outcome := 'invalid_scope';
    IF v_known = 0 OR v_known <> cardinality(v_words)
       OR NOT v_words <@ string_to_array(p_allowed, ' ')
       OR (v_identity > 0 AND NOT p_person) THEN
        RETURN;
    END IF;
    outcome := 'invalid_target';
    IF p_resource IS NULL THEN
        IF cardinality(v_resources) > 1 THEN
            RETURN;
        END IF;
        resource := v_resources[1];
    ELSE
        IF NOT p_resource = ANY (coalesce(v_resources, '{}')) THEN
            RETURN;
        END IF;
        resource := p_resource;
    END IF;
    outcome := 'ok';
END
$$;
