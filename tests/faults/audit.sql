-- What really happened to the application's rows, written by triggers and so in the transaction that did it.
-- A user message or a session younger than an hour lies after the cutoff of every command the campaign sends, so a
-- session that goes in spite of one went wrongly.
CREATE SCHEMA faults;

CREATE TABLE faults.touched (
    seq     bigint GENERATED ALWAYS AS IDENTITY,
    kind    text NOT NULL CHECK (kind IN ('session', 'image', 'video', 'expired', 'status')),
    row_id  text NOT NULL,
    parent  text,            -- of a session its user, of a record its session
    wrong   text,            -- why it should have stayed
    actor   text NOT NULL DEFAULT current_setting('application_name'),
    txid    xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at      timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE FUNCTION faults.note_session() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    recent CONSTANT timestamp := clock_timestamp() AT TIME ZONE 'UTC' - interval '1 hour';
BEGIN
    INSERT INTO faults.touched (kind, row_id, parent, wrong)
    VALUES ('session', OLD.id, OLD.user_id,
            CASE WHEN OLD.created_at >= recent THEN 'the session has just begun'
                 WHEN EXISTS (SELECT FROM messages m WHERE m.user_id = OLD.user_id AND m.sender = 'user'
                                                       AND m."timestamp" >= recent) THEN 'its user is active'
            END);
    RETURN OLD;
END
$$;

CREATE FUNCTION faults.note_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO faults.touched (kind, row_id, parent) VALUES (TG_ARGV[0], OLD.id, OLD.session_id);
    RETURN OLD;
END
$$;

CREATE FUNCTION faults.note_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO faults.touched (kind, row_id, wrong)
    VALUES (CASE WHEN NEW.status = 'Expired' THEN 'expired' ELSE 'status' END, OLD.booking_id,
            CASE WHEN NEW.status = 'Expired' AND OLD.status <> 'Pending' THEN 'it was ' || OLD.status
                 WHEN NEW.status = 'Expired' AND OLD.created_at >= clock_timestamp() AT TIME ZONE 'UTC'
                      - interval '5 minutes' THEN 'it was made just now'
            END);
    RETURN NEW;
END
$$;

-- BEFORE: what the deleting statement has not seen, the trigger's own query does.
CREATE TRIGGER faults_session BEFORE DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION faults.note_session();
CREATE TRIGGER faults_image AFTER DELETE ON "imageSent" FOR EACH ROW EXECUTE FUNCTION faults.note_record('image');
CREATE TRIGGER faults_video AFTER DELETE ON "videoSent" FOR EACH ROW EXECUTE FUNCTION faults.note_record('video');
CREATE TRIGGER faults_status AFTER UPDATE OF status ON bookings
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION faults.note_status();
