package route_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/route"
)

// table has three providers in use and one that is disabled.
func table() *route.Table {
	providers := []tollgate.Provider{
		{ID: 1, Name: "openai", Enabled: true},
		{ID: 2, Name: "openrouter", Enabled: true},
		{ID: 3, Name: "lab", Enabled: true},
		{ID: 4, Name: "off", Enabled: false},
	}
	models := []tollgate.Model{
		{ID: 14, ProviderID: 3, ModelID: "shared", Enabled: true, DisplayName: "Shared at lab"},
		{ID: 10, ProviderID: 1, ModelID: "gpt-4o", Enabled: true, ContextTokens: 128_000, OutputTokens: 16_384},
		{ID: 11, ProviderID: 2, ModelID: "openai/gpt-4o", Enabled: true},
		{ID: 12, ProviderID: 1, ModelID: "shared", Enabled: true},
		{ID: 13, ProviderID: 1, ModelID: "retired", Enabled: false},
		{ID: 15, ProviderID: 4, ModelID: "gone", Enabled: true},
		{ID: 16, ProviderID: 3, ModelID: "small", Enabled: true},
		{ID: 17, ProviderID: 2, ModelID: "claude@20250101", Enabled: true},
		{ID: 18, ProviderID: 3, ModelID: "hidden", Enabled: true},
		{ID: 19, ProviderID: 1, ModelID: "dead", Enabled: true},
	}
	aliases := []tollgate.ModelAlias{
		{ID: 1, Alias: "fast", Target: "small", Enabled: true},
		{ID: 2, Alias: "both", Target: "shared", Enabled: true},
		{ID: 3, Alias: "pinned", ProviderID: 3, Target: "shared", Enabled: true},
		{ID: 4, Alias: "small", Target: "gpt-4o", Enabled: true},
		{ID: 5, Alias: "unlisted", Target: "lab/anything", Enabled: true},
		{ID: 6, Alias: "dead", Target: "gone", Enabled: true},
		{ID: 7, Alias: "chained", Target: "fast", Enabled: true},
		{ID: 8, Alias: "hidden", Target: "gpt-4o", Enabled: false},
		{ID: 9, Alias: "banned", ProviderID: 1, Target: "retired", Enabled: true},
		{ID: 10, Alias: "orphan", ProviderID: 4, Target: "gone", Enabled: true},
	}
	return route.Build(providers, models, aliases)
}

func show(candidates []route.Candidate) string {
	var out []string
	for _, c := range candidates {
		out = append(out, fmt.Sprintf("%s(%d) %s as %s", c.ProviderName, c.ProviderID, c.Model, c.Asked))
	}
	return strings.Join(out, ", ")
}

func TestResolve(t *testing.T) {
	tests := []struct{ why, name, scope, want string }{
		{"an exact id", "gpt-4o", "", "openai(1) gpt-4o as gpt-4o"},
		{"several providers, first declared first", "shared", "", "openai(1) shared as shared, lab(3) shared as shared"},
		{"an exact id beats provider/model", "openai/gpt-4o", "", "openrouter(2) openai/gpt-4o as openai/gpt-4o"},
		{"provider/model", "lab/shared", "", "lab(3) shared as shared"},
		{"provider/model, first slash", "openrouter/openai/gpt-4o", "", "openrouter(2) openai/gpt-4o as openai/gpt-4o"},
		{"provider/model, not listed", "lab/new/one", "", "lab(3) new/one as new/one"},
		{"model@provider", "shared@lab", "", "lab(3) shared as shared"},
		{"model@provider, last @", "a@b@lab", "", "lab(3) a@b as a@b"},
		{"an id with @ of its own", "claude@20250101", "", "openrouter(2) claude@20250101 as claude@20250101"},
		{"an alias", "fast", "", "lab(3) small as fast"},
		{"an alias of several", "both", "", "openai(1) shared as both, lab(3) shared as both"},
		{"an alias at one provider", "pinned", "", "lab(3) shared as pinned"},
		{"an alias beats an id", "small", "", "openai(1) gpt-4o as small"},
		{"an alias of what is not listed", "unlisted", "", "lab(3) anything as unlisted"},
		{"a disabled alias is none", "hidden", "", "lab(3) hidden as hidden"},
		{"an alias behind a provider part", "lab/pinned", "", "lab(3) shared as pinned"},
		{"the alias of another provider is none here", "lab/small", "", "lab(3) small as small"},
		{"a scope", "shared", "lab", "lab(3) shared as shared"},
		{"a scope, not listed", "whatever", "openai", "openai(1) whatever as whatever"},
		{"a scope, provider part repeated", "lab/shared", "lab", "lab(3) shared as shared"},
		{"a scope, listed with a slash", "openai/gpt-4o", "openrouter", "openrouter(2) openai/gpt-4o as openai/gpt-4o"},
		{"a scope, another provider's part is part of the name", "openai/gpt-5", "openrouter", "openrouter(2) openai/gpt-5 as openai/gpt-5"},
		{"a scope, alias", "pinned", "lab", "lab(3) shared as pinned"},
		{"a scope, alias that leads elsewhere", "pinned", "openai", "openai(1) pinned as pinned"},
		{"a scope, the model that an alias hides", "small", "lab", "lab(3) small as small"},
	}
	tab := table()
	for _, tt := range tests {
		got, err := tab.Resolve(tt.name, tt.scope)
		if err != nil || show(got) != tt.want {
			t.Errorf("%s: %q in %q gives %s (%v), want %s", tt.why, tt.name, tt.scope, show(got), err, tt.want)
		}
	}
}

