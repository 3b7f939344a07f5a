package api

import (
	"context"
	"strings"
	"time"

	"tollgate"
)

// RequestFields are the filters of requests that everybody has.
type RequestFields struct {
	UsageFields
	Status       Scope[int]    `json:"status,omitzero" doc:"What the client got."`
	StatusClass  Scope[int]    `json:"status_class,omitzero" doc:"Its hundreds: 2, 4, 5."`
	ErrorClass   Scope[string] `json:"error_class,omitzero"`
	Tag          string        `json:"tag,omitempty" maxLength:"256" doc:"One of the request's tags."`
	MinLatencyMS int64         `json:"min_latency_ms,omitempty" minimum:"0" maximum:"86400000"`
}

// RequestFilter returns what the store selects by.
func (r RequestFields) RequestFilter() (tollgate.RequestFilter, error) {
	usage, err := r.Filter()
	f := tollgate.RequestFilter{
		UsageFilter: usage, Status: r.Status.Match, Class: r.StatusClass.Match, Tag: r.Tag, MinLatency: time.Duration(r.MinLatencyMS) * time.Millisecond,
	}
	f.ErrorClass.Set = r.ErrorClass.Set
	for _, c := range r.ErrorClass.Values {
		f.ErrorClass.Values = append(f.ErrorClass.Values, tollgate.Code(c))
	}
	return f, err
}

// Request is the JSON of a request row: one request of a client.
type Request struct {
	ID           string    `json:"id"`
	UserID       *int64    `json:"user_id"`
	KeyID        *int64    `json:"key_id"`
	TeamID       *int64    `json:"team_id"`
	Service      bool      `json:"service" doc:"By the access key."`
	StartedAt    time.Time `json:"started_at"`
	ClientIP     string    `json:"client_ip"`
	UserAgent    string    `json:"user_agent"`
	Dialect      string    `json:"dialect"`
	Operation    string    `json:"operation"`
	Stream       bool      `json:"stream"`
	Model        string    `json:"model" doc:"As the client sent it."`
	ProviderID   *int64    `json:"provider_id"`
	ServedModel  string    `json:"served_model"`
	Status       int       `json:"status"`
	ErrorClass   string    `json:"error_class"`
	ErrorText    string    `json:"error_text,omitempty" doc:"For admins."`
	FirstTokenMS int64     `json:"first_token_ms"`
	LatencyMS    int64     `json:"latency_ms"`
	Tags         string    `json:"tags" doc:"x-tollgate-tags, or the user that the body names."`
	Losses       []string  `json:"losses" nullable:"false" doc:"What the translation between the client's protocol and the provider's did not carry."`
	Tokens
	Cost    Money  `json:"cost"`
	Payload string `json:"payload,omitempty" enum:"none,kept,truncated" doc:"Whether the bodies are kept. Absent in live feeds: what is kept is written a moment later."`
}

// RequestRecord returns the JSON of a request row.
func RequestRecord(r tollgate.Request) Request {
	return Request{
		ID: r.ID.String(), UserID: OrNull(r.UserID), KeyID: OrNull(r.KeyID), TeamID: OrNull(r.TeamID), Service: r.Service, StartedAt: r.StartedAt.UTC(),
		ClientIP: r.ClientIP, UserAgent: r.UserAgent, Dialect: string(r.Dialect), Operation: string(r.Operation), Stream: r.Stream,
		Model: r.Model, ProviderID: OrNull(r.ProviderID), ServedModel: r.Served, Status: r.Status, ErrorClass: string(r.ErrorClass),
		ErrorText: r.ErrorText, FirstTokenMS: r.FirstToken.Milliseconds(), LatencyMS: r.Latency.Milliseconds(), Tags: r.Tags,
		Losses: losses(r.Losses),
		Tokens: tokens(r.Tokens), Cost: Money(r.Cost),
	}
}

// losses returns the features of a row as a list, empty if there are none.
func losses(text string) []string {
	if text == "" {
		return []string{}
	}
	return strings.Split(text, ", ")
}

// RequestRows is the Source of request rows.
func RequestRows(ctx context.Context, tx tollgate.Tx, f tollgate.RequestFilter, p tollgate.Page) ([]tollgate.Request, *tollgate.Cursor, error) {
	return tx.Usage.Requests(ctx, f, p)
}

// CountRequests counts the requests that f selects.
func CountRequests(ctx context.Context, store tollgate.Store, f tollgate.RequestFilter) (Count, error) {
	var c Count
	err := store.View(ctx, func(tx tollgate.Tx) (err error) {
		c.Count, err = tx.Usage.CountRequests(ctx, f)
		return err
	})
	return c, err
}

// ByRequest names one request.
type ByRequest struct {
	ID string `json:"id" required:"true" doc:"x-tollgate-request-id of an answer."`
}

// RequestDetail is the JSON of a request with what went out for it.
type RequestDetail struct {
	Request
	Attempts []Attempt `json:"attempts" nullable:"false" doc:"In their order; the last one answered, if one did."`
}

// Attempt is a usage row with what its cost is made of.
type Attempt struct {
	Usage
	CredentialID int64      `json:"credential_id"`
	CostLines    []CostLine `json:"cost_lines" nullable:"false"`
}

// CostLine is a part of a cost.
type CostLine struct {
	Kind     string `json:"kind" enum:"input,cache_read,cache_write,cache_write_1h,input_audio,input_image,output,reasoning,output_audio,output_image,call,image"`
	Quantity int64  `json:"quantity"`
	Rate     Money  `json:"rate" doc:"For a million tokens, or for one call or image."`
	Amount   Money  `json:"amount" doc:"Rounded up; the cost is rounded once, so it may be some nano-dollars less than the sum."`
}

// CostLines says what the cost of a usage row is made of.
type CostLines func(ctx context.Context, tx tollgate.Tx, row *tollgate.UsageRow) ([]CostLine, error)

// GetRequest reads one request of those that f selects; what f leaves out does
// not exist.
func GetRequest(ctx context.Context, store tollgate.Store, f tollgate.UsageFilter, in ByRequest, lines CostLines) (RequestDetail, error) {
	out := RequestDetail{Attempts: []Attempt{}}
	id, err := in.RequestID()
	if err != nil {
		return out, err
	}
	f.RequestID = tollgate.Is(id)
	return out, store.View(ctx, func(tx tollgate.Tx) error {
		rows, _, err := tx.Usage.Requests(ctx, tollgate.RequestFilter{UsageFilter: f}, tollgate.Page{Limit: 1})
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return tollgate.Errorf(tollgate.CodeNotFound, "there is no such request")
		}
		out.Request = RequestRecord(rows[0])
		states, err := tx.Payloads.States(ctx, []tollgate.RequestID{id})
		if err != nil {
			return err
		}
		out.Payload = payloadState(states, id)
		dispatches, _, err := tx.Usage.Dispatches(ctx, tollgate.UsageFilter{RequestID: f.RequestID}, tollgate.Page{All: true})
		if err != nil {
			return err
		}
		for i := range dispatches {
			d := &dispatches[i]
			parts, err := lines(ctx, tx, d)
			if err != nil {
				return err
			}
			out.Attempts = append(out.Attempts, Attempt{Usage: UsageRecord(*d), CredentialID: d.CredentialID, CostLines: parts})
		}
		return nil
	})
}
