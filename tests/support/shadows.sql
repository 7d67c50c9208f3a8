-- A schema whose functions, operators and types shadow those of pg_catalog: what a statement leaves unqualified raises
-- once this schema stands before pg_catalog in its search_path.
CREATE SCHEMA shadow;
SET search_path = pg_catalog;
DO $do$
DECLARE
    o record;
    made int;
BEGIN
    FOR o IN SELECT f.proname, f.proretset, f.prorettype::regtype AS result,
                    pg_get_function_identity_arguments(f.oid) AS arguments
             FROM pg_proc f
             WHERE f.pronamespace = 'pg_catalog'::regnamespace AND f.provariadic = 0
               AND f.proname IN ('now', 'clock_timestamp', 'to_char', 'unnest', 'to_regclass', 'format', 'quote_ident',
                                 'floor', 'isfinite', 'cardinality', 'generate_series', 'set_config',
                                 'current_setting', 'encode', 'convert_to', 'count', 'min', 'max', 'sum', 'string_agg',
                                 'timezone', 'obj_description', 'has_table_privilege', 'has_column_privilege',
                                 'has_schema_privilege', 'pg_has_role', 'format_type', 'row_security_active')
    LOOP
        BEGIN
            EXECUTE format($f$CREATE FUNCTION shadow.%I(%s) RETURNS %s LANGUAGE plpgsql
                              AS $b$BEGIN RAISE 'shadowed'; END$b$ $f$,
                           o.proname, o.arguments, CASE WHEN o.proretset THEN 'SETOF ' ELSE '' END || o.result);
        EXCEPTION WHEN invalid_function_definition OR wrong_object_type OR syntax_error OR feature_not_supported
                       OR datatype_mismatch THEN NULL;
        END;
    END LOOP;
    FOR o IN SELECT DISTINCT p.oprname, l.l, l.r, p.oprresult::regtype AS result
             FROM pg_operator p
             CROSS JOIN LATERAL (VALUES (p.oprleft::regtype, p.oprright::regtype),
                                        ('varchar'::regtype, 'text'::regtype),
                                        ('varchar'::regtype, 'varchar'::regtype),
                                        ('text'::regtype, 'varchar'::regtype),
                                        ('public.booking_status'::regtype, 'public.booking_status'::regtype)) AS l (l, r)
             WHERE p.oprnamespace = 'pg_catalog'::regnamespace
               AND p.oprname IN ('=', '<>', '<', '<=', '>', '>=', '+', '-', '*', '/', '||') AND p.oprleft <> 0
               AND (p.oprresult = 'bool'::regtype OR l.l = p.oprleft::regtype)
    LOOP
        BEGIN
            EXECUTE format($f$CREATE OR REPLACE FUNCTION shadow.boom(%s, %s) RETURNS %s LANGUAGE plpgsql
                              AS $b$BEGIN RAISE 'shadowed'; END$b$ $f$, o.l, o.r, o.result);
            EXECUTE format('CREATE OPERATOR shadow.%s (FUNCTION = shadow.boom, LEFTARG = %s, RIGHTARG = %s)',
                           o.oprname, o.l, o.r);
        EXCEPTION WHEN invalid_function_definition OR duplicate_function OR syntax_error THEN NULL;
        END;
    END LOOP;
    SELECT count(*) INTO made FROM pg_operator WHERE oprnamespace = 'shadow'::regnamespace;
    ASSERT made > 200, 'only ' || made || ' operators';
    SELECT count(*) INTO made FROM pg_proc WHERE pronamespace = 'shadow'::regnamespace AND proname <> 'boom';
    ASSERT made > 20, 'only ' || made || ' functions';
END
$do$;
CREATE DOMAIN shadow.text AS int4;
CREATE DOMAIN shadow.uuid AS int4;
CREATE DOMAIN shadow.regclass AS int4;
CREATE DOMAIN shadow.bool AS int4;
CREATE DOMAIN shadow.bytea AS int4;
RESET search_path;
