package ops

import (
	"context"
	"io"

	"tollgate"
	"tollgate/internal/audit"
)

// AuditHead is where the audit ends.
type AuditHead = audit.Head

// AuditReport is what a verification of the audit found.
type AuditReport = audit.Report

// AuditVerifyArgs name a head that was exported; nil = the database alone is looked at.
type AuditVerifyArgs struct {
	Head *AuditHead `json:"head,omitempty"`
}

// AuditPageArgs select entries behind After, up to Through.
type AuditPageArgs struct {
	After   int64 `json:"after,omitempty"`
	Through int64 `json:"through"`
}

// AuditPage are records, and the id to go on behind; 0 = there are no more.
type AuditPage struct {
	Records []audit.Record `json:"records"`
	Next    int64          `json:"next,omitempty"`
}

// Lines writes the records as an export does.
func (p AuditPage) Lines(w io.Writer) error {
	return audit.WriteRecords(w, p.Records)
}

// ReadAuditHead reads a head as an operator gives it: a hash, or an export.
func ReadAuditHead(text []byte) (AuditHead, error) { return audit.ReadHead(text) }

// WriteAuditHead writes the last line of an export.
func WriteAuditHead(w io.Writer, h AuditHead) error {
	return audit.WriteHead(w, h)
}

func (h *Host) auditHead(ctx context.Context, _ None, _ Report) (AuditHead, error) {
	return audit.CurrentHead(ctx, h.Store)
}

func (h *Host) auditPage(ctx context.Context, a AuditPageArgs, _ Report) (AuditPage, error) {
	records, next, err := audit.Page(ctx, h.Store, tollgate.AuditFilter{}, a.After, a.Through)
	return AuditPage{records, next}, err
}

func (h *Host) auditVerify(ctx context.Context, a AuditVerifyArgs, _ Report) (AuditReport, error) {
	return audit.Verify(ctx, h.Store, a.Head)
}
