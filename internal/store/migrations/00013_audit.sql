-- The audit as a chain: every entry carries a hash over itself and the hash of
-- the one before. Entries of before have none until the store chains them, once.

-- +goose Up

ALTER TABLE audit ADD COLUMN hash {blob};
CREATE INDEX ix_audit__actor_id ON audit (actor_id, id);

-- +goose StatementBegin
{guard audit}
-- +goose StatementEnd

-- +goose Down

-- +goose StatementBegin
{unguard audit}
-- +goose StatementEnd

DROP INDEX ix_audit__actor_id;
ALTER TABLE audit DROP COLUMN hash;
