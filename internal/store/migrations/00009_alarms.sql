-- Re-ratings that are booked, and alarms.

-- +goose Up

-- Appended, never altered.
CREATE TABLE reratings (
    id            {id},
    at            BIGINT NOT NULL,
    since         BIGINT NOT NULL,
    until         BIGINT NOT NULL,
    selection     {text} NOT NULL,
    price_version BIGINT NOT NULL,
    book_version  BIGINT NOT NULL,
    dispatches    BIGINT NOT NULL,
    changed       BIGINT NOT NULL,
    cost_before   BIGINT NOT NULL,
    cost_after    BIGINT NOT NULL,
    reason        {text} NOT NULL,
    actor_id      BIGINT NOT NULL,
    actor_name    {text} NOT NULL,
    via           {text} NOT NULL
);

-- What a dispatch costs since it was priced anew, and by which version.
CREATE TABLE rerated (
    id            {rowid},
    cost          BIGINT NOT NULL CONSTRAINT ck_rerated__cost CHECK (cost >= 0),
    was           BIGINT NOT NULL,
    price_version BIGINT NOT NULL,
    rerating_id   BIGINT NOT NULL
);

ALTER TABLE adjustments ADD COLUMN rerating_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE adjustments ADD COLUMN due BIGINT NOT NULL DEFAULT 0;

-- What a dispatch cost above what was held for it.
ALTER TABLE dispatches ADD COLUMN overrun BIGINT NOT NULL DEFAULT 0;

-- What was noticed, once each: a subject has one open alarm.
CREATE TABLE alarms (
    id              {id},
    event_id        {text} NOT NULL CONSTRAINT ck_alarms__event_id CHECK (event_id <> ''),
    kind            {text} NOT NULL CONSTRAINT ck_alarms__kind CHECK (kind IN ('quota', 'unpriced', 'overrun')),
    subject         {text} NOT NULL CONSTRAINT ck_alarms__subject CHECK (subject <> ''),
    open            BOOLEAN NOT NULL,
    at              BIGINT NOT NULL,
    quota_id        BIGINT NOT NULL,
    scope           {text} NOT NULL,
    scope_id        BIGINT NOT NULL,
    user_id         BIGINT NOT NULL,
    period          {text} NOT NULL,
    window_start    BIGINT NOT NULL,
    window_end      BIGINT NOT NULL,
    threshold       BIGINT NOT NULL,
    budget          BIGINT NOT NULL,
    spent           BIGINT NOT NULL,
    provider_id     BIGINT NOT NULL,
    model           {text} NOT NULL,
    attempts        BIGINT NOT NULL,
    next_at         BIGINT NOT NULL,
    sent_at         BIGINT NOT NULL,
    failure         {text} NOT NULL,
    acknowledged_at BIGINT NOT NULL,
    acknowledged_by BIGINT NOT NULL
);
CREATE UNIQUE INDEX uq_alarms__event_id ON alarms (event_id);
CREATE UNIQUE INDEX uq_alarms__subject ON alarms (subject) WHERE open;
CREATE INDEX ix_alarms__quota_id ON alarms (quota_id, id);
CREATE INDEX ix_alarms__next_at ON alarms (next_at) WHERE next_at > 0;
