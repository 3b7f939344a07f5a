package config

import (
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tollgate"
)

// applyAlarmAt reads thresholds in percent; none = no alarm of a quota.
func applyAlarmAt(c *Config, s string) error {
	c.Ledger.AlarmAt = nil
	if s == noInts {
		return nil
	}
	for part := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 1 || n > 100 {
			return errors.New("are percentages from 1 to 100")
		}
		c.Ledger.AlarmAt = append(c.Ledger.AlarmAt, n)
	}
	slices.Sort(c.Ledger.AlarmAt)
	c.Ledger.AlarmAt = slices.Compact(c.Ledger.AlarmAt)
	if len(c.Ledger.AlarmAt) > maxThresholds {
		return errors.New("are at most 10")
	}
	return nil
}

const maxThresholds = 10

func applyAlarmWebhook(c *Config, s string) error {
	c.Ledger.AlarmWebhook = tollgate.NewSecret(s)
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return errors.New("must be an http or https URL without user information") // its path may be a secret: it is not quoted
	}
	return nil
}

// minAlarmSecret is the least length of the key that signs alarms, in bytes
// (Standard Webhooks: 24 to 64).
const minAlarmSecret = 24

func applyAlarmSecret(c *Config, s string) error {
	c.Ledger.AlarmSecret = tollgate.NewSecret(s)
	key := []byte(s)
	if encoded, ok := strings.CutPrefix(s, "whsec_"); ok {
		var err error
		if key, err = base64.StdEncoding.DecodeString(encoded); err != nil {
			return errors.New("has something behind whsec_ that is not base64")
		}
	}
	switch {
	case len(key) < minAlarmSecret:
		return errors.New("has at least 24 bytes, such as the output of: echo whsec_$(openssl rand -base64 32)")
	case published(s):
		return errors.New("stands in published examples; choose another")
	}
	return nil
}
