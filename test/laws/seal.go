package laws

import (
	"fmt"
	"slices"

	"tollgate"
	"tollgate/internal/ir"
)

// SealLaw says that what a vendor sealed onto thoughts and calls of a stream is
// in what the client gets, whatever its dialect, so that the client can give it
// back: a vendor that misses it refuses the next turn.
func SealLaw(c Case, target tollgate.Dialect) error {
	req, err := c.asked()
	if err != nil {
		return err
	}
	events, _, err := Decode(c, 1<<20)
	if err != nil || fails(events) {
		return err
	}
	var f ir.Folder
	enc := Translators()[target].StreamEncoder(req, framings(target)[0], id)
	var out []byte
	for _, ev := range events {
		out = enc.Event(out, ev)
		if err := f.Event(ev); err != nil {
			return err
		}
	}
	before, _ := f.Response()
	after, err := fold(target, string(out), framings(target)[0])
	if err != nil {
		return err
	}
	had, has := seals(before), seals(after)
	for _, s := range had {
		if !slices.Contains(has, s) {
			return fmt.Errorf("%s is not with the client\n%s", s, out)
		}
	}
	return nil
}

// seals are those of the first choice, which every dialect has.
func seals(r *ir.Response) []string {
	var out []string
	for _, it := range r.Choices[0].Items {
		switch x := it.(type) {
		case ir.ToolCall:
			if x.Private != nil {
				out = append(out, "call "+x.Name+" "+ir.Carry(*x.Private))
			}
		case ir.Thought:
			if x.Private != nil {
				out = append(out, "thought "+ir.Carry(*x.Private))
			}
		case ir.Message, ir.ToolResult, ir.Opaque:
		}
	}
	return out
}