func TestResolveRefuses(t *testing.T) {
	tests := []struct {
		why, name, scope string
		code             tollgate.Code
		field            string
	}{
		{"unknown", "nope", "", tollgate.CodeNotFound, "model"},
		{"not listed and no provider part", "gpt-5", "", tollgate.CodeNotFound, "model"},
		{"a disabled model", "retired", "", tollgate.CodeNotFound, "model"},
		{"a disabled model does not pass as unlisted", "openai/retired", "", tollgate.CodeNotFound, "model"},
		{"a disabled model in its scope", "retired", "openai", tollgate.CodeNotFound, "model"},
		{"a disabled model behind a repeated part", "openai/retired", "openai", tollgate.CodeNotFound, "model"},
		{"an alias of a disabled model", "banned", "", tollgate.CodeNotFound, "model"},
		{"a disabled provider", "off/gone", "", tollgate.CodeNotFound, "model"},
		{"a model of a disabled provider", "gone", "", tollgate.CodeNotFound, "model"},
		{"an alias at a disabled provider", "orphan", "", tollgate.CodeNotFound, "model"},
		{"a dead alias hides the id", "dead", "", tollgate.CodeNotFound, "model"},
		{"aliases do not chain", "chained", "", tollgate.CodeNotFound, "model"},
		{"a disabled scope", "gone", "off", tollgate.CodeNotFound, "provider"},
		{"an unknown scope", "gpt-4o", "nope", tollgate.CodeNotFound, "provider"},
		{"an empty model part", "openai/", "", tollgate.CodeNotFound, "model"},
		{"an empty provider part", "/gpt-5", "", tollgate.CodeNotFound, "model"},
		{"dots", "lab/../x", "", tollgate.CodeInvalid, "model"},
		{"only dots", "lab/..", "", tollgate.CodeInvalid, "model"},
		{"dots in a scope", "a/./b", "lab", tollgate.CodeInvalid, "model"},
		{"control characters", "lab/a\nb", "", tollgate.CodeInvalid, "model"},
		{"too long", "lab/" + strings.Repeat("a", 300), "", tollgate.CodeInvalid, "model"},
		{"nothing", "", "", tollgate.CodeInvalid, "model"},
		{"nothing in a scope", "", "lab", tollgate.CodeInvalid, "model"},
	}
	tab := table()
	for _, tt := range tests {
		got, err := tab.Resolve(tt.name, tt.scope)
		e := tollgate.AsError(err)
		if err == nil || e.Code != tt.code || e.Field != tt.field || e.Message == "" {
			t.Errorf("%s: %q in %q gives %s, %+v; want %s about %s", tt.why, tt.name, tt.scope, show(got), err, tt.code, tt.field)
		}
	}
	if _, err := new(route.Table).Resolve("x", ""); tollgate.ErrorCode(err) != tollgate.CodeNotFound {
		t.Errorf("the empty table: %v", err)
	}
}

func everything(int64, string) bool { return true }

func names(entries []route.ModelEntry) string {
	var out []string
	for _, e := range entries {
		out = append(out, e.Name)
	}
	return strings.Join(out, " ")
}

