package tollgate

// Opt is a field of a change: absent, null, or a value. The zero value is
// absent. What null means is the method's to say; where it says nothing, null
// clears the field.
type Opt[T any] struct {
	// Set is false when the field was not given: it stays as it is.
	Set bool
	// Null is true when the field was given as null; Value is then T's zero value.
	Null  bool
	Value T
}

// Some returns an Opt that holds v.
func Some[T any](v T) Opt[T] { return Opt[T]{Set: true, Value: v} }

// Null returns an Opt that was given as null.
func Null[T any]() Opt[T] { return Opt[T]{Set: true, Null: true} }

// Or returns the given value, T's zero value for null, and old when the field is absent.
func (o Opt[T]) Or(old T) T {
	if !o.Set {
		return old
	}
	if o.Null {
		var zero T
		return zero
	}
	return o.Value
}

// Given reports whether the field holds a value, that is neither absent nor null.
func (o Opt[T]) Given() (T, bool) { return o.Value, o.Set && !o.Null }
