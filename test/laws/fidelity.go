package laws

import (
	"fmt"
	"slices"
	"strings"

	"tollgate"
	"tollgate/internal/ir"
)

// Fidelity is what translation carries, found out by translating cases.
type Fidelity struct {
	Requests, Answers Matrix
	Cases             int
}

// Matrix is what becomes of features between dialects.
type Matrix struct {
	Rows []Row
	// Pairs is how many translations there were.
	Pairs int
}

// Row is a feature with a source dialect.
type Row struct {
	Section, Feature string
	Source           tollgate.Dialect
	Targets          map[tollgate.Dialect]*Cell
}

// Cell counts what became of a feature in the translations of one source to
// one target that have it.
type Cell struct {
	Carried, Noted, Lost, InPart, Refused int
	Reasons                               []string
}

// Measure translates every case to every other dialect. An error is a loss that
// no feature is about: it lacks a name in features.go.
func Measure(cases []Case) (*Fidelity, error) {
	requests, answers := newRecord(requestFeatures()), newRecord(answerFeatures())
	for _, c := range cases {
		for _, target := range tollgate.Dialects() {
			if target == c.Dialect {
				continue
			}
			if err := measureRequest(requests, c, target); err != nil {
				return nil, err
			}
			if err := measureAnswer(answers, c, target); err != nil {
				return nil, err
			}
			if err := measureStream(answers, c, target); err != nil {
				return nil, err
			}
		}
	}
	return &Fidelity{Requests: requests.matrix(), Answers: answers.matrix(), Cases: len(cases)}, nil
}

func measureRequest(r *record, c Case, target tollgate.Dialect) error {
	if c.Parts["request"] == "" {
		return nil
	}
	req, err := c.decode()
	if err != nil {
		return err
	}
	_, losses, err := Translators()[target].EncodeRequest(req)
	if err != nil {
		e := tollgate.AsError(err)
		why := strings.TrimPrefix(e.Message, e.Field+": ")
		return r.add(c, target, flatten(*req), nil, &ir.Loss{Path: e.Field, Why: why})
	}
	return r.add(c, target, flatten(*req), losses, nil)
}

func measureAnswer(r *record, c Case, target tollgate.Dialect) error {
	if c.Parts["answer"] == "" {
		return nil
	}
	req, err := c.asked()
	if err != nil {
		return err
	}
	resp, lost, err := Translators()[c.Dialect].DecodeResponse([]byte(c.Parts["answer"]))
	if err != nil {
		return err
	}
	_, losses := Translators()[target].EncodeResponse(req, resp, id)
	return r.add(c, target, flatten(*resp), append(losses, lost...), nil)
}

func measureStream(r *record, c Case, target tollgate.Dialect) error {
	if c.Parts["stream"] == "" {
		return nil
	}
	req, err := c.asked()
	if err != nil {
		return err
	}
	events, lost, err := Decode(c, 1<<20)
	if err != nil || fails(events) {
		return err
	}
	var f ir.Folder
	enc := Translators()[target].StreamEncoder(req, framings(target)[0], id)
	for _, ev := range events {
		enc.Event(nil, ev)
		if err := f.Event(ev); err != nil {
			return err
		}
	}
	resp, _ := f.Response()
	return r.add(c, target, flatten(*resp), append(enc.Losses(), lost...), nil)
}

// record collects rows.
type record struct {
	features []feature
	rows     map[string]*Row
	pairs    int
}

func newRecord(features []feature) *record {
	return &record{features: features, rows: map[string]*Row{}}
}

// fate is what becomes of one place.
type fate int

const (
	carried fate = iota
	noted
	partly // something below it is lost
	lost
	refused
)

// add counts a translation. refusal is nil or why there was none.
func (r *record) add(c Case, target tollgate.Dialect, v flat, losses []ir.Loss, refusal *ir.Loss) error {
	r.pairs++
	owners := r.owners(v)
	if refusal != nil {
		return r.settle(c, target, owners, *refusal, refused)
	}
	for i := range losses {
		how := lost
		if losses[i].Note {
			how = noted
		}
		if err := r.settle(c, target, owners, losses[i], how); err != nil {
			return err
		}
	}
	for _, o := range owners {
		r.count(c, target, o)
	}
	return nil
}

// owner is a row and what became of its places in one case.
type owner struct {
	section, name string
	fates         map[string]fate
	reasons       []string
}

