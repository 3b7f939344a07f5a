-- What becomes of an answer whose client has left (MONEY 5).
-- +goose Up
ALTER TABLE keys ADD COLUMN on_leave {text} NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE keys DROP COLUMN on_leave;
