-- What every endpoint asks once, when it connects.
--
-- The row is asked for by its key, here and everywhere: after a long backup beside many
-- changes it is the last one of hundreds of pages, and VACUUM gives none of them back.
CREATE OR REPLACE FUNCTION postern.issuer_identity(OUT url text, OUT name text) RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT i.url, i.name FROM postern.issuer i WHERE i.only_row $$;
