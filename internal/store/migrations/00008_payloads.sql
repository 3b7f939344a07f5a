-- Bodies of requests and answers, sealed, and what retention has removed.

-- +goose Up

-- What is kept of a request: chunks are the ids of what it shares with other
-- requests of its user, sealed is the rest. size is what its own columns take,
-- in bytes, bytes what the bodies had.
CREATE TABLE payloads (
    id        {rowid},
    user_id   BIGINT NOT NULL,
    truncated BOOLEAN NOT NULL,
    bytes     BIGINT NOT NULL,
    size      BIGINT NOT NULL,
    chunks    {blob} NOT NULL,
    sealed    {blob} NOT NULL
);
CREATE INDEX ix_payloads__user_id ON payloads (user_id, id, size);

-- Parts of bodies, each once for each user; digest is keyed.
CREATE TABLE payload_chunks (
    id      {id},
    user_id BIGINT NOT NULL,
    digest  {blob} NOT NULL,
    size    BIGINT NOT NULL,
    sealed  {blob} NOT NULL
);
CREATE UNIQUE INDEX uq_payload_chunks__digest ON payload_chunks (user_id, digest);
CREATE INDEX ix_payload_chunks__user_id ON payload_chunks (user_id, id, size);

-- What a key asks to be kept of its calls; '' = what [logging] says.
ALTER TABLE keys ADD COLUMN payloads {text} NOT NULL DEFAULT '';

-- What the removed rows of the record had added up to: one row.
CREATE TABLE removed (
    id         {rowid},
    requests   BIGINT NOT NULL,
    dispatches BIGINT NOT NULL,
    cost       BIGINT NOT NULL
);

-- +goose Down
DROP TABLE removed;
ALTER TABLE keys DROP COLUMN payloads;
DROP TABLE payload_chunks;
DROP TABLE payloads;
