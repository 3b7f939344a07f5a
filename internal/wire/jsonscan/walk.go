package jsonscan

// Span is a range of bytes: Start inclusive, End exclusive. The zero value is
// no range.
type Span struct{ Start, End int }

// Empty reports whether s is no range.
func (s Span) Empty() bool { return s.End == s.Start }

// Of returns the bytes of b that s covers.
func (s Span) Of(b []byte) []byte { return b[s.Start:s.End] }

// Object walks the members of an object. Each value is fully validated as it
// is passed.
type Object struct {
	// Key is the text between the quotes, as it stands: escapes are not resolved.
	Key Span
	// Value is the whole value, quotes and brackets included.
	Value Span
	// End is the offset after the closing brace, once Next has returned false
	// without error.
	End int

	limits Limits
	b      []byte
	pos    int
	depth  int
	code   int
}

// Object starts walking the object that begins at b[at]; depth counts the
// containers open around it. What is not an object fails at the first Next.
func (l Limits) Object(b []byte, at, depth int) Object {
	o := Object{limits: l, b: b, pos: at, depth: depth + 1}
	if at >= len(b) || b[at] != '{' {
		o.code = ^at
	} else if l.tooDeep(o.depth) {
		o.code = failDepth
	}
	return o
}

// Next moves to the next member. It returns false at the end and on an error.
func (o *Object) Next() bool {
	return o.NextKey() && o.Pass(o.limits.value(o.b, o.Value.Start, o.depth))
}

// NextKey moves to the next member and stops before its value: only Key and
// Value.Start are set. The caller then walks into the value, or skips it, and
// says with Pass where it ends.
func (o *Object) NextKey() bool {
	if o.code < 0 || o.End > 0 {
		return false
	}
	b := o.b
	i := Space(b, o.pos+1)
	if b[o.pos] == '{' && i < len(b) && b[i] == '}' {
		o.End = i + 1
		return false
	}
	if i >= len(b) || b[i] != '"' {
		return o.fail(^i)
	}
	o.Key.Start = i + 1
	if i = text(b, i); i < 0 {
		return o.fail(i)
	}
	o.Key.End = i - 1
	if i = Space(b, i); i >= len(b) || b[i] != ':' {
		return o.fail(^i)
	}
	o.Value.Start = Space(b, i+1)
	return true
}

// Pass goes on behind a value that ends at end. What is no end, 0 or negative,
// fails the walk.
func (o *Object) Pass(end int) bool {
	if end <= 0 {
		return o.fail(min(end, -1))
	}
	o.Value.End = end
	return o.after(Space(o.b, end))
}

// after looks at what follows a member: a comma (kept in pos for the next
// step) or the end, which is only reported by the following Next.
func (o *Object) after(i int) bool {
	switch {
	case i >= len(o.b):
		return o.fail(^i)
	case o.b[i] == '}':
		o.End = i + 1
		return true
	case o.b[i] != ',':
		return o.fail(^i)
	}
	o.pos = i
	return true
}

func (o *Object) fail(code int) bool {
	o.code = code
	return false
}

// Err returns why the walk stopped early, nil after a whole object.
func (o *Object) Err() error {
	if o.code < 0 {
		return failure(o.b, o.code)
	}
	return nil
}

// Stop returns where the walk ended, in the form that Pass of an outer walk
// takes: End, or a negative number if it failed.
func (o *Object) Stop() int {
	if o.code < 0 {
		return o.code
	}
	return o.End
}

// Array walks the elements of an array.
type Array struct {
	// Value is the whole element.
	Value Span
	// End is the offset after the closing bracket, once Next has returned
	// false without error.
	End int

	limits Limits
	b      []byte
	pos    int
	depth  int
	code   int
}

