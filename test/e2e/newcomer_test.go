package e2e

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestANewcomerPastesOneLine starts the demo in an empty folder and runs the
// printed curl line as it is (Shown by 1).
func TestANewcomerPastesOneLine(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		if os.Getenv("TOLLGATE_TEST_ALL") != "" {
			t.Fatal("curl is not installed; the README's first minute needs it")
		}
		t.Log("LEFT OUT: the printed curl line, since curl is not installed (make test installs it)")
		return
	}
	g := prepare(t, nil, "")
	_ = os.Remove(g.dir + "/tollgate.toml")
	g.args = []string{"--demo"}
	g.bare = true
	g.run()
	out := g.output()
	line := regexp.MustCompile(`(?m)^\s*(curl .*(?:\\\n.*)*)$`).FindStringSubmatch(out)
	if line == nil {
		t.Fatalf("no curl line in\n%s", out)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line[1])
	cmd.Env = []string{"PATH=" + strings.TrimSuffix(curl, "/curl") + ":" + os.Getenv("PATH")}
	answer, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(answer), `"chat.completion"`) {
		t.Fatalf("%s\n→ %v %s", line[1], err, answer)
	}
	for _, want := range []string{"/console/", "admin", "sk-tg-"} {
		if !strings.Contains(out, want) {
			t.Errorf("the start-up text lacks %q:\n%s", want, out)
		}
	}
	key := regexp.MustCompile(`sk-tg-[0-9A-Za-z]{38}`).FindString(out)
	g.stop()

	// The second start prints no secret and says how to get a key.
	before := len(g.whole())
	g.run()
	again := g.whole()[before:]
	if strings.Contains(again, key) || strings.Contains(again, "sk-tg-") {
		t.Errorf("the second start printed a key:\n%s", again)
	}
	if !strings.Contains(again, "key create") {
		t.Errorf("the second start does not say how to mint a key:\n%s", again)
	}
}

// TestWithoutAProviderItSaysWhatToDo starts with nothing configured.
func TestWithoutAProviderItSaysWhatToDo(t *testing.T) {
	g := start(t, nil, "")
	deadline := time.Now().Add(5 * time.Second)
	for !strings.Contains(g.output(), "provider") && time.Now().Before(deadline) {
		time.Sleep(20 * time.Millisecond)
	}
	if out := g.output(); !strings.Contains(out, "no provider") || !strings.Contains(out, "--demo") {
		t.Errorf("the start-up text does not say what to do next:\n%s", out)
	}
	status, _, body, err := g.post(t.Context(), "/v1/chat/completions", adminKey, chat(false, "hi"))
	if err != nil || status != 404 || !strings.Contains(string(body), "demo-small") {
		t.Errorf("%d %v %s", status, err, body)
	}
}

// TestASecondProcessIsRefused starts two gateways on one data folder.
func TestASecondProcessIsRefused(t *testing.T) {
	g := start(t, nil, "")
	other := g.command("serve", "--port", "0")
	out, err := other.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "another") {
		t.Errorf("%v\n%s", err, out)
	}
}
