-- Second factors, passkeys and recovery codes; sign-ins that may only enrol one.
-- +goose Up
CREATE TABLE factors (
    id           {id},
    user_id      BIGINT NOT NULL CONSTRAINT fk_factors__user_id REFERENCES users (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
    kind         {text} NOT NULL CONSTRAINT ck_factors__kind CHECK (kind IN ('totp', 'passkey', 'recovery')),
    label        {text} NOT NULL,
    handle       {blob} NOT NULL,
    sealed       {blob},
    confirmed    BOOLEAN NOT NULL,
    counter      BIGINT NOT NULL,
    warned       BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX uq_factors__handle ON factors (handle);
CREATE INDEX ix_factors__user_id ON factors (user_id);

-- Digests of tokens that are good for one use and were used.
CREATE TABLE spent_tokens (
    digest     {blob} PRIMARY KEY,
    expires_at BIGINT NOT NULL
) {clustered};
CREATE INDEX ix_spent_tokens__expires_at ON spent_tokens (expires_at);

ALTER TABLE sessions ADD COLUMN enrol_only BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE sessions DROP COLUMN enrol_only;
DROP TABLE spent_tokens;
DROP TABLE factors;
