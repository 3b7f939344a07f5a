package judge

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// leaf is a finding and whether it says that the text is of another form
// altogether, which tells the forms of a choice apart.
type leaf struct {
	Finding
	elsewhere bool
}

// findings lists the places that a validation error is about. Of a choice of
// forms only the one that was meant counts.
func findings(err error) Verdict {
	if err == nil {
		return nil
	}
	var e *jsonschema.ValidationError
	if !errors.As(err, &e) {
		return Verdict{{Says: err.Error()}}
	}
	var out Verdict
	for _, l := range leaves(e) {
		if !slices.Contains(out, l.Finding) {
			out = append(out, l.Finding)
		}
	}
	return out
}

func leaves(e *jsonschema.ValidationError) []leaf {
	switch k := e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf:
		return meant(e)
	case *kind.Required:
		var out []leaf
		for _, name := range k.Missing {
			out = append(out, leaf{
				Finding:   Finding{Path: place(append(slices.Clone(e.InstanceLocation), name)), Says: "is missing", Missing: true},
				elsewhere: name == "type" || name == "role",
			})
		}
		return out
	}
	if len(e.Causes) == 0 {
		at := place(e.InstanceLocation)
		says := e.ErrorKind.LocalizedString(message.NewPrinter(language.English))
		return []leaf{{Finding: Finding{Path: at, Says: says}, elsewhere: discriminates(e)}}
	}
	var out []leaf
	for _, c := range e.Causes {
		out = append(out, leaves(c)...)
	}
	return out
}

// discriminates reports whether e is about a member that names a form.
func discriminates(e *jsonschema.ValidationError) bool {
	n := len(e.InstanceLocation)
	if n == 0 {
		return false
	}
	switch e.ErrorKind.(type) {
	case *kind.Const, *kind.Enum:
		return e.InstanceLocation[n-1] == "type" || e.InstanceLocation[n-1] == "role"
	}
	return false
}

// meant returns what is wrong with the form that e's text was meant to have:
// the one whose discriminating members fit and that has the fewest faults.
func meant(e *jsonschema.ValidationError) []leaf {
	at := place(e.InstanceLocation)
	var best []leaf
	got, types := "", true
	for _, c := range e.Causes {
		list := leaves(c)
		other := false
		for _, l := range list {
			if l.elsewhere && (l.Path == at+"/type" || l.Path == at+"/role" || l.Path == at) {
				other = true
			}
		}
		if t, ok := rootType(c, len(e.InstanceLocation)); ok {
			got, other = t, true
		} else {
			types = false
		}
		if !other && (best == nil || len(list) < len(best)) {
			best = list
		}
	}
	switch {
	case best != nil:
		return best
	case types:
		return []leaf{{Finding: Finding{Path: at, Says: "got " + got + ", which no form has"}, elsewhere: true}}
	default:
		return []leaf{{Finding: Finding{Path: at, Says: "no form has " + name(e)}, elsewhere: true}}
	}
}

// rootType says whether c is only that its text has another type.
func rootType(c *jsonschema.ValidationError, depth int) (string, bool) {
	if k, ok := c.ErrorKind.(*kind.Type); ok {
		return k.Got, len(c.InstanceLocation) == depth
	}
	if len(c.Causes) == 1 {
		return rootType(c.Causes[0], depth)
	}
	return "", false
}

// name is the value of the discriminating members, as e's forms refuse it.
func name(e *jsonschema.ValidationError) string {
	var parts []string
	var walk func(c *jsonschema.ValidationError)
	walk = func(c *jsonschema.ValidationError) {
		if discriminates(c) && len(c.InstanceLocation) == len(e.InstanceLocation)+1 {
			got := any(nil)
			switch k := c.ErrorKind.(type) {
			case *kind.Const:
				got = k.Got
			case *kind.Enum:
				got = k.Got
			}
			s := fmt.Sprintf("%s %q", c.InstanceLocation[len(c.InstanceLocation)-1], fmt.Sprint(got))
			if !slices.Contains(parts, s) {
				parts = append(parts, s)
			}
		}
		for _, c := range c.Causes {
			walk(c)
		}
	}
	walk(e)
	if len(parts) == 0 {
		return "it"
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
