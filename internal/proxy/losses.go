package proxy

import (
	"slices"
	"strconv"
	"strings"

	"tollgate"
	"tollgate/internal/ir"
)

const (
	headerLoss   = "X-Tollgate-Loss"
	headerStrict = "X-Tollgate-Strict"
	headerCount  = "X-Tollgate-Count"
)

// Bounds of what is said about losses, in bytes.
const (
	maxLossText    = 1 << 10
	maxLossFeature = 96
)

// lose notes what a translation did not carry: in the row, for the header if
// that is still to go out, and in the counters.
func (c *call) lose(losses []ir.Loss) {
	if len(losses) == 0 {
		return
	}
	c.losses = append(c.losses, losses...)
	c.row.Losses = lossText(c.losses)
	if c.p.Lost == nil {
		return
	}
	for _, l := range losses {
		c.p.Lost(countedFeature(l.Feature()), l.Note)
	}
}

// lossText names the features that were lost, each once and in order, as
// header and row show them; notes are left out. It is at most maxLossText long.
func lossText(losses []ir.Loss) string {
	var names []string
	for _, l := range losses {
		if !l.Note {
			names = append(names, shownFeature(l.Feature()))
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	const room = maxLossText - 24 // for the number of those that are left out
	var b strings.Builder
	for i, name := range names {
		if b.Len()+len(name)+2 > room {
			b.WriteString(", and " + strconv.Itoa(len(names)-i) + " more")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(name)
	}
	return b.String()
}

// shownFeature makes a feature fit for a header: names of a client's own
// members may stand in it.
func shownFeature(feature string) string {
	feature = feature[:min(len(feature), maxLossFeature)]
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' || r == '.' || r == '$' {
			return r
		}
		return '_'
	}, feature)
}

// countedFeature is the part of a feature that consists of the hub's own
// words: what clients name themselves would make counters without end.
func countedFeature(feature string) string {
	for _, free := range []string{"extras", "metadata", "logit_bias", "schema"} {
		if i := strings.Index(feature, free+"."); i == 0 || i > 0 && feature[i-1] == '.' {
			return feature[:i+len(free)]
		}
	}
	return shownFeature(feature)
}

// readStrict reads the header by which a client refuses losses.
func (c *call) readStrict() error {
	values := c.r.Header[headerStrict]
	if len(values) == 0 {
		return nil
	}
	on, err := strconv.ParseBool(values[0])
	if err != nil || len(values) > 1 {
		return tollgate.Invalidf("x-tollgate-strict", "x-tollgate-strict must be true or false")
	}
	c.strict = on
	return nil
}

// refuseLosses refuses a call that t cannot carry as it is, where the caller
// or the operator wants that.
func (c *call) refuseLosses(t *target) error {
	if !c.strict && !c.p.Strict && !t.endpoint.Strict() {
		return nil
	}
	var named []string
	for _, l := range t.losses {
		if text := l.Path + " (" + l.Why + ")"; !l.Note && !slices.Contains(named, text) {
			named = append(named, text)
		}
	}
	if len(named) == 0 {
		return nil
	}
	return &tollgate.Error{
		Code: tollgate.CodeInvalid, Reason: reasonLoss,
		Message: clip("strict: provider "+quote(t.ProviderName)+" ("+string(t.dialect)+") cannot carry this request as it is: "+strings.Join(named, "; "), 4*maxErrorText),
	}
}
