package ops

import (
	"encoding/json"
	"errors"
	"path/filepath"

	"tollgate"
)

// SocketName is the name of the control socket in the data folder.
const SocketName = "control.sock"

// SocketPath returns where the control socket of a data folder is.
func SocketPath(dataDir string) string { return filepath.Join(dataDir, SocketName) }

// operationPath is the one path of the control socket.
const operationPath = "/operation"

// maxRequest bounds a request on the control socket, in bytes.
const maxRequest = 32 << 20

// request is what a command sends: one JSON document.
type request struct {
	Operation string          `json:"operation"`
	Args      json.RawMessage `json:"args,omitempty"`
}

// event is one line of the answer: progress, any number of times, then either
// the result or the error.
type event struct {
	Progress *Progress       `json:"progress,omitempty"`
	Result   json.RawMessage `json:"result,omitempty"`
	Error    *failure        `json:"error,omitempty"`
}

// failure is an error on its way through the socket. The operator at the host
// may see its cause.
type failure struct {
	Code    tollgate.Code `json:"code"`
	Message string        `json:"message"`
	Field   string        `json:"field,omitempty"`
	Cause   string        `json:"cause,omitempty"`
}

func newFailure(err error) *failure {
	e := tollgate.AsError(err)
	f := &failure{Code: e.Code, Message: e.Message, Field: e.Field}
	if e.Err != nil {
		f.Cause = e.Err.Error()
	}
	return f
}

func (f failure) err() error {
	e := &tollgate.Error{Code: f.Code, Message: f.Message, Field: f.Field}
	if f.Cause != "" {
		e.Err = errors.New(f.Cause)
	}
	return e
}
