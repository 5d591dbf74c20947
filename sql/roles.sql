-- roles.sql: one role per endpoint, EXECUTE on its functions and nothing else
--
-- Roles are global to a cluster: the prefix keeps installations apart.  The runner
-- sets postern.role_prefix.  A web application's password, if it needs one, is the
-- administrator's: ALTER ROLE postern_token PASSWORD '...'.

DO $$
DECLARE
    v_prefix   text := current_setting('postern.role_prefix');
    v_role     text;
    v_function record;
    v_may      record;
    v_method   text;
BEGIN
    FOR v_may IN SELECT r.endpoint, r.functions FROM postern.endpoint_right r
    LOOP
        v_role := v_prefix || v_may.endpoint;
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = v_role) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', v_role);
        END IF;
        EXECUTE format('ALTER ROLE %I SET statement_timeout = %L', v_role, '3s');
        EXECUTE format('ALTER ROLE %I SET lock_timeout = %L', v_role, '2s');
        EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = %L', v_role, '3s');
        EXECUTE format('ALTER ROLE %I SET search_path = %L', v_role, '');
        EXECUTE format('ALTER ROLE %I SET jit = off', v_role);
        -- Every statement finds its rows by key, one after the other.  What the planner
        -- may choose is fixed, so that a plan neither depends on when it was made nor on
        -- how many rows there were: small tables would tempt it to read them whole.
        FOREACH v_method IN ARRAY '{enable_seqscan,enable_bitmapscan,enable_hashjoin,enable_mergejoin}'::text[] LOOP
            EXECUTE format('ALTER ROLE %I SET %I = off', v_role, v_method);
        END LOOP;
        EXECUTE format('ALTER ROLE %I SET plan_cache_mode = force_generic_plan', v_role);
        EXECUTE format('GRANT USAGE ON SCHEMA postern TO %I', v_role);
        FOR v_function IN
            SELECT p.oid::regprocedure AS signature FROM pg_catalog.pg_proc p
             WHERE p.pronamespace = 'postern'::regnamespace AND p.proname = ANY (v_may.functions)
        LOOP
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', v_function.signature, v_role);
        END LOOP;
    END LOOP;
END
$$;
