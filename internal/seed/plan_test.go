package seed_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/seed"
)

func TestPlanOfAnEmptyDatabaseNamesEverything(t *testing.T) {
	f := newFixture(t, false)
	want := []string{
		"create team research",
		"create provider main", "create credential main/a", "create credential main/", "create provider lab",
		"create model main/gpt-small", "create price gpt-* at main", "create price * at every provider", "create price announced at every provider", "create alias small", "create alias any",
		"create user root", "create key root/main",
		"create user alice", "create key alice/default", "create key alice/ci-runner", "create key alice/of the team",
		"create permission alice gpt-* at main", "create permission alice small at every provider",
		"create team permission team research gpt-* at main", "create team permission team research any at every provider",
		"create file permission alice at main",
		"create rate limit alice gpt-*", "create rate limit team research *",
		"create quota alice total", "create quota the instance month",
		"create sign-in provider corp", "create sign-in provider hub",
	}
	if diff := cmp.Diff(want, f.plan(t, whole)); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	if got := f.accounts(t); got != "" {
		t.Errorf("a plan made accounts: %s", got)
	}
}

func TestPlanNamesWhatDiffers(t *testing.T) {
	f := newFixture(t, true)
	f.apply(t, whole)
	edit := strings.NewReplacer(
		`password = "plain-or-argon2-phc"`, `password = "another plain password"`,
		`email = "alice@example.com"`, `email = "a@example.com"`,
		`label = "ci-runner"`, `label = "ci"`,
		`api_key = "sk-provider-secret-a"`, `api_key = "sk-provider-secret-A"`,
		`base_url = "https://lab.example.com/v1"`, `base_url = "https://lab2.example.com/v1"`,
		`price_output_tokens = 10.0`, `price_output_tokens = 12`,
		`rpm = 60`, `rpm = 61`,
		`quota = 100.0`, `quota = 50`,
		`cost_used = 1.5`, `cost_used = 0`, // never a difference: the account knows better
		`alias = "any"`, `alias = "other"`,
	)
	changed := edit.Replace(whole)
	want := []string{
		"update credential main/a (api_key)", "update provider lab (base_url)", "update model main/gpt-small (prices)", "create alias other",
		"update user alice (email, password)", "update key alice/ci (label)",
		"update rate limit alice gpt-* (rpm)", "update quota alice total (quota)",
		"extra alias any",
	}
	if diff := cmp.Diff(want, f.plan(t, changed)); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	f.apply(t, changed)
	if diff := cmp.Diff([]string{"extra alias any"}, f.plan(t, changed)); diff != "" {
		t.Errorf("plan after the import (-want +got):\n%s", diff)
	}
	spent := view(t, f, func(ctx context.Context, tx tollgate.Tx) (string, error) {
		rows, _, err := tx.Quotas.Query(ctx, tollgate.QuotaFilter{Scope: tollgate.Is(tollgate.ScopeUser)}, tollgate.Page{})
		return rows[0].Spent.String(), err
	})
	if spent != "1.5" {
		t.Errorf("the import changed what was spent to %s", spent)
	}
}

func TestImportNeverResetsAPasswordThatItsUserChanged(t *testing.T) {
	f := newFixture(t, false)
	text := "[[users]]\nname='u'\npassword='from the file, once'\n"
	f.apply(t, text)
	before := view(t, f, func(ctx context.Context, tx tollgate.Tx) ([]byte, error) {
		u, err := tx.Users.Get(ctx, 1)
		return u.Password, err
	})
	if r := f.apply(t, text); len(r.Changes) != 0 {
		t.Errorf("changes: %v", lines(r.Changes))
	}
	after := view(t, f, func(ctx context.Context, tx tollgate.Tx) ([]byte, error) {
		u, err := tx.Users.Get(ctx, 1)
		return u.Password, err
	})
	if string(before) != string(after) {
		t.Error("the second import wrote the password again")
	}
}

