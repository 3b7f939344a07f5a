package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"os"

	"tollgate"
	"tollgate/internal/ops"
)

type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Recompute the chain of entries; one that was changed, removed or moved is an error."`
	Export auditExportCmd `cmd:"" help:"Write every entry as JSON Lines; the last line is the head of the chain."`
}

type auditVerifyCmd struct {
	Head string `placeholder:"FILE|HASH" help:"An export of before, or the hash in its last line: it must still be part of the chain."`
}

// Help says more than the one line.
func (*auditVerifyCmd) Help() string {
	return "Every entry carries a hash over itself and the entry before, and the end of the chain is sealed with the master key. Only a whole database of an earlier day looks right on its own: keep the last line of an export elsewhere, and give it here."
}

// Run verifies the audit.
func (c *auditVerifyCmd) Run(ctx context.Context, s *session) error {
	var args ops.AuditVerifyArgs
	if c.Head != "" {
		head, err := readHead(c.Head)
		if err != nil {
			return err
		}
		args.Head = &head
	}
	return s.operate(ctx, func(conn *ops.Connection) error {
		out, err := ops.Call[ops.AuditReport](ctx, conn, "audit.verify", args, nil)
		if err != nil {
			return err
		}
		if !out.OK() {
			s.notef("tollgate: the audit is not whole: %s (first bad entry: %d)\n", out.Problem, out.Bad)
			return errSilent
		}
		s.printf("the audit is whole: %d entries, %s\n", out.Entries, out.Head)
		return nil
	})
}

// maxExportTail is how much of the end of an export is read; its last line is short.
const maxExportTail = 64 << 10

// readHead takes a hash as it is, and everything else for the name of a file.
func readHead(from string) (ops.AuditHead, error) {
	if b, err := hex.DecodeString(from); err == nil && len(b) == 32 {
		return ops.ReadAuditHead([]byte(from))
	}
	f, err := os.Open(from)
	if err != nil {
		return ops.AuditHead{}, tollgate.WrapError(tollgate.CodeInvalid, err, "--head is neither a hash of 64 hex digits nor a file that can be read")
	}
	defer f.Close() //nolint:errcheck // read only
	info, err := f.Stat()
	if err != nil {
		return ops.AuditHead{}, err
	}
	text, err := io.ReadAll(io.NewSectionReader(f, max(0, info.Size()-maxExportTail), maxExportTail))
	if err != nil {
		return ops.AuditHead{}, err
	}
	return ops.ReadAuditHead(text)
}

type auditExportCmd struct {
	File string `arg:"" optional:"" help:"The file to write; it must not exist. Without it the export goes to standard output."`
}

// Run exports the audit.
func (c *auditExportCmd) Run(ctx context.Context, s *session) (err error) {
	out := s.stdout
	if c.File != "" {
		if out, err = os.OpenFile(c.File, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, out.Close()) }()
	}
	return s.operate(ctx, func(conn *ops.Connection) error {
		head, err := ops.Call[ops.AuditHead](ctx, conn, "audit.head", ops.None{}, nil)
		if err != nil {
			return err
		}
		w := bufio.NewWriter(out)
		for args := (ops.AuditPageArgs{Through: head.ID}); ; {
			page, err := ops.Call[ops.AuditPage](ctx, conn, "audit.page", args, nil)
			if err != nil {
				return err
			}
			if err := page.Lines(w); err != nil {
				return err
			}
			if args.After = page.Next; args.After == 0 {
				break
			}
		}
		if err := ops.WriteAuditHead(w, head); err != nil {
			return err
		}
		s.notef("The audit ends with %s. Keep that elsewhere: `tollgate audit verify --head` proves it later.\n", head)
		return w.Flush()
	})
}
