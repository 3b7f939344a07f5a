package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// program is a command line client: how it is told where the gateway is, and
// which of its tools reads a file.
type program struct {
	name    string
	native  string   // the dialect that it speaks
	known   []string // names of models that it knows, for each backend
	command func(s setting) (argv, env []string, err error)
	tool    string
	reads   func(file string) map[string]any // the tool's arguments
}

// setting is where a program runs and whom it calls.
type setting struct {
	home, work string // its home folder, and the one with the files
	url, model string // of the gateway; as the gateway names it
	prompt     string
}

func programs() []program {
	path := func(name string) func(string) map[string]any {
		return func(file string) map[string]any { return map[string]any{name: file} }
	}
	shell := func(file string) map[string]any { return map[string]any{"cmd": "cat " + file} }
	gpt := []string{"gpt-5.1-codex", "gpt-5.1", "gpt-5.2", "gpt-5.2-codex"}
	return []program{
		{"claude", "anthropic", []string{"claude-opus-4-6", "claude-sonnet-4-5", "claude-opus-5-5", "claude-sonnet-4-6"}, claude, "Read", path("file_path")},
		{"codex", "responses", gpt, codex, "exec_command", shell},
		{"codex-ws", "responses", gpt, codexSocket, "exec_command", shell},
		{"gemini", "gemini", []string{"gemini-2.5-pro", "gemini-2.5-flash", "gemini-2.5-flash-lite", "gemini-3-flash-preview"}, gemini, "read_file", path("file_path")},
	}
}

// aliases are the names that programs know, and what they stand for here: a
// program does more for a model that it knows.
func aliases() map[string]backend {
	out := map[string]backend{}
	for _, p := range programs() {
		for i, b := range backends() {
			out[p.known[i]] = b
		}
	}
	return out
}

func claude(s setting) (argv, env []string, err error) {
	return []string{"claude", "-p", s.prompt, "--model", s.model, "--allowedTools", "Read"},
		[]string{
			"ANTHROPIC_BASE_URL=" + s.url, "ANTHROPIC_API_KEY=" + gatewayKey, "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY=1",
			"DISABLE_AUTOUPDATER=1", "DISABLE_TELEMETRY=1", "DISABLE_ERROR_REPORTING=1",
		}, nil
}

// codexFlags let it run without asking and without a sandbox, which containers
// often cannot offer.
func codexFlags(s setting, more ...string) []string {
	argv := []string{"codex", "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "-m", s.model}
	return append(append(argv, more...), s.prompt)
}

// codex uses a provider of its configuration, over HTTP.
func codex(s setting) (argv, env []string, err error) {
	provider := fmt.Sprintf(`model_providers.gw={name="gw",base_url="%s/v1",env_key="GATEWAY_KEY",wire_api="responses"}`, s.url)
	return codexFlags(s, "-c", "model_provider=gw", "-c", provider), []string{"GATEWAY_KEY=" + gatewayKey}, nil
}

// codexSocket uses the built-in provider, which speaks over a WebSocket.
func codexSocket(s setting) (argv, env []string, err error) {
	return codexFlags(s, "-c", fmt.Sprintf(`openai_base_url="%s/v1"`, s.url)), []string{"CODEX_API_KEY=" + gatewayKey}, nil
}

func gemini(s setting) (argv, env []string, err error) {
	settings := `{"security":{"auth":{"selectedType":"gemini-api-key"}},"privacy":{"usageStatisticsEnabled":false},"general":{"enableAutoUpdate":false}}`
	folder := filepath.Join(s.home, ".gemini")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, nil, err
	}
	err = os.WriteFile(filepath.Join(folder, "settings.json"), []byte(settings), 0o600)
	return []string{"gemini", "-p", s.prompt, "-m", s.model},
		[]string{"GOOGLE_GEMINI_BASE_URL=" + s.url, "GEMINI_API_KEY=" + gatewayKey, "GEMINI_CLI_TRUST_WORKSPACE=true"}, err
}

// task is what a program is asked: to read two files at once and to tell what
// they say. The vendor makes the calls that the prompt spells out.
type task struct {
	files, marks [2]string
}

// newTask writes the files.
func newTask(work string) (task, error) {
	var t task
	for i, word := range []string{"amber", "cobalt"} {
		t.files[i] = filepath.Join(work, word+".txt")
		t.marks[i] = "the-word-is-" + word
		if err := os.WriteFile(t.files[i], []byte(t.marks[i]+"\n"), 0o600); err != nil {
			return t, err
		}
	}
	return t, nil
}

func (t task) prompt(p program) (string, error) {
	var b strings.Builder
	b.WriteString("Read both files and say what is in them. [[demo:reasoning=5]]")
	for _, file := range t.files {
		args, err := json.Marshal(p.reads(file))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, " [[demo:call=%s %s]]", p.tool, args)
	}
	return b.String(), nil
}