// Array starts walking the array that begins at b[at]; depth counts the
// containers open around it. What is not an array fails at the first Next.
func (l Limits) Array(b []byte, at, depth int) Array {
	a := Array{limits: l, b: b, pos: at, depth: depth + 1}
	if at >= len(b) || b[at] != '[' {
		a.code = ^at
	} else if l.tooDeep(a.depth) {
		a.code = failDepth
	}
	return a
}

// Next moves to the next element. It returns false at the end and on an error.
func (a *Array) Next() bool {
	return a.NextItem() && a.Pass(a.limits.value(a.b, a.Value.Start, a.depth))
}

// NextItem moves to the next element and stops before it: only Value.Start is
// set. The caller then walks into it and says with Pass where it ends.
func (a *Array) NextItem() bool {
	if a.code < 0 || a.End > 0 {
		return false
	}
	a.Value.Start = Space(a.b, a.pos+1)
	if i := a.Value.Start; a.b[a.pos] == '[' && i < len(a.b) && a.b[i] == ']' {
		a.End = i + 1
		return false
	}
	return true
}

// Pass goes on behind an element that ends at end. What is no end, 0 or
// negative, fails the walk.
func (a *Array) Pass(end int) bool {
	if end <= 0 {
		a.code = min(end, -1)
		return false
	}
	a.Value.End = end
	switch i := Space(a.b, end); {
	case i < len(a.b) && a.b[i] == ']':
		a.End = i + 1
	case i < len(a.b) && a.b[i] == ',':
		a.pos = i
	default:
		a.code = ^i
		return false
	}
	return true
}

// Err returns why the walk stopped early, nil after a whole array.
func (a *Array) Err() error {
	if a.code < 0 {
		return failure(a.b, a.code)
	}
	return nil
}

// Stop returns where the walk ended, in the form that Pass of an outer walk
// takes: End, or a negative number if it failed.
func (a *Array) Stop() int {
	if a.code < 0 {
		return a.code
	}
	return a.End
}

// Skip returns the end of the value that begins at b[at], inside depth
// containers; negative when it is malformed. It is what Pass takes.
func (l Limits) Skip(b []byte, at, depth int) int { return l.value(b, at, depth) }

// Member returns the value of the object's member name, the last one if there
// are several, as encoding/json reads it, and whether there is one. Escaped
// spellings of the name are not found. An object that is malformed up to
// there has none.
func (l Limits) Member(object []byte, name string) ([]byte, bool) {
	var found []byte
	o := l.Object(object, Space(object, 0), 0)
	for o.Next() {
		if string(o.Key.Of(object)) == name {
			found = o.Value.Of(object)
		}
	}
	return found, found != nil && o.Err() == nil
}

// Seek returns where the value of the first member name begins in the object
// at b[at], without looking at the value itself; false when there is none, or
// no object, or it is malformed up to there.
func (l Limits) Seek(b []byte, at int, name string) (int, bool) {
	if at >= len(b) || b[at] != '{' {
		return 0, false
	}
	for i := Space(b, at+1); i < len(b) && b[i] == '"'; i = Space(b, i+1) {
		key := i + 1
		if i = text(b, i); i < 0 {
			return 0, false
		}
		found := string(b[key:i-1]) == name
		if i = Space(b, i); i >= len(b) || b[i] != ':' {
			return 0, false
		}
		if i = Space(b, i+1); found {
			return i, i < len(b)
		}
		if i = l.value(b, i, 1); i < 0 {
			return 0, false
		}
		if i = Space(b, i); i >= len(b) || b[i] != ',' {
			return 0, false
		}
	}
	return 0, false
}

// Path follows a path of member names from the object at the start of b and
// returns the whole value at its end.
func (l Limits) Path(b []byte, path ...string) (Span, bool) {
	at := Space(b, 0)
	for _, name := range path {
		next, ok := l.Seek(b, at, name)
		if !ok {
			return Span{}, false
		}
		at = next
	}
	end := l.value(b, at, len(path))
	if end < 0 {
		return Span{}, false
	}
	return Span{at, end}, true
}
