package journal

import (
	"fmt"

	"tollgate"
)

// form is the first byte of a content: how the rest is written. Once released,
// another list of fields is another form; a journal of a former one is refused,
// since only a killed process leaves one.
const form = 1

// Encode appends a record of request rows and intents to b, which is empty.
func Encode(b []byte, rows []tollgate.Request, intents []tollgate.Intent) []byte {
	c := coder{b: append(b, make([]byte, grain)...)}
	c.b = append(c.b, form)
	fields(&c, &rows, &intents)
	for len(c.b)%grain != 0 {
		c.b = append(c.b, 0)
	}
	return c.b
}

// Decode reads a content. Texts and times are as they were; times are UTC.
func Decode(content []byte) (rows []tollgate.Request, intents []tollgate.Intent, err error) {
	if len(content) == 0 || content[0] != form {
		return nil, nil, fmt.Errorf("%w: the content of a record is not understood", ErrVersion)
	}
	c := coder{b: content[1:], reading: true}
	fields(&c, &rows, &intents)
	if c.err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrDamaged, c.err)
	}
	return rows, intents, nil
}

func fields(c *coder, rows *[]tollgate.Request, intents *[]tollgate.Intent) {
	list(c, rows, request)
	list(c, intents, intent)
}

func request(c *coder, r *tollgate.Request) {
	integer(c, &r.ID)
	integer(c, &r.UserID)
	integer(c, &r.KeyID)
	integer(c, &r.SessionID)
	integer(c, &r.TeamID)
	flag(c, &r.Service)
	moment(c, &r.StartedAt)
	text(c, &r.ClientIP)
	text(c, &r.UserAgent)
	text(c, &r.Dialect)
	text(c, &r.Operation)
	flag(c, &r.Stream)
	text(c, &r.Model)
	integer(c, &r.ProviderID)
	text(c, &r.Served)
	integer(c, &r.Status)
	text(c, &r.ErrorClass)
	text(c, &r.ErrorText)
	integer(c, &r.FirstToken)
	integer(c, &r.Latency)
	text(c, &r.Tags)
	text(c, &r.Losses)
	tokens(c, &r.Tokens)
	integer(c, &r.Cost)
	list(c, &r.Dispatches, dispatch)
}

func tokens(c *coder, t *tollgate.Tokens) {
	integer(c, &t.Input)
	integer(c, &t.CacheRead)
	integer(c, &t.CacheWrite)
	integer(c, &t.CacheWrite1h)
	integer(c, &t.Output)
	integer(c, &t.Reasoning)
	integer(c, &t.InputAudio)
	integer(c, &t.InputImage)
	integer(c, &t.OutputAudio)
	integer(c, &t.OutputImage)
}

func dispatch(c *coder, d *tollgate.Dispatch) {
	integer(c, &d.ID)
	integer(c, &d.ProviderID)
	integer(c, &d.CredentialID)
	text(c, &d.Model)
	moment(c, &d.StartedAt)
	integer(c, &d.Latency)
	integer(c, &d.Status)
	text(c, &d.ErrorClass)
	tokens(c, &d.Tokens)
	text(c, &d.Exactness)
	text(c, &d.ServiceTier)
	integer(c, &d.Cost)
	integer(c, &d.PriceVersion)
	integer(c, &d.Overrun)
	list(c, &d.Charges, charge)
}

func charge(c *coder, v *tollgate.Charge) {
	integer(c, &v.QuotaID)
	moment(c, &v.WindowStart)
}

func usage(c *coder, u *tollgate.UsageRow) {
	dispatch(c, &u.Dispatch)
	integer(c, &u.RequestID)
	integer(c, &u.UserID)
	integer(c, &u.KeyID)
	integer(c, &u.TeamID)
	flag(c, &u.Service)
	text(c, &u.Dialect)
	text(c, &u.Operation)
}

func intent(c *coder, in *tollgate.Intent) {
	integer(c, &in.ID)
	integer(c, &in.UserID)
	integer(c, &in.KeyID)
	integer(c, &in.SessionID)
	integer(c, &in.TeamID)
	flag(c, &in.Service)
	text(c, &in.Dialect)
	text(c, &in.Operation)
	integer(c, &in.ProviderID)
	integer(c, &in.CredentialID)
	text(c, &in.Model)
	integer(c, &in.PriceVersion)
	integer(c, &in.Held)
	flag(c, &in.Void)
	list(c, &in.Settled, usage)
	list(c, &in.Opens, opening)
}

func opening(c *coder, o *tollgate.Opening) {
	integer(c, &o.QuotaID)
	integer(c, &o.Since)
}
