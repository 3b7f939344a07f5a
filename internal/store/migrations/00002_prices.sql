-- Versions of prices, where rate limits stand, and the parts of a dispatch's
-- tokens that some models price apart.

-- +goose Up

-- Rows are only ever added. They carry ids without references, since usage
-- rows refer to them when provider and model are long gone. provider_id 0 is
-- every provider, model_id 0 a price by pattern; prices NULL is a withdrawal.
CREATE TABLE prices (
    id            {id},
    provider_id   BIGINT NOT NULL,
    model_id      BIGINT NOT NULL,
    model_pattern {text} NOT NULL CONSTRAINT ck_prices__model_pattern CHECK (model_pattern <> ''),
    prices        {text},
    source        {text} NOT NULL CONSTRAINT ck_prices__source CHECK (source IN ('shipped', 'toml', 'api', 'import')),
    valid_from    BIGINT NOT NULL,
    created_at    BIGINT NOT NULL
);
CREATE INDEX ix_prices__series ON prices (provider_id, model_id, model_pattern);

-- What counts against rate limits, in the limiter's own form. A counter whose
-- limit is gone is dropped with the next write.
CREATE TABLE rate_counters (
    limit_id {rowid},
    state    {blob} NOT NULL
);

ALTER TABLE dispatches ADD COLUMN tokens_input_audio BIGINT NOT NULL DEFAULT 0;
ALTER TABLE dispatches ADD COLUMN tokens_input_image BIGINT NOT NULL DEFAULT 0;
ALTER TABLE dispatches ADD COLUMN tokens_output_audio BIGINT NOT NULL DEFAULT 0;
ALTER TABLE dispatches ADD COLUMN tokens_output_image BIGINT NOT NULL DEFAULT 0;
