-- Answers of the Responses API that their owners may go on from.
-- +goose Up
-- size is that of sealed, in bytes: sums read the index alone. user_id NULL is
-- the service key.
CREATE TABLE turns (
    id          {id},
    user_id     BIGINT CONSTRAINT fk_turns__user_id REFERENCES users (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
    response_id {text} NOT NULL CONSTRAINT ck_turns__response_id CHECK (response_id <> ''),
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    sealed      {blob} NOT NULL,
    size        BIGINT NOT NULL
);
CREATE UNIQUE INDEX uq_turns__response_id ON turns (COALESCE(user_id, 0), response_id);
CREATE INDEX ix_turns__owner ON turns (COALESCE(user_id, 0), id, size);
CREATE INDEX ix_turns__user_id ON turns (user_id);
CREATE INDEX ix_turns__expires_at ON turns (expires_at);

-- +goose Down
DROP TABLE turns;
