package ir_test

import (
	"testing"

	"tollgate/internal/ir"
)

func TestSealedTextsTravelThroughOtherProtocols(t *testing.T) {
	p := ir.Private{Vendor: ir.VendorGemini, Data: "CsEB/+=\n\"x"}
	carried := ir.Carry(p)
	if got := ir.Open(carried, ir.VendorAnthropic); got != p {
		t.Errorf("Open(Carry(%v)) = %v", p, got)
	}
	if got := ir.SafeCallID(carried); got != carried {
		t.Errorf("%q is not in the alphabet of call ids", carried)
	}
	id, back := ir.OpenID(ir.CarryID("toolu_1", &p))
	if id != "toolu_1" || back == nil || *back != p {
		t.Errorf("OpenID = %q, %v", id, back)
	}
}

func TestForeignSealedTextsStayTheVendorsOwn(t *testing.T) {
	for _, s := range []string{"", "EqQBCg==", "tg1-", "tg1-gemini-***", "tg1-nobody-AAAA"} {
		want := ir.Private{Vendor: ir.VendorAnthropic, Data: s}
		if got := ir.Open(s, ir.VendorAnthropic); got != want {
			t.Errorf("Open(%q) = %v", s, got)
		}
		if id, p := ir.OpenID("call__" + s); p != nil || id != "call__"+s {
			t.Errorf("OpenID(%q) = %q, %v", s, id, p)
		}
	}
}

func TestCallIDsPairResultsOfTheSameNameInOrder(t *testing.T) {
	var ids ir.CallIDs
	a, b, c := ids.Call("", "ls"), ids.Call("", "ls"), ids.Call("given", "cat")
	if a == b || c != "given" {
		t.Fatalf("ids are %q, %q, %q", a, b, c)
	}
	if got := ids.Result("", "ls"); got != a {
		t.Errorf("first result is for %q, want %q", got, a)
	}
	if got := ids.Result(c, "cat"); got != c {
		t.Errorf("result with an id is for %q", got)
	}
	if got := ids.Result("", "ls"); got != b {
		t.Errorf("second result is for %q, want %q", got, b)
	}
	if got := ids.Result("", "ls"); got == a || got == b || got == "" {
		t.Errorf("a result without a call got %q", got)
	}
}

func TestLossFeatureHasNoIndices(t *testing.T) {
	l := ir.Loss{Path: "items[12].parts[0].citations"}
	if got := l.Feature(); got != "items.parts.citations" {
		t.Errorf("Feature() = %q", got)
	}
	for path, want := range map[string]bool{
		"items[12].parts[0].citations": true, "items[12].parts[0].citations[1].url": true,
		"items[12].parts[0].citations_x": false, "items[12].parts[0]": false,
	} {
		if got := l.Covers(path); got != want {
			t.Errorf("Covers(%q) = %v", path, got)
		}
	}
}

func TestLossesOfHintsAreNotes(t *testing.T) {
	var l ir.Losses
	l.Extras("items[1]", []ir.Extra{{Dialect: "a", Path: "x"}, {Dialect: "a", Path: "y", Hint: true}, {Dialect: "b", Path: "z"}}, "b")
	for i, want := range []ir.Loss{
		{Path: "items[1].extras.x", Why: "only a has it"},
		{Path: "items[1].extras.y", Why: "only a has it", Note: true},
	} {
		if got := l.List(); len(got) != 2 || got[i] != want {
			t.Errorf("loss %d of %v, want %v", i, got, want)
		}
	}
}
