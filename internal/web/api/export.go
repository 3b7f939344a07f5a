package api

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"tollgate"
)

// Format is how an export is written.
type Format struct {
	Format string `json:"format,omitempty" enum:"csv,json" doc:"The default is csv, with a line of names; json is an array."`
}

// Formats are the content types of exports.
func Formats() []string { return []string{"text/csv; charset=utf-8", "application/json"} }

// Pages gives the records of an export, page by page; none = there are no more.
type Pages[Rec any] func(ctx context.Context) ([]Rec, error)

// Export returns an answer with all records that next gives. Rec is a struct;
// its fields are the columns, those of embedded structs among them.
func Export[Rec any](ctx context.Context, f Format, name string, next Pages[Rec]) (Stream, error) {
	first, err := next(ctx) // errors of the filter are still an ordinary answer
	if err != nil {
		return Stream{}, err
	}
	types := Formats()
	s := Stream{ContentType: types[0], FileName: name + ".csv"}
	begin := func(w *bufio.Writer) encoder[Rec] { return newSheet[Rec](w) }
	if f.Format == "json" {
		s.ContentType, s.FileName = types[1], name+".json"
		begin = func(w *bufio.Writer) encoder[Rec] { return &array[Rec]{w: w} }
	}
	s.Send = func(w *Sender) error {
		buf := bufio.NewWriterSize(w, 64<<10)
		enc := begin(buf)
		for page := first; len(page) > 0; {
			for i := range page {
				if err := context.Cause(ctx); err != nil {
					return err
				}
				if err := enc.put(&page[i]); err != nil {
					return err
				}
			}
			var err error
			if page, err = next(ctx); err != nil {
				return err
			}
		}
		if err := enc.end(); err != nil {
			return err
		}
		return buf.Flush()
	}
	return s, nil
}

// AllPages reads a listing from its first page to its last.
func AllPages[Row, F, Rec any](store tollgate.Store, source Source[Row, F], f F, sort string, records func(context.Context, tollgate.Tx, []Row) ([]Rec, error)) Pages[Rec] {
	page, more := tollgate.Page{Sort: sort}, true
	return func(ctx context.Context) (recs []Rec, err error) {
		for more && len(recs) == 0 && err == nil { // a page may be empty and not the last
			if err = ctx.Err(); err != nil {
				break
			}
			err = store.View(ctx, func(tx tollgate.Tx) error {
				rows, next, err := source(ctx, tx, f, page)
				if err != nil {
					return err
				}
				page.After, more = next, next != nil
				recs, err = records(ctx, tx, rows)
				return err
			})
		}
		return recs, err
	}
}

// OnePage gives records that are there already.
func OnePage[Rec any](recs []Rec) Pages[Rec] {
	return func(context.Context) ([]Rec, error) {
		page := recs
		recs = nil
		return page, nil
	}
}

type encoder[Rec any] interface {
	put(rec *Rec) error
	end() error
}

// array writes a JSON array.
type array[Rec any] struct {
	w     *bufio.Writer
	begun bool
}

func (a *array[Rec]) put(rec *Rec) error {
	text, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	sep := ",\n"
	if !a.begun {
		a.begun, sep = true, "[\n"
	}
	_, _ = a.w.WriteString(sep)
	_, err = a.w.Write(text)
	return err
}

func (a *array[Rec]) end() error {
	end := "\n]\n"
	if !a.begun {
		end = "[]\n"
	}
	_, err := a.w.WriteString(end)
	return err
}

// sheet writes CSV (RFC 4180).
type sheet[Rec any] struct {
	w     *csv.Writer
	cells [][]int // the fields, as paths of indexes
	row   []string
	err   error
}

func newSheet[Rec any](w *bufio.Writer) *sheet[Rec] {
	s := &sheet[Rec]{w: csv.NewWriter(w)}
	var names []string
	s.cells, names = fields(reflect.TypeFor[Rec](), nil)
	s.row = make([]string, len(names))
	s.err = s.w.Write(names)
	return s
}

func fields(t reflect.Type, path []int) (cells [][]int, names []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		at := append(append([]int{}, path...), i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			c, n := fields(f.Type, at)
			cells, names = append(cells, c...), append(names, n...)
		case name != "-" && f.IsExported():
			cells, names = append(cells, at), append(names, name)
		}
	}
	return cells, names
}

func (s *sheet[Rec]) put(rec *Rec) error {
	v := reflect.ValueOf(rec).Elem()
	for i, path := range s.cells {
		s.row[i] = cell(v.FieldByIndex(path))
	}
	if err := s.w.Write(s.row); s.err == nil {
		s.err = err
	}
	return s.err
}

func (s *sheet[Rec]) end() error {
	s.w.Flush()
	if s.err == nil {
		s.err = s.w.Error()
	}
	return s.err
}

// cell is a value as text. A text that a spreadsheet would take for a formula
// gets an apostrophe in front.
func cell(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	switch x := v.Interface().(type) {
	case time.Time:
		return x.UTC().Format(time.RFC3339Nano)
	case Money:
		text, _ := x.MarshalJSON() // cannot fail
		return string(text)
	case []string:
		return harmless(strings.Join(x, "; "))
	case string:
		return harmless(x)
	case bool:
		return strconv.FormatBool(x)
	default:
		return fmt.Sprint(x)
	}
}

func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0])) {
		return "'" + s
	}
	return s
}
