package factor

import (
	"encoding/base32"
	"fmt"
	"io"
	"strings"
)

// RecoveryCodes is how many a list has.
const RecoveryCodes = 10

const (
	recoveryBytes = 10 // 80 bits, 16 characters
	recoveryGroup = 4
)

// recoveryText spells codes without letters that look like digits.
func recoveryText() *base32.Encoding {
	return base32.NewEncoding("abcdefghjkmnpqrstuvwxyz123456789").WithPadding(base32.NoPadding)
}

// NewRecoveryCodes returns a list of codes, as they are shown to their owner.
func NewRecoveryCodes(random io.Reader) ([]string, error) {
	codes := make([]string, RecoveryCodes)
	for i := range codes {
		raw := make([]byte, recoveryBytes)
		if _, err := io.ReadFull(random, raw); err != nil {
			return nil, fmt.Errorf("make recovery codes: %w", err)
		}
		text := recoveryText().EncodeToString(raw)
		for at := recoveryGroup; at < len(text); at += recoveryGroup + 1 {
			text = text[:at] + "-" + text[at:]
		}
		codes[i] = text
	}
	return codes, nil
}

// NormalRecovery brings what was typed into the form that is hashed; ok is
// false for what cannot be a recovery code.
func NormalRecovery(typed string) (code string, ok bool) {
	code = strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(typed))
	raw, err := recoveryText().DecodeString(code)
	return code, err == nil && len(raw) == recoveryBytes
}
