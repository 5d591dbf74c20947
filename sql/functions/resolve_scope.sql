-- What a request for scope comes to, for every grant type (SEC-TOK-05): requested
-- within the client's, all of one resource (RFC 8707).  outcome: ok, invalid_scope,
-- invalid_target; the rest holds only with ok.  scope is in the order of p_allowed,
-- each once; resource is NULL when only identity was asked for; access_token_lifetime
-- is NULL when the resource has none of its own.
CREATE OR REPLACE VIEW postern.resolved_scope AS
SELECT NULL::text AS outcome, NULL::text[] AS scope, NULL::text AS resource, NULL::interval AS access_token_lifetime;

CREATE OR REPLACE FUNCTION postern.resolve_scope(p_allowed text, p_requested text, p_resource text, p_person boolean)
RETURNS postern.resolved_scope
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_requested text[] := string_to_array(coalesce(p_requested, p_allowed), ' ');
    v_known     integer := 0;
    v_word      text;
    v_of        text;           -- the resource of that word
    v_last      text;           -- a resource that was seen to be live
    v_lifetime  interval;       -- its
    v_several   boolean := false;
    r           postern.resolved_scope;
BEGIN
    r.outcome := 'invalid_scope';
    r.scope := '{}';
    FOREACH v_word IN ARRAY string_to_array(coalesce(p_allowed, ''), ' ') LOOP
        CONTINUE WHEN v_word <> ALL (v_requested);
        SELECT s.resource INTO v_of FROM postern.scope s WHERE s.scope = v_word;
        IF NOT FOUND OR (v_of IS NULL AND NOT p_person) THEN
            RETURN r;
        END IF;
        IF v_of <> v_last OR (v_last IS NULL AND v_of IS NOT NULL) THEN
            SELECT l.access_token_lifetime INTO v_lifetime FROM postern.live_resource l WHERE l.resource = v_of;
            IF NOT FOUND THEN
                RETURN r;
            END IF;
            v_last := v_of;
        END IF;
        v_known := v_known + 1;
        CONTINUE WHEN v_of <> p_resource;
        IF v_word = ANY (r.scope) THEN
            RETURN r;
        END IF;
        r.scope := r.scope || v_word;
        IF v_of IS NOT NULL THEN
            IF v_of <> r.resource THEN
                v_several := true;
            END IF;
            r.resource := v_of;
            r.access_token_lifetime := v_lifetime;
        END IF;
    END LOOP;
    -- Each word was one of the client's, and none came twice.
    IF v_known > 0 AND v_known = cardinality(v_requested) THEN
        r.outcome := CASE WHEN v_several OR (p_resource IS NOT NULL AND r.resource IS NULL)
                          THEN 'invalid_target' ELSE 'ok' END;
    END IF;
    RETURN r;
END
$$;
