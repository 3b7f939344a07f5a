-- Sign-in through other providers: who is who there, and the providers.
-- +goose Up
CREATE TABLE identities (
    id           {id},
    user_id      BIGINT NOT NULL CONSTRAINT fk_identities__user_id REFERENCES users (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
    provider     {text} NOT NULL CONSTRAINT ck_identities__provider CHECK (provider <> ''),
    subject      {text} NOT NULL CONSTRAINT ck_identities__subject CHECK (subject <> ''),
    email        {text} NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX uq_identities__subject ON identities (provider, subject);
CREATE INDEX ix_identities__user_id ON identities (user_id);

CREATE TABLE signin_providers (
    id         {id},
    name       {text} NOT NULL,
    kind       {text} NOT NULL CONSTRAINT ck_signin_providers__kind CHECK (kind IN ('github', 'google', 'oidc')),
    enabled    BOOLEAN NOT NULL,
    settings   {text} NOT NULL,
    secret     {blob},
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX uq_signin_providers__name ON signin_providers (name);

-- +goose Down
DROP TABLE signin_providers;
DROP TABLE identities;
