-- Triggers of the application that do not let some rows go: while a row of faults.poison is open, deleting or expiring
-- what it names raises an error, or does nothing.
CREATE TABLE faults.poison (
    row_id   text NOT NULL,  -- of a session or a booking; of an image or a video its session's
    part     text NOT NULL CHECK (part IN ('session', 'image', 'video', 'booking')),
    sqlstate text,           -- what is raised; NULL: the row is kept without a word
    began    timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended    timestamptz
);
CREATE UNIQUE INDEX poison_open ON faults.poison (row_id) WHERE ended IS NULL;
CREATE SEQUENCE faults.poison_met;  -- counts in transactions that are rolled back, too

-- Whether the row has to be kept.
CREATE FUNCTION faults.keeps(wanted_id text, wanted_part text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    state text;
BEGIN
    SELECT p.sqlstate INTO state FROM faults.poison p
    WHERE p.row_id = wanted_id AND p.part = wanted_part AND p.ended IS NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM nextval('faults.poison_met');
    IF state IS NULL THEN
        RETURN true;
    ELSIF state = '42P01' THEN
        PERFORM FROM faults.a_table_that_is_not_there;
    END IF;
    RAISE 'the application keeps this row' USING ERRCODE = state, DETAIL = wanted_id;
END
$$;

CREATE FUNCTION faults.poison_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN faults.keeps(OLD.id, 'session') THEN NULL ELSE OLD END;
END
$$;

CREATE FUNCTION faults.poison_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN faults.keeps(OLD.session_id, TG_ARGV[0]) THEN NULL ELSE OLD END;
END
$$;

CREATE FUNCTION faults.poison_booking() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN faults.keeps(OLD.booking_id, 'booking') THEN NULL ELSE NEW END;
END
$$;

-- Their names come before those of the audit: what is kept is not noted as gone.
CREATE TRIGGER faults_a_poison BEFORE DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION faults.poison_session();
CREATE TRIGGER faults_a_poison BEFORE DELETE ON "imageSent" FOR EACH ROW EXECUTE FUNCTION faults.poison_record('image');
CREATE TRIGGER faults_a_poison BEFORE DELETE ON "videoSent" FOR EACH ROW EXECUTE FUNCTION faults.poison_record('video');
CREATE TRIGGER faults_a_poison BEFORE UPDATE OF status ON bookings
    FOR EACH ROW WHEN (NEW.status = 'Expired') EXECUTE FUNCTION faults.poison_booking();
