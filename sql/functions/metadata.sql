-- metadata: what the C tables cannot know (RFC 8414 section 2).
CREATE OR REPLACE FUNCTION postern.metadata(OUT scopes_supported text, OUT signing_algs text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
SELECT (SELECT string_agg(s.scope, ' ' ORDER BY s.resource NULLS FIRST, s.scope) FROM postern.scope s
        LEFT JOIN postern.live_resource r ON r.resource = s.resource
        WHERE s.resource IS NULL OR r.resource IS NOT NULL),
       (SELECT string_agg(DISTINCT k.alg, ' ' ORDER BY k.alg) FROM postern.signing_key k
        WHERE k.retired_at IS NULL AND k.active_from <= now())
$$;
