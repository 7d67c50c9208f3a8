-- A sample of the booking application's tables, as far as the worker meets them. Not the worker's to create in earnest.
CREATE TYPE booking_status AS ENUM ('Pending', 'Waiting', 'Confirmed', 'Cancelled', 'Completed', 'Expired');
CREATE TYPE shift_type AS ENUM ('Day', 'Night', 'Full Day');
CREATE TYPE booking_source AS ENUM ('Website', 'WhatsApp_Bot', 'Third-Party');

CREATE TABLE users (
    user_id uuid PRIMARY KEY
);

CREATE TABLE properties (
    property_id uuid PRIMARY KEY
);

CREATE TABLE sessions (
    id          varchar(64) PRIMARY KEY,
    user_id     uuid NOT NULL REFERENCES users,
    created_at  timestamp DEFAULT (now() AT TIME ZONE 'UTC'),
    booking_id  text,
    property_id uuid REFERENCES properties
);

CREATE TABLE messages (
    id          serial PRIMARY KEY,
    user_id     uuid NOT NULL REFERENCES users,
    sender      varchar(10) NOT NULL CHECK (sender IN ('user', 'bot')),
    content     text,
    "timestamp" timestamp DEFAULT (now() AT TIME ZONE 'UTC')
);

CREATE TABLE "imageSent" (
    id          serial PRIMARY KEY,
    session_id  varchar(64) NOT NULL REFERENCES sessions,
    property_id uuid NOT NULL REFERENCES properties
);

CREATE TABLE "videoSent" (
    id          serial PRIMARY KEY,
    session_id  varchar(64) NOT NULL REFERENCES sessions,
    property_id uuid NOT NULL REFERENCES properties
);

CREATE TABLE bookings (
    booking_id     text PRIMARY KEY,
    user_id        uuid,
    property_id    uuid,
    booking_date   timestamp,
    shift_type     shift_type,
    total_cost     numeric(10, 2),
    booking_source booking_source,
    status         booking_status DEFAULT 'Pending',
    booked_at      timestamp,
    created_at     timestamp DEFAULT (now() AT TIME ZONE 'UTC'),
    updated_at     timestamp DEFAULT (now() AT TIME ZONE 'UTC')
);

CREATE INDEX sessions_user_id ON sessions (user_id, id);
CREATE INDEX messages_user_id_timestamp ON messages (user_id, "timestamp");
CREATE INDEX image_sent_session_id ON "imageSent" (session_id);
CREATE INDEX video_sent_session_id ON "videoSent" (session_id);
CREATE INDEX bookings_pending ON bookings (created_at, booking_id) WHERE status = 'Pending';
