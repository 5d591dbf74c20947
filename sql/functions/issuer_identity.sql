-- What every endpoint asks once, when it connects.
CREATE OR REPLACE FUNCTION postern.issuer_identity(OUT url text, OUT name text) RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT i.url, i.name FROM postern.issuer i $$;
