package ops_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"tollgate"
	"tollgate/internal/config"
	"tollgate/internal/ops"
)

func TestB03SuperAdminIsReplacedFromTheHostThroughTheRunningServer(t *testing.T) {
	host, client := installation(t, filepath.Join(t.TempDir(), "data"))
	ctx := t.Context()
	if _, err := host.Importer.Start(ctx, host.Store, config.Admin{User: "admin"}, config.Seed{}); err != nil {
		t.Fatal(err)
	}
	if _, err := ops.Call[ops.User](ctx, client, "user.create", ops.UserArgs{Name: "carol", Generate: true}, nil); err != nil {
		t.Fatal(err)
	}
	u, err := ops.Call[ops.User](ctx, client, "user.make-super-admin", ops.UserArgs{Name: "carol"}, nil)
	if err != nil || u.Role != "super admin" || !u.Enabled {
		t.Fatalf("%+v, %v", u, err)
	}
	err = host.Store.View(ctx, func(tx tollgate.Tx) error {
		holders, _, err := tx.Users.Query(ctx, tollgate.UserFilter{Role: tollgate.Is(tollgate.RoleSuperAdmin)}, tollgate.Page{All: true})
		if len(holders) != 1 || holders[0].Name != "carol" {
			t.Errorf("super admins: %+v", holders)
		}
		rows, _, auditErr := tx.Audit.Query(ctx, tollgate.AuditFilter{Action: tollgate.Is("user.break_*")}, tollgate.Page{All: true})
		if len(rows) != 1 || rows[0].Via != "cli" || rows[0].ActorName != "host" || rows[0].TargetID != u.ID {
			t.Errorf("audit entries: %+v", rows)
		}
		if auditErr != nil {
			return auditErr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestU02HeadNeedsTheMasterKey writes a head as someone would who can write to
// the database and has no key.
func TestU02HeadNeedsTheMasterKey(t *testing.T) {
	host, client := installation(t, filepath.Join(t.TempDir(), "data"))
	ctx := t.Context()
	if _, err := ops.Call[ops.User](ctx, client, "user.create", ops.UserArgs{Name: "bob"}, nil); err != nil {
		t.Fatal(err)
	}
	head, err := ops.Call[ops.AuditHead](ctx, client, "audit.head", ops.None{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	report, err := ops.Call[ops.AuditReport](ctx, client, "audit.verify", ops.AuditVerifyArgs{Head: &head}, nil)
	if err != nil || !report.OK() || report.Head != head {
		t.Fatalf("%+v, %v", report, err)
	}
	err = host.Store.Update(ctx, func(tx tollgate.Tx) error {
		raw, err := tx.Meta.Get(ctx, "audit_head")
		if err != nil {
			return err
		}
		forged := append(bytes.Clone(raw[:48]), make([]byte, 32)...)
		return tx.Meta.Put(ctx, "audit_head", forged)
	})
	if err != nil {
		t.Fatal(err)
	}
	report, err = ops.Call[ops.AuditReport](ctx, client, "audit.verify", ops.AuditVerifyArgs{}, nil)
	if err != nil || report.OK() || report.Bad != head.ID {
		t.Fatalf("%+v, %v", report, err)
	}
}
