package alarm

import (
	"fmt"
	"strings"
	"time"

	"tollgate"
)

// message is the body of a delivery, in the form that Standard Webhooks
// recommends: what happened, when, and its data.
type message struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      data      `json:"data"`
}

type data struct {
	ID          int64           `json:"id,omitempty"` // as /admin/alarms/query has it
	Text        string          `json:"text"`
	QuotaID     int64           `json:"quota_id,omitempty"`
	Scope       string          `json:"scope,omitempty"`
	ScopeID     int64           `json:"scope_id,omitempty"`
	UserID      int64           `json:"user_id,omitempty"`
	Window      string          `json:"window,omitempty"`
	WindowStart *time.Time      `json:"window_start,omitempty"`
	ResetsAt    *time.Time      `json:"resets_at,omitempty"`
	Threshold   int             `json:"threshold,omitempty"` // percent
	Quota       *tollgate.Money `json:"quota,omitempty"`     // dollars
	CostUsed    *tollgate.Money `json:"cost_used,omitempty"`
	ProviderID  int64           `json:"provider_id,omitempty"`
	Model       string          `json:"model,omitempty"`
	Overrun     *tollgate.Money `json:"overrun,omitempty"`
}

func messageOf(a *tollgate.Alarm) message {
	m := message{Type: string(a.Kind), Timestamp: a.At.UTC(), Data: data{ID: a.ID, Text: Text(a), ProviderID: a.ProviderID, Model: a.Model}}
	switch a.Kind {
	case tollgate.AlarmQuota:
		m.Type = "quota.threshold"
		m.Data.QuotaID, m.Data.Scope, m.Data.ScopeID, m.Data.UserID = a.QuotaID, string(a.Scope), a.ScopeID, a.UserID
		m.Data.Window, m.Data.WindowStart, m.Data.ResetsAt = string(a.Window), orNull(a.WindowStart), orNull(a.WindowEnd)
		m.Data.Threshold, m.Data.Quota, m.Data.CostUsed = a.Threshold, &a.Limit, &a.Spent
	case tollgate.AlarmUnpriced:
		m.Type = "model.unpriced"
	case tollgate.AlarmOverrun:
		m.Type, m.Data.Overrun = "dispatch.overrun", &a.Spent
	}
	return m
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// Text says an alarm in a sentence.
func Text(a *tollgate.Alarm) string {
	switch a.Kind {
	case tollgate.AlarmQuota:
		whose := "the gateway"
		if a.Scope != tollgate.ScopeInstance {
			whose = strings.TrimSuffix(fmt.Sprintf("%s %d", a.Scope, a.ScopeID), " 0")
		}
		when := ""
		if a.Window != tollgate.WindowTotal {
			when = " of this " + string(a.Window)
		}
		return fmt.Sprintf("%s of the quota of %s dollars%s of %s is spent: %s dollars", percent(a), a.Limit, when, whose, a.Spent)
	case tollgate.AlarmUnpriced:
		return fmt.Sprintf("the model %s of provider %d was used and has no price", a.Model, a.ProviderID)
	case tollgate.AlarmOverrun:
		return fmt.Sprintf("a call of the model %s of provider %d cost %s dollars more than was held for it", a.Model, a.ProviderID, a.Spent)
	default:
		return "this is a test"
	}
}

// percent is the threshold, or "nearly all" where a little is left that nothing
// fits into.
func percent(a *tollgate.Alarm) string {
	if a.Threshold == 100 && a.Spent < a.Limit {
		return "nearly all"
	}
	return fmt.Sprintf("%d %%", a.Threshold)
}
