package config

import (
	"errors"
	"strconv"
	"time"

	"tollgate"
)

// Logging is what [logging] says of the requests that are kept.
type Logging struct {
	// RequestLife is how long request and usage rows are kept; 0 = for ever.
	RequestLife time.Duration
	// Payloads is of which requests the bodies are kept, for every key.
	Payloads tollgate.PayloadMode
	// PayloadBytes is how much is kept of one body.
	PayloadBytes int64
	// PayloadSent also keeps what went to a provider of another dialect.
	PayloadSent bool
	// PayloadLife is how long bodies are kept.
	PayloadLife time.Duration
	// PayloadTotal bounds what is kept of all bodies, in sealed bytes.
	PayloadTotal int64
}

const (
	day     = 24 * time.Hour
	century = 100 * 365 * day
)

func defaultLogging() Logging {
	return Logging{
		RequestLife: 90 * day, Payloads: tollgate.PayloadsOff, PayloadBytes: 1 << 20, PayloadLife: 30 * day, PayloadTotal: 1 << 30,
	}
}

func applyRequestLife(c *Config, s string) (err error) {
	if c.Logging.RequestLife, err = parseDuration(s); err != nil || c.Logging.RequestLife == 0 {
		return err
	}
	return within(c.Logging.RequestLife, day, century)
}

func applyPayloads(c *Config, s string) error {
	if c.Logging.Payloads = tollgate.PayloadMode(s); s == "" || !c.Logging.Payloads.Valid() {
		return errors.New(`must be "off", "errors" or "all"`)
	}
	return nil
}

func applyPayloadBytes(c *Config, s string) (err error) {
	c.Logging.PayloadBytes, err = strconv.ParseInt(s, 0, 64)
	if err != nil || c.Logging.PayloadBytes < 1<<10 || c.Logging.PayloadBytes > 16<<20 {
		return errors.New("must be from 1024 (1 KiB) to 16777216 (16 MiB)")
	}
	return nil
}

func applyPayloadLife(c *Config, s string) (err error) {
	if c.Logging.PayloadLife, err = parseDuration(s); err != nil {
		return err
	}
	return within(c.Logging.PayloadLife, time.Minute, century)
}

func applyPayloadTotal(c *Config, s string) (err error) {
	c.Logging.PayloadTotal, err = strconv.ParseInt(s, 0, 64)
	if err != nil || c.Logging.PayloadTotal < 1<<20 || c.Logging.PayloadTotal > 1<<44 {
		return errors.New("must be from 1048576 (1 MiB) to 17592186044416 (16 TiB)")
	}
	return nil
}
