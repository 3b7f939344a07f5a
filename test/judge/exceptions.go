package judge

import "regexp"

// Exception is something that a description does not know or contradicts
// itself about, and that is written all the same.
type Exception struct {
	By   string // the description: "OpenAI", "Open Responses", "Anthropic", "Gemini"
	What string // "request", "answer", "event"; empty for all
	Path string // a regular expression for the whole of Finding.Path
	Says string // a regular expression for the whole of Finding.Says
	Why  string // what is so, and who says it
	// Shared marks what only recordings show, which are not part of this project.
	Shared bool
}

// Court sorts findings by the exceptions and counts what each of them excused.
type Court struct {
	exceptions []Exception
	paths      []*regexp.Regexp
	says       []*regexp.Regexp
	used       []int
}

// NewCourt takes the exceptions that hold.
func NewCourt(exceptions []Exception) *Court {
	c := &Court{exceptions: exceptions, used: make([]int, len(exceptions))}
	for _, e := range exceptions {
		c.paths = append(c.paths, regexp.MustCompile("^(?:"+e.Path+")$"))
		c.says = append(c.says, regexp.MustCompile("^(?:"+e.Says+")$"))
	}
	return c
}

// Sort returns the findings that no exception excuses.
func (c *Court) Sort(by, what string, v Verdict) Verdict {
	var out Verdict
	for _, f := range v {
		if !c.excused(by, what, f) {
			out = append(out, f)
		}
	}
	return out
}

func (c *Court) excused(by, what string, f Finding) bool {
	for i, e := range c.exceptions {
		if e.By == by && (e.What == "" || e.What == what) && c.paths[i].MatchString(f.Path) && c.says[i].MatchString(f.Says) {
			c.used[i]++
			return true
		}
	}
	return false
}

// Counts returns how often each exception was used.
func (c *Court) Counts() []int { return c.used }

// Exceptions are those that hold, in the order of the descriptions.
func Exceptions() []Exception {
	return []Exception{}
}
