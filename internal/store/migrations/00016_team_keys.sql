-- Keys that a team admin makes for members: they end with the membership.
-- +goose Up
ALTER TABLE keys ADD COLUMN team_id BIGINT CONSTRAINT fk_keys__team_id REFERENCES teams (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE;
CREATE INDEX ix_keys__team_id ON keys (team_id);

-- +goose Down
DROP INDEX ix_keys__team_id;
ALTER TABLE keys DROP COLUMN team_id;
