package ops

import (
	"context"
	"path/filepath"

	"tollgate"
	"tollgate/internal/auth/seal"
	"tollgate/internal/config"
)

// BackupArgs say where a backup goes: an absolute path that does not exist.
type BackupArgs struct {
	Path string `json:"path"`
}

func (h *Host) backup(ctx context.Context, a BackupArgs, report Report) (None, error) {
	if !filepath.IsAbs(a.Path) {
		return None{}, tollgate.Invalidf("path", "the path of a backup must be absolute")
	}
	if err := h.record(ctx, "system.backup"); err != nil {
		return None{}, err
	}
	return None{}, h.Store.Backup(ctx, a.Path, func(done, total int64) { report(Progress{Done: done, Total: total, What: "backup"}) })
}

// RekeyArgs say what the master key shall be: New, or with KeyFile a new key
// file. Old is the present one where the process does not know it.
type RekeyArgs struct {
	New     string `json:"new,omitempty"`
	Old     string `json:"old,omitempty"`
	KeyFile bool   `json:"key_file,omitempty"`
}

// Rekeyed is the answer of a rekey.
type Rekeyed struct {
	// KeyFile is the path of the new key file, if there is one.
	KeyFile string `json:"key_file,omitempty"`
	// FormerKeyFile is the path of a key file that is no longer needed.
	FormerKeyFile string `json:"former_key_file,omitempty"`
}

// rekey changes the master key. The keys in memory stay as they are: only
// their wrapping changes, so live requests notice nothing (SECURITY C-04).
func (h *Host) rekey(ctx context.Context, a RekeyArgs, report Report) (Rekeyed, error) {
	h.master.Lock()
	defer h.master.Unlock()
	change := seal.Change{
		Old: tollgate.NewSecret(a.Old), New: tollgate.NewSecret(a.New), Source: seal.SourceEnv,
		Progress: func(done, total int, what string) {
			report(Progress{Done: int64(done), Total: int64(total), What: what})
		},
	}
	if change.Old.Empty() {
		change.Old = h.Master.Key
	}
	var out Rekeyed
	switch {
	case a.KeyFile:
		key, err := seal.NewMaster(h.Accounts.Rand)
		if err != nil {
			return out, err
		}
		change.New, change.Source, out.KeyFile = key, seal.SourceFile, h.Master.KeyFile
		change.Switch = func() error { return seal.PutKeyFile(h.Master.KeyFile, key, true) }
	case h.Master.Source == seal.SourceFile:
		out.FormerKeyFile = h.Master.KeyFile
	}
	if err := seal.Rekey(ctx, h.Store, change); err != nil {
		return Rekeyed{}, err
	}
	h.Master.Key, h.Master.Source = change.New, change.Source
	return out, h.record(ctx, "system.rekey")
}

// record appends an audit entry of an operation that changes no record.
func (h *Host) record(ctx context.Context, action string) error {
	return h.Store.Update(ctx, func(tx tollgate.Tx) error {
		e := operator().Entry(h.Accounts.Now(), action, "system", 0)
		return tx.Audit.Append(ctx, &e)
	})
}

func (h *Host) auditExport(ctx context.Context) error { return h.record(ctx, "system.export_secrets") }

// readSeed reads a document's seed; problems become one CodeInvalid error.
func readSeed(d config.Document) (config.Seed, error) {
	s, err := d.Seed()
	if err != nil {
		return s, tollgate.WrapError(tollgate.CodeInvalid, nil, "%s", err)
	}
	return s, nil
}
