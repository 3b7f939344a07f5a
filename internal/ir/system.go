package ir

// The marks around a system message that a dialect without them carries as a
// turn of the user.
const (
	systemOpen  = "<system-message>\n"
	systemClose = "\n</system-message>"
)

// TagSystem returns a system message from the middle of a conversation as a
// turn of the user whose texts say what they are, for dialects that know a
// system prompt at the head alone: moving it there would break the provider's
// prefix cache and put it before what it refers to. Nothing undoes it: a user who
// types the tag must not speak as the system.
func TagSystem(m Message) Message {
	m.Role = RoleUser
	parts := make([]Part, len(m.Parts))
	for i, p := range m.Parts {
		if t, ok := p.(Text); ok {
			t.Text = systemOpen + t.Text + systemClose
			p = t
		}
		parts[i] = p
	}
	m.Parts = parts
	return m
}
