-- The ledger: intents before dispatch, balances that the commits keep, adjustments
-- as rows, and roll-ups written with the usage rows.

-- +goose Up

-- The first request that counts in a quota; 0 = none has yet.
ALTER TABLE quotas ADD COLUMN since BIGINT NOT NULL DEFAULT 0;

-- Whom a dispatch is charged to besides its user and key.
ALTER TABLE dispatches ADD COLUMN team_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE dispatches ADD COLUMN service BOOLEAN NOT NULL DEFAULT FALSE;

-- Dispatches on their way: a row is there from before the first byte goes out
-- until the dispatch is settled.
CREATE TABLE intents (
    id            {rowid},
    held          BIGINT NOT NULL CONSTRAINT ck_intents__held CHECK (held >= 0),
    user_id       BIGINT NOT NULL,
    key_id        BIGINT NOT NULL,
    session_id    BIGINT NOT NULL,
    team_id       BIGINT NOT NULL,
    service       BOOLEAN NOT NULL,
    provider_id   BIGINT NOT NULL,
    credential_id BIGINT NOT NULL,
    price_version BIGINT NOT NULL,
    model         {text} NOT NULL,
    dialect       {text} NOT NULL,
    operation     {text} NOT NULL
);

-- Appended, never altered. They outlive the quota that they name.
CREATE TABLE adjustments (
    id           {id},
    at           BIGINT NOT NULL,
    kind         {text} NOT NULL CONSTRAINT ck_adjustments__kind CHECK (kind IN ('correction', 'carry')),
    quota_id     BIGINT NOT NULL,
    scope        {text} NOT NULL,
    scope_id     BIGINT NOT NULL,
    period       {text} NOT NULL,
    window_start BIGINT NOT NULL,
    amount       BIGINT NOT NULL,
    reason       {text} NOT NULL,
    actor_id     BIGINT NOT NULL,
    actor_name   {text} NOT NULL,
    via          {text} NOT NULL
);
CREATE INDEX ix_adjustments__quota_id ON adjustments (quota_id, id);

-- What was spent before there were settlements came from corrections.
INSERT INTO adjustments (at, kind, quota_id, scope, scope_id, period, window_start, amount, reason, actor_id, actor_name, via)
SELECT window_start, 'correction', id, scope, scope_id, period, window_start, spent, 'balance before the ledger', 0, 'host', 'upgrade'
FROM quotas WHERE spent > 0;

-- One row per hour, and per UTC day, that dispatches started in (since 1970) and
-- who, where, what; latency in microseconds. Reports over whole days read the
-- days, and the hours at their ends.
CREATE TABLE usage_hours (
    hour                  BIGINT NOT NULL,
    user_id               BIGINT NOT NULL,
    team_id               BIGINT NOT NULL,
    key_id                BIGINT NOT NULL,
    service               BOOLEAN NOT NULL,
    provider_id           BIGINT NOT NULL,
    model                 {text} NOT NULL,
    dispatches            BIGINT NOT NULL,
    errors                BIGINT NOT NULL,
    estimated             BIGINT NOT NULL,
    latency               BIGINT NOT NULL,
    cost                  BIGINT NOT NULL,
    tokens_input          BIGINT NOT NULL,
    tokens_cache_read     BIGINT NOT NULL,
    tokens_cache_write    BIGINT NOT NULL,
    tokens_cache_write_1h BIGINT NOT NULL,
    tokens_output         BIGINT NOT NULL,
    tokens_reasoning      BIGINT NOT NULL,
    PRIMARY KEY (hour, user_id, team_id, key_id, service, provider_id, model)
) {clustered};

CREATE TABLE usage_days (
    day                   BIGINT NOT NULL,
    user_id               BIGINT NOT NULL,
    team_id               BIGINT NOT NULL,
    key_id                BIGINT NOT NULL,
    service               BOOLEAN NOT NULL,
    provider_id           BIGINT NOT NULL,
    model                 {text} NOT NULL,
    dispatches            BIGINT NOT NULL,
    errors                BIGINT NOT NULL,
    estimated             BIGINT NOT NULL,
    latency               BIGINT NOT NULL,
    cost                  BIGINT NOT NULL,
    tokens_input          BIGINT NOT NULL,
    tokens_cache_read     BIGINT NOT NULL,
    tokens_cache_write    BIGINT NOT NULL,
    tokens_cache_write_1h BIGINT NOT NULL,
    tokens_output         BIGINT NOT NULL,
    tokens_reasoning      BIGINT NOT NULL,
    PRIMARY KEY (day, user_id, team_id, key_id, service, provider_id, model)
) {clustered};

INSERT INTO usage_hours
SELECT started_at / 3600000000, user_id, team_id, key_id, service, provider_id, model,
    COUNT(*), SUM(CASE WHEN error_class <> '' THEN 1 ELSE 0 END), SUM(CASE WHEN exactness IN ('estimated', 'unknown_outcome') THEN 1 ELSE 0 END),
    SUM(latency), SUM(cost), SUM(tokens_input), SUM(tokens_cache_read), SUM(tokens_cache_write), SUM(tokens_cache_write_1h),
    SUM(tokens_output), SUM(tokens_reasoning)
FROM dispatches GROUP BY 1, 2, 3, 4, 5, 6, 7;

INSERT INTO usage_days
SELECT hour / 24, user_id, team_id, key_id, service, provider_id, model,
    SUM(dispatches), SUM(errors), SUM(estimated), SUM(latency), SUM(cost), SUM(tokens_input), SUM(tokens_cache_read), SUM(tokens_cache_write),
    SUM(tokens_cache_write_1h), SUM(tokens_output), SUM(tokens_reasoning)
FROM usage_hours GROUP BY 1, 2, 3, 4, 5, 6, 7;
