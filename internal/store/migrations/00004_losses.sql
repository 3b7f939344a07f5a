-- What a translation between dialects did not carry (CONTRACT 9).
-- +goose Up
ALTER TABLE requests ADD COLUMN losses {text} NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE requests DROP COLUMN losses;
