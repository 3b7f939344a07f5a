// Command openapi writes the OpenAPI document of a gateway as it is composed
// here, which the console's types are made from.
//
//	go run ./test/openapi FILE
package main

//go:generate go run . ../../console/openapi.json

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"

	"tollgate/internal/app"
	"tollgate/internal/config"
)

const key = "sk-only-to-read-the-document-0123456789"

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: openapi FILE")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "openapi:", err)
		os.Exit(1)
	}
}

// run composes a gateway on an empty database, asks it, and throws it away.
func run(file string) error {
	dir, err := os.MkdirTemp("", "openapi")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	document, err := ask(dir)
	if err != nil {
		return err
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, document, "", "  "); err != nil {
		return fmt.Errorf("the document: %w", err)
	}
	indented.WriteByte('\n')
	return os.WriteFile(file, indented.Bytes(), 0o644)
}

// ask starts a gateway on dir and returns its document.
func ask(dir string) ([]byte, error) {
	cfg, err := config.Load(config.Sources{Environ: []string{"TOLLGATE_DATA_DIR=" + dir, "TOLLGATE_PORT=0", "TOLLGATE_ADMIN_API_KEY=" + key}})
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	gateway, err := app.New(ctx, app.Options{Config: cfg, Log: slog.New(slog.DiscardHandler), Environ: []string{"GOGC=100"}})
	if err != nil {
		return nil, err
	}
	if err := gateway.Start(ctx); err != nil {
		return nil, err
	}
	document, err := get("http://" + gateway.Addr() + "/openapi.json")
	return document, errors.Join(err, gateway.Stop(ctx))
}

func get(url string) ([]byte, error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return io.ReadAll(answer.Body)
}