func TestList(t *testing.T) {
	tests := []struct {
		why, scope, want string
		allowed          route.Allowed
	}{
		{
			"everything", "",
			"gpt-4o openai/gpt-4o openai/shared lab/shared lab/small claude@20250101 hidden openai/dead fast both pinned small unlisted", everything,
		},
		{"bare where unique among the permitted", "", "gpt-4o shared openai/dead both small", func(p int64, _ string) bool { return p == 1 }},
		{"by name", "", "lab/small small", func(_ int64, m string) bool { return m == "small" }},
		{"nothing", "", "", func(int64, string) bool { return false }},
		{"a scope", "lab", "shared small hidden fast both pinned unlisted", everything},
		{"a scope without models", "openrouter", "openai/gpt-4o claude@20250101", everything},
	}
	tab := table()
	for _, tt := range tests {
		got, err := tab.List(tt.allowed, tt.scope)
		if err != nil || names(got) != tt.want {
			t.Errorf("%s: %s (%v), want %s", tt.why, names(got), err, tt.want)
		}
		for _, e := range got {
			found, err := tab.Resolve(e.Name, tt.scope)
			if err != nil || !strings.Contains(show(found), fmt.Sprintf("(%d) %s as", e.ProviderID, e.Model)) {
				t.Errorf("%s: the listed name %q resolves to %s (%v), not to %+v", tt.why, e.Name, show(found), err, e)
			}
		}
	}
	if _, err := tab.List(everything, "off"); tollgate.ErrorCode(err) != tollgate.CodeNotFound {
		t.Errorf("a disabled scope: %v", err)
	}
}

func TestEntry(t *testing.T) {
	tab := table()
	got, err := tab.Entry("small", "", everything)
	want := route.ModelEntry{Name: "small", ProviderID: 1, Provider: "openai", Model: "gpt-4o", Alias: true, ContextTokens: 128_000, OutputTokens: 16_384}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	got, err = tab.Entry("shared", "", func(p int64, _ string) bool { return p == 3 })
	want = route.ModelEntry{Name: "shared", DisplayName: "Shared at lab", ProviderID: 3, Provider: "lab", Model: "shared"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if _, err = tab.Entry("shared", "", func(int64, string) bool { return false }); tollgate.ErrorCode(err) != tollgate.CodeForbidden {
		t.Errorf("not permitted: %v", err)
	}
	if _, err = tab.Entry("nope", "", everything); tollgate.ErrorCode(err) != tollgate.CodeNotFound {
		t.Errorf("unknown: %v", err)
	}
	if got, err = tab.Entry("lab/new", "", everything); err != nil || got.Model != "new" || got.Name != "lab/new" {
		t.Errorf("not listed: %+v, %v", got, err)
	}
}

func TestListedDisabledModelsHideNothing(t *testing.T) {
	tab := route.Build(
		[]tollgate.Provider{{ID: 1, Name: "a", Enabled: true}, {ID: 2, Name: "b", Enabled: true}},
		[]tollgate.Model{{ID: 1, ProviderID: 1, ModelID: "m", Enabled: false}, {ID: 2, ProviderID: 2, ModelID: "m", Enabled: true}}, nil)
	if got, err := tab.Resolve("m", ""); err != nil || show(got) != "b(2) m as m" {
		t.Errorf("%s, %v", show(got), err)
	}
	if got, err := tab.List(everything, ""); err != nil || names(got) != "m" {
		t.Errorf("%s, %v", names(got), err)
	}
}

func FuzzResolve(f *testing.F) {
	for _, s := range []string{"gpt-4o", "lab/x", "x@lab", "off/x", "@", "/", "lab/../..", "a@b/c", "lab/@lab"} {
		f.Add(s, "")
		f.Add(s, "lab")
	}
	tab := table()
	f.Fuzz(func(t *testing.T, name, scope string) {
		got, err := tab.Resolve(name, scope)
		if err != nil {
			if code := tollgate.ErrorCode(err); code != tollgate.CodeNotFound && code != tollgate.CodeInvalid {
				t.Fatalf("%q in %q: %v", name, scope, err)
			}
			return
		}
		for _, c := range got {
			if c.ProviderID == 4 || (c.ProviderID == 1 && c.Model == "retired") || c.Model == "" || c.Asked == "" || (scope != "" && c.ProviderName != scope) {
				t.Fatalf("%q in %q gives %s", name, scope, show(got))
			}
		}
		if len(got) == 0 {
			t.Fatalf("%q in %q gives nothing", name, scope)
		}
	})
}

func BenchmarkResolve(b *testing.B) {
	tab := table()
	for _, name := range []string{"gpt-4o", "fast", "lab/shared", "lab/unlisted-model", "shared@lab"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tab.Resolve(name, ""); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
