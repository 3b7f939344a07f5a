-- Links that admins give to people (password resets, invitations), what
-- teams may call, and what users ask for.
-- +goose Up
CREATE TABLE links (
    id         {id},
    purpose    {text} NOT NULL CONSTRAINT ck_links__purpose CHECK (purpose IN ('reset', 'invitation')),
    digest     {text} NOT NULL,
    user_id    BIGINT CONSTRAINT fk_links__user_id REFERENCES users (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
    role       BIGINT NOT NULL,
    team_id    BIGINT CONSTRAINT fk_links__team_id REFERENCES teams (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
    team_role  {text} NOT NULL,
    email      {text} NOT NULL,
    label      {text} NOT NULL,
    created_by BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,
    used_by    BIGINT NOT NULL
);
CREATE UNIQUE INDEX uq_links__digest ON links (digest);
CREATE INDEX ix_links__user_id ON links (user_id);
CREATE INDEX ix_links__team_id ON links (team_id);

CREATE TABLE team_permissions (
    id            {id},
    team_id       BIGINT NOT NULL CONSTRAINT fk_team_permissions__team_id REFERENCES teams (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
    provider_id   BIGINT CONSTRAINT fk_team_permissions__provider_id REFERENCES providers (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
    model_pattern {text} NOT NULL
);
CREATE INDEX ix_team_permissions__team_id ON team_permissions (team_id);
CREATE INDEX ix_team_permissions__provider_id ON team_permissions (provider_id);

CREATE TABLE asks (
    id            {id},
    user_id       BIGINT NOT NULL CONSTRAINT fk_asks__user_id REFERENCES users (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
    kind          {text} NOT NULL CONSTRAINT ck_asks__kind CHECK (kind IN ('budget', 'model')),
    window_name   {text} NOT NULL,
    amount        BIGINT,
    model         {text} NOT NULL,
    note          {text} NOT NULL,
    state         {text} NOT NULL CONSTRAINT ck_asks__state CHECK (state IN ('open', 'approved', 'declined', 'withdrawn')),
    created_at    BIGINT NOT NULL,
    decided_by    BIGINT NOT NULL,
    decided_at    BIGINT NOT NULL,
    decision_note {text} NOT NULL
);
CREATE INDEX ix_asks__user_id ON asks (user_id);

-- +goose Down
DROP TABLE asks;
DROP TABLE team_permissions;
DROP TABLE links;
