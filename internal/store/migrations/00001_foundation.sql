-- The foundation: identity, catalogue, settings, money rows, audit, usage.
--
-- One text for both engines. Words in braces are the engine's own and are
-- filled in by migrations.go. Times are microseconds since 1970 in UTC with 0
-- for "none", money is nano-dollars, lists and objects are JSON text. Unique
-- indexes are named uq_TABLE__FIELD, checks ck_TABLE__FIELD and references
-- fk_TABLE__FIELD: the store reads the offending field from the name.

-- +goose Up

CREATE TABLE meta (
    name  {text} PRIMARY KEY,
    value {blob} NOT NULL
);

CREATE TABLE settings (
    name  {text} PRIMARY KEY,
    value {text} NOT NULL
);

CREATE TABLE teams (
    id         {id},
    name       {text} NOT NULL CONSTRAINT ck_teams__name CHECK (name <> ''),
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX uq_teams__name ON teams (name);

CREATE TABLE users (
    id            {id},
    name          {text} NOT NULL CONSTRAINT ck_users__name CHECK (name <> ''),
    email         {text} NOT NULL,
    enabled       BOOLEAN NOT NULL,
    role          BIGINT NOT NULL CONSTRAINT ck_users__role CHECK (role IN (1, 2, 3)),
    password      {blob},
    sso_provider  {text} NOT NULL,
    sso_id        {text} NOT NULL,
    team_id       BIGINT CONSTRAINT fk_users__team_id REFERENCES teams (id) ON DELETE SET NULL DEFERRABLE INITIALLY IMMEDIATE,
    team_role     {text} NOT NULL,
    created_at    BIGINT NOT NULL,
    last_login_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX uq_users__name ON users (name);
CREATE UNIQUE INDEX uq_users__email ON users (email) WHERE email <> '';
-- Exactly one super admin (role 3), whatever happens at the same time.
CREATE UNIQUE INDEX uq_users__role ON users (role) WHERE role = 3;
CREATE INDEX ix_users__team_id ON users (team_id);

CREATE TABLE keys (
    id                {id},
    user_id           BIGINT NOT NULL CONSTRAINT fk_keys__user_id REFERENCES users (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
    label             {text} NOT NULL,
    enabled           BOOLEAN NOT NULL,
    digest            {blob} NOT NULL,
    sealed            {blob},
    prefix            {text} NOT NULL,
    last4             {text} NOT NULL,
    expires_at        BIGINT NOT NULL,
    last_used_at      BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    created_by_key_id BIGINT CONSTRAINT fk_keys__created_by_key_id REFERENCES keys (id) ON DELETE SET NULL DEFERRABLE INITIALLY IMMEDIATE,
    surfaces          {text},
    models            {text},
    ip_allow          {text},
    needs_secret      BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX uq_keys__digest ON keys (digest);
CREATE INDEX ix_keys__user_id ON keys (user_id);
CREATE INDEX ix_keys__created_by_key_id ON keys (created_by_key_id);

CREATE TABLE sessions (
    id           {id},
    user_id      BIGINT NOT NULL CONSTRAINT fk_sessions__user_id REFERENCES users (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
    digest       {blob} NOT NULL,
    method       {text} NOT NULL,
    created_at   BIGINT NOT NULL,
    signed_in_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    ip           {text} NOT NULL,
    user_agent   {text} NOT NULL
);
CREATE UNIQUE INDEX uq_sessions__digest ON sessions (digest);
CREATE INDEX ix_sessions__user_id ON sessions (user_id);

CREATE TABLE providers (
    id         {id},
    name       {text} NOT NULL CONSTRAINT ck_providers__name CHECK (name <> ''),
    kind       {text} NOT NULL,
    base_url   {text} NOT NULL,
    settings   {text},
    enabled    BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX uq_providers__name ON providers (name);

CREATE TABLE credentials (
    id          {id},
    provider_id BIGINT NOT NULL CONSTRAINT fk_credentials__provider_id REFERENCES providers (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
    label       {text} NOT NULL,
    sealed      {blob},
    origin      {text} NOT NULL,
    last4       {text} NOT NULL,
    fingerprint {text} NOT NULL,
    enabled     BOOLEAN NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE INDEX ix_credentials__provider_id ON credentials (provider_id);

CREATE TABLE models (
    id             {id},
    provider_id    BIGINT NOT NULL CONSTRAINT fk_models__provider_id REFERENCES providers (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
    model_id       {text} NOT NULL CONSTRAINT ck_models__model_id CHECK (model_id <> ''),
    enabled        BOOLEAN NOT NULL,
    display_name   {text} NOT NULL,
    context_tokens BIGINT NOT NULL CONSTRAINT ck_models__context_tokens CHECK (context_tokens >= 0),
    output_tokens  BIGINT NOT NULL CONSTRAINT ck_models__output_tokens CHECK (output_tokens >= 0),
    prices         {text}
);
CREATE UNIQUE INDEX uq_models__model_id ON models (provider_id, model_id);

CREATE TABLE aliases (
    id          {id},
    alias       {text} NOT NULL CONSTRAINT ck_aliases__alias CHECK (alias <> ''),
    provider_id BIGINT CONSTRAINT fk_aliases__provider_id REFERENCES providers (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
    target      {text} NOT NULL CONSTRAINT ck_aliases__target CHECK (target <> ''),
    enabled     BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX uq_aliases__alias ON aliases (alias);
CREATE INDEX ix_aliases__provider_id ON aliases (provider_id);

-- provider_id NULL means every provider, so a deleted provider takes its rows
-- along (CASCADE) and never turns them into grants for all (SET NULL).
CREATE TABLE permissions (
    id            {id},
    user_id       BIGINT NOT NULL CONSTRAINT fk_permissions__user_id REFERENCES users (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
    provider_id   BIGINT CONSTRAINT fk_permissions__provider_id REFERENCES providers (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
    model_pattern {text} NOT NULL CONSTRAINT ck_permissions__model_pattern CHECK (model_pattern <> ''),
    automatic     BOOLEAN NOT NULL
);
CREATE INDEX ix_permissions__user_id ON permissions (user_id);
CREATE INDEX ix_permissions__provider_id ON permissions (provider_id);

CREATE TABLE file_permissions (
    id          {id},
    user_id     BIGINT NOT NULL CONSTRAINT fk_file_permissions__user_id REFERENCES users (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE,
    provider_id BIGINT CONSTRAINT fk_file_permissions__provider_id REFERENCES providers (id) ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE
);
CREATE INDEX ix_file_permissions__user_id ON file_permissions (user_id);
CREATE INDEX ix_file_permissions__provider_id ON file_permissions (provider_id);

-- scope_id refers to users, keys or teams by scope; the store checks it.
CREATE TABLE quotas (
    id           {id},
    scope        {text} NOT NULL CONSTRAINT ck_quotas__scope CHECK (scope IN ('user', 'key', 'team', 'instance', 'service')),
    scope_id     BIGINT NOT NULL CONSTRAINT ck_quotas__scope_id CHECK (scope_id >= 0),
    period       {text} NOT NULL CONSTRAINT ck_quotas__window CHECK (period IN ('total', 'day', 'week', 'month')),
    budget       BIGINT CONSTRAINT ck_quotas__limit CHECK (budget >= 0),
    spent        BIGINT NOT NULL CONSTRAINT ck_quotas__spent CHECK (spent >= 0),
    window_start BIGINT NOT NULL
);
CREATE UNIQUE INDEX uq_quotas__window ON quotas (scope, scope_id, period);

CREATE TABLE rate_limits (
    id            {id},
    scope         {text} NOT NULL CONSTRAINT ck_rate_limits__scope CHECK (scope IN ('user', 'key', 'team', 'instance', 'service')),
    scope_id      BIGINT NOT NULL CONSTRAINT ck_rate_limits__scope_id CHECK (scope_id >= 0),
    model_pattern {text} NOT NULL CONSTRAINT ck_rate_limits__model_pattern CHECK (model_pattern <> ''),
    rpm           BIGINT CONSTRAINT ck_rate_limits__rpm CHECK (rpm >= 0),
    rpd           BIGINT CONSTRAINT ck_rate_limits__rpd CHECK (rpd >= 0),
    total_tokens  BIGINT CONSTRAINT ck_rate_limits__total_tokens CHECK (total_tokens >= 0),
    concurrency   BIGINT CONSTRAINT ck_rate_limits__concurrency CHECK (concurrency >= 0)
);
CREATE INDEX ix_rate_limits__scope ON rate_limits (scope, scope_id);

CREATE TABLE audit (
    id         {id},
    at         BIGINT NOT NULL,
    actor_id   BIGINT NOT NULL,
    actor_name {text} NOT NULL,
    via        {text} NOT NULL,
    key_id     BIGINT NOT NULL,
    ip         {text} NOT NULL,
    request_id BIGINT NOT NULL,
    action     {text} NOT NULL,
    target     {text} NOT NULL,
    target_id  BIGINT NOT NULL,
    detail     {text}
);
CREATE INDEX ix_audit__target ON audit (target, target_id);

-- Usage and audit carry ids without references: they outlive what they name.
-- The primary key rises with time, so that an append goes to the end.
CREATE TABLE requests (
    id                    {rowid},
    user_id               BIGINT NOT NULL,
    key_id                BIGINT NOT NULL,
    session_id            BIGINT NOT NULL,
    team_id               BIGINT NOT NULL,
    service               BOOLEAN NOT NULL,
    started_at            BIGINT NOT NULL,
    client_ip             {text} NOT NULL,
    user_agent            {text} NOT NULL,
    dialect               {text} NOT NULL,
    operation             {text} NOT NULL,
    stream                BOOLEAN NOT NULL,
    model                 {text} NOT NULL,
    provider_id           BIGINT NOT NULL,
    served                {text} NOT NULL,
    status                BIGINT NOT NULL,
    error_class           {text} NOT NULL,
    error_text            {text} NOT NULL,
    first_token           BIGINT NOT NULL,
    latency               BIGINT NOT NULL,
    tags                  {text} NOT NULL,
    tokens_input          BIGINT NOT NULL,
    tokens_cache_read     BIGINT NOT NULL,
    tokens_cache_write    BIGINT NOT NULL,
    tokens_cache_write_1h BIGINT NOT NULL,
    tokens_output         BIGINT NOT NULL,
    tokens_reasoning      BIGINT NOT NULL,
    cost                  BIGINT NOT NULL
);
CREATE INDEX ix_requests__user_id ON requests (user_id, id);

-- The id is the request's with the attempt in its low four bits.
CREATE TABLE dispatches (
    id                    {rowid},
    user_id               BIGINT NOT NULL,
    key_id                BIGINT NOT NULL,
    dialect               {text} NOT NULL,
    operation             {text} NOT NULL,
    provider_id           BIGINT NOT NULL,
    credential_id         BIGINT NOT NULL,
    model                 {text} NOT NULL,
    started_at            BIGINT NOT NULL,
    latency               BIGINT NOT NULL,
    status                BIGINT NOT NULL,
    error_class           {text} NOT NULL,
    tokens_input          BIGINT NOT NULL,
    tokens_cache_read     BIGINT NOT NULL,
    tokens_cache_write    BIGINT NOT NULL,
    tokens_cache_write_1h BIGINT NOT NULL,
    tokens_output         BIGINT NOT NULL,
    tokens_reasoning      BIGINT NOT NULL,
    exactness             {text} NOT NULL,
    service_tier          {text} NOT NULL,
    cost                  BIGINT NOT NULL,
    price_version         BIGINT NOT NULL
);
CREATE INDEX ix_dispatches__user_id ON dispatches (user_id, id);
