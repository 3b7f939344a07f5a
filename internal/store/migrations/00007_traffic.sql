-- What a dashboard shows, counted when the request rows are written.

-- +goose Up

-- One row per period that requests began in: five minutes (span 5) or an hour
-- (span 60), numbered since 1970; class is the hundreds of the answer's status,
-- 0 = the client left before there was one. Tokens are of all kinds.
CREATE TABLE traffic (
    span         BIGINT NOT NULL,
    period       BIGINT NOT NULL,
    user_id      BIGINT NOT NULL,
    class        BIGINT NOT NULL,
    requests     BIGINT NOT NULL,
    streams      BIGINT NOT NULL,
    cost         BIGINT NOT NULL,
    input        BIGINT NOT NULL,
    output       BIGINT NOT NULL,
    PRIMARY KEY (span, period, user_id, class)
) {clustered};

-- How long answers took (measure 0) and how long their first token did (1), as
-- a histogram; bucket is its index in tollgate.LatencyBounds.
CREATE TABLE latencies (
    span    BIGINT NOT NULL,
    period  BIGINT NOT NULL,
    measure BIGINT NOT NULL,
    bucket  BIGINT NOT NULL,
    n       BIGINT NOT NULL,
    PRIMARY KEY (span, period, measure, bucket)
) {clustered};

INSERT INTO traffic
SELECT 60, started_at / 3600000000, user_id, CASE WHEN status = 499 THEN 0 WHEN status >= 600 THEN 5 ELSE status / 100 END, COUNT(*),
    SUM(CASE WHEN stream THEN 1 ELSE 0 END), SUM(cost),
    SUM(tokens_input + tokens_cache_read + tokens_cache_write + tokens_cache_write_1h), SUM(tokens_output)
FROM requests GROUP BY 1, 2, 3, 4;