func (r *record) owners(v flat) []*owner {
	byName := map[string]*owner{}
	var out []*owner
	for _, f := range slices.Concat(r.features, extraFeatures(v, r.features)) {
		for root := range f.roots(v) {
			o := byName[f.section+f.name]
			if o == nil {
				o = &owner{section: f.section, name: f.name, fates: map[string]fate{}}
				byName[f.section+f.name] = o
				out = append(out, o)
			}
			o.fates[root] = carried
		}
	}
	return out
}

// settle gives a loss to the features that it is about: those whose place is
// nearest above it, and for what is really lost all below it.
func (r *record) settle(c Case, target tollgate.Dialect, owners []*owner, l ir.Loss, how fate) error {
	found, nearest := false, ""
	for _, o := range owners {
		for root := range o.fates {
			if (ir.Loss{Path: root}).Covers(l.Path) && len(root) >= len(nearest) {
				nearest, found = root, true
			}
		}
	}
	for _, o := range owners {
		for root, was := range o.fates {
			below := how != noted && l.Covers(root) && !another(l.Path)
			if (found && root == nearest) || below {
				found = true
				o.fates[root] = max(was, severity(how, l.Path, root))
				if !slices.Contains(o.reasons, l.Why) {
					o.reasons = append(o.reasons, l.Why)
				}
			}
		}
	}
	if how == refused {
		for _, o := range owners {
			if slices.Contains(o.reasons, l.Why) {
				r.count(c, target, o)
			}
		}
	}
	if found || r.added(l) {
		return nil
	}
	return fmt.Errorf("%s to %s: no feature is about %s (%s)", c.Name, target, l.Path, l.Why)
}

// severity is what a loss at path means for what stands at root.
func severity(how fate, path, root string) fate {
	if how == lost && len(path) > len(root) {
		return partly
	}
	return how
}

// another reports whether path is an answer behind the first, which is lost
// without a word about what is in it.
func another(path string) bool {
	return ir.Loss{Path: path}.Feature() == "choices" && path != "choices[0]" && path != "choices"
}

// added reports whether a loss is a note on something that the source does not
// have and the target demands, such as a limit of output.
func (r *record) added(l ir.Loss) bool {
	return l.Note && slices.ContainsFunc(r.features, func(f feature) bool { return f.path == l.Feature() })
}

func (r *record) count(c Case, target tollgate.Dialect, o *owner) {
	key := o.section + "\x00" + o.name + "\x00" + string(c.Dialect)
	row := r.rows[key]
	if row == nil {
		row = &Row{Section: o.section, Feature: o.name, Source: c.Dialect, Targets: make(map[tollgate.Dialect]*Cell)}
		r.rows[key] = row
	}
	cell := row.Targets[target]
	if cell == nil {
		cell = &Cell{}
		row.Targets[target] = cell
	}
	least, most := refused, carried
	for _, f := range o.fates {
		least, most = min(least, f), max(most, f)
	}
	switch {
	case most == refused: // nothing of the request arrives
		cell.Refused++
	case most == lost && least == lost:
		cell.Lost++
	case most >= partly:
		cell.InPart++
	case most == noted:
		cell.Noted++
	default:
		cell.Carried++
	}
	for _, why := range o.reasons {
		if !slices.Contains(cell.Reasons, why) {
			cell.Reasons = append(cell.Reasons, why)
		}
	}
}

// matrix puts the rows in order: features as they are listed, then members by
// name, and dialects as they are listed.
func (r *record) matrix() Matrix {
	rank := map[string]int{}
	for i, f := range r.features {
		if _, ok := rank[f.section+f.name]; !ok {
			rank[f.section+f.name] = i
		}
	}
	place := func(row *Row) int {
		if n, ok := rank[row.Section+row.Feature]; ok {
			return n
		}
		return len(r.features)
	}
	m := Matrix{Pairs: r.pairs}
	for _, row := range r.rows {
		for _, cell := range row.Targets {
			slices.Sort(cell.Reasons)
		}
		m.Rows = append(m.Rows, *row)
	}
	dialects := tollgate.Dialects()
	slices.SortFunc(m.Rows, func(a, b Row) int {
		if d := place(&a) - place(&b); d != 0 {
			return d
		}
		if d := strings.Compare(a.Feature, b.Feature); d != 0 {
			return d
		}
		return slices.Index(dialects, a.Source) - slices.Index(dialects, b.Source)
	})
	return m
}
