-- What makes redeliveries harmless: the results there have been.
CREATE TABLE IF NOT EXISTS peer_inbox (
    command_id text COLLATE "C" PRIMARY KEY,
    result     jsonb NOT NULL,
    done_at    timestamptz NOT NULL DEFAULT now()
)
