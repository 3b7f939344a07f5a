-- Versions of the configuration, and the places it is kept at outside.
-- +goose Up
CREATE TABLE config_texts (
    id     {id},
    digest {text} NOT NULL,
    text   {blob}
);
CREATE UNIQUE INDEX uq_config_texts__digest ON config_texts (digest);

CREATE TABLE config_versions (
    id             {id},
    at             BIGINT NOT NULL,
    actor_id       BIGINT NOT NULL,
    actor_name     {text} NOT NULL,
    via            {text} NOT NULL,
    origin         {text} NOT NULL CONSTRAINT ck_config_versions__origin CHECK (origin IN ('apply', 'rollback', 'import')),
    rolled_back_to BIGINT NOT NULL,
    created        BIGINT NOT NULL,
    updated        BIGINT NOT NULL,
    deleted        BIGINT NOT NULL,
    before_id      BIGINT NOT NULL CONSTRAINT fk_config_versions__before_id REFERENCES config_texts (id) DEFERRABLE INITIALLY DEFERRED,
    after_id       BIGINT NOT NULL CONSTRAINT fk_config_versions__after_id REFERENCES config_texts (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX ix_config_versions__at ON config_versions (at);
CREATE INDEX ix_config_versions__before_id ON config_versions (before_id);
CREATE INDEX ix_config_versions__after_id ON config_versions (after_id);

CREATE TABLE sync_targets (
    id           {id},
    name         {text} NOT NULL CONSTRAINT ck_sync_targets__name CHECK (name <> ''),
    kind         {text} NOT NULL CONSTRAINT ck_sync_targets__kind CHECK (kind IN ('folder', 'webdav', 'gist')),
    location     {text} NOT NULL,
    file         {text} NOT NULL,
    username     {text} NOT NULL,
    password     {blob},
    passphrase   {blob},
    with_secrets BOOLEAN NOT NULL,
    seen         {text} NOT NULL,
    pushed_at    BIGINT NOT NULL,
    pulled_at    BIGINT NOT NULL,
    created_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX uq_sync_targets__name ON sync_targets (name);

-- +goose Down
DROP TABLE sync_targets;
DROP TABLE config_versions;
DROP TABLE config_texts;