func TestImportIsAllOrNothing(t *testing.T) {
	for name, text := range map[string]string{
		"unknown user":      "[[users]]\nname='u'\n[[permissions]]\nuser_name='nobody'\nmodel_pattern='*'\n",
		"unknown provider":  "[[users]]\nname='u'\n[[permissions]]\nuser_name='u'\nprovider_name='nowhere'\nmodel_pattern='*'\n",
		"unknown team":      "[[users]]\nname='u'\nteam='nowhere'\n",
		"malformed hash":    "[[users]]\nname='u'\n[[users]]\nname='v'\npassword='$argon2id$v=19$m=1,t=1'\n",
		"hostile hash":      "[[users]]\nname='u'\n[[users]]\nname='v'\npassword='$argon2id$v=19$m=4194304,t=100,p=8$c2FsdHNhbHRzYWx0c2FsdA$fRXpUBPFhkIpoX3aNcQKFf5LhxYkGeNYlCzYJIb5Mm8'\n",
		"unknown kind":      "[[users]]\nname='u'\n[[providers]]\nname='p'\nkind='telepathy'\n",
		"private upstream":  "[[users]]\nname='u'\n[[providers]]\nname='p'\nkind='openai-compatible'\nbase_url='http://127.0.0.1:9/v1'\n",
		"team key, no team": "[[users]]\nname='u'\n[[users.keys]]\napi_key='sk-user-key-1'\nsurfaces=['llm']\nteam_key=true\n",
		"a checksum broken": "[[users]]\nname='u'\n[[users.keys]]\napi_key='sk-tg-00000000000000000000000000000000000000'\n",
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, false)
			_, err := f.im.Apply(t.Context(), f.store, parse(t, text), tollgate.HostActor("import"), seed.Options{Origin: tollgate.ConfigImported})
			if err == nil || tollgate.ErrorCode(err) != tollgate.CodeInvalid || !strings.Contains(err.Error(), "test.toml:") {
				t.Errorf("got %v", err)
			}
			if got := f.accounts(t); got != "" {
				t.Errorf("a refused import left %q", got)
			}
		})
	}
}

// TestKeysOfATeamEndWithTheMembershipInAFileToo moves a user to another team:
// the key that stands there again is a new one of that team.
func TestKeysOfATeamEndWithTheMembershipInAFileToo(t *testing.T) {
	f := newFixture(t, false)
	f.apply(t, whole)
	moved := strings.NewReplacer(`team = "research"`+"\nteam_role", `team = "field"`+"\nteam_role", "[[teams]]\n", "[[teams]]\nname = \"field\"\n[[teams]]\n").Replace(whole)
	want := []string{"create team field", "update user alice (team)", "create key alice/of the team"}
	if diff := cmp.Diff(want, f.plan(t, moved)); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	f.apply(t, moved)
	if got := f.plan(t, moved); len(got) != 0 {
		t.Errorf("after applying: %v", got)
	}
	own := strings.Replace(moved, "team_key = true\n", "", 1)
	_, err := f.im.Apply(t.Context(), f.store, parse(t, own), tollgate.HostActor("import"), seed.Options{Origin: tollgate.ConfigImported})
	if tollgate.ErrorCode(err) != tollgate.CodeInvalid || !strings.Contains(err.Error(), "team_key") {
		t.Errorf("a key of the team became its owner's own: %v", err)
	}
}

func TestImportDoesNotTakeAnotherUsersKey(t *testing.T) {
	f := newFixture(t, false)
	f.apply(t, "[[users]]\nname='u'\n[[users.keys]]\napi_key='sk-shared-123'\n")
	_, err := f.im.Apply(t.Context(), f.store, parse(t, "[[users]]\nname='v'\n[[users.keys]]\napi_key='sk-shared-123'\n"), tollgate.HostActor("import"), seed.Options{Origin: tollgate.ConfigImported})
	if tollgate.ErrorCode(err) != tollgate.CodeInvalid || !strings.Contains(err.Error(), "user u") || strings.Contains(err.Error(), "sk-shared") {
		t.Errorf("got %v", err)
	}
}

func TestChannelsOfAnotherProductAreImportedDisabled(t *testing.T) {
	f := newFixture(t, false)
	r := f.apply(t, "[[providers]]\nname='cc'\nchannel='claudecode'\nsettings={x=1}\n[[providers.credentials]]\napi_key='sk-not-ours'\n")
	p := view(t, f, func(ctx context.Context, tx tollgate.Tx) (tollgate.Provider, error) { return tx.Providers.Get(ctx, 1) })
	if p.Enabled || p.Kind != "claudecode" {
		t.Errorf("provider: %+v", p)
	}
	if diff := cmp.Diff([]string{"credential cc/"}, r.NeedSecret); diff != "" {
		t.Error(diff)
	}
	if len(r.Notes) == 0 {
		t.Error("nothing was noted")
	}
	if got := f.plan(t, f.export(t, false)); len(got) != 0 {
		t.Errorf("its export differs: %v", got)
	}
}
