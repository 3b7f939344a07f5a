package proxy_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"tollgate/internal/demo"
)

// benchmark runs one request after another on 64 connections, everything on
// loopback and in this process: client, gateway and vendor share the time.
func benchmark(b *testing.B, o options, path, body string, events int) {
	b.Helper()
	g := start(b, o)
	g.Vendor.Record(false)
	g.Client = &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}}
	payload := []byte(body)
	b.ReportAllocs()
	b.SetParallelism(32)
	before := cpu(b)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			req, err := http.NewRequest("POST", g.URL+path, bytes.NewReader(payload))
			if err != nil {
				b.Error(err)
				return
			}
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Authorization", "Bearer "+g.Key)
			resp, err := g.Client.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			n, err := io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if err != nil || resp.StatusCode != 200 || n == 0 {
				b.Errorf("status %d, %d bytes, %v", resp.StatusCode, n, err)
				return
			}
		}
	})
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
	if events > 0 {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(events), "ns/event")
	}
}

// cpu is the processor time that this process has used, which a busy machine
// distorts less than the time of day.
func cpu(b *testing.B) int64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// canned is a vendor that costs next to nothing.
func canned(kind, body string) http.Handler {
	data := []byte(body)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(data)
	})
}

func chatBody(size int, more string) string { return modelBody("oa-model", size, more) }

func modelBody(model string, size int, more string) string {
	return `{"model":"` + model + `",` + more + `"messages":[{"role":"user","content":"` + strings.Repeat("x", size) + `"}],"max_tokens":256}`
}

func BenchmarkRelayWhole1k(b *testing.B) {
	benchmark(b, options{vendor: canned("application/json", chatAnswer)}, "/v1/chat/completions", chatBody(800, ""), 0)
}

func BenchmarkRelayWhole100k(b *testing.B) {
	benchmark(b, options{vendor: canned("application/json", chatAnswer)}, "/v1/chat/completions", chatBody(100<<10, ""), 0)
}

// BenchmarkDirect1k is the same without the gateway: what client and vendor cost.
func BenchmarkDirect1k(b *testing.B) {
	g := start(b, options{vendor: canned("application/json", chatAnswer)})
	client := &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}}
	payload := []byte(chatBody(800, ""))
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			resp, err := client.Post(g.Upstr.URL+"/v1/chat/completions", "application/json", bytes.NewReader(payload))
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	})
	client.CloseIdleConnections()
}

// BenchmarkRelayStream relays 200 events, a flush each.
func BenchmarkRelayStream(b *testing.B) {
	parts := []string{chatStream}
	for range 200 {
		parts = append(parts, chatDelta)
	}
	v := &spy{answer: pieces(eventStream, append(parts, chatUsage, chatDone)...)}
	vendor := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		v.answer(w, r, 0)
	})
	benchmark(b, options{vendor: vendor}, "/v1/chat/completions", chatBody(100, `"stream":true,`), 205)
}

// BenchmarkRelayDemo relays the demo vendor's own answers.
func BenchmarkRelayDemo(b *testing.B) {
	for _, c := range []struct{ name, more string }{{"whole", ""}, {"stream", `"stream":true,`}} {
		b.Run(c.name, func(b *testing.B) {
			benchmark(b, options{vendor: &demo.Vendor{}}, "/oa/v1/chat/completions", modelBody("demo-small", 100, c.more), 0)
		})
	}
}

// BenchmarkTranslate1k is BenchmarkRelayWhole1k with a provider of another
// dialect, for each pair: the difference is what translation costs.
func BenchmarkTranslate1k(b *testing.B) {
	for back, model := range foreign() {
		whole, _ := answers(back)
		for front, ask := range asks(model, "") {
			if front == back {
				continue
			}
			b.Run(string(front)+" to "+string(back), func(b *testing.B) {
				body := strings.Replace(ask.body, "ping", strings.Repeat("x", 800), 1)
				benchmark(b, options{vendor: canned("application/json", whole)}, ask.path, body, 0)
			})
		}
	}
}

// BenchmarkTranslateStream is BenchmarkRelayStream with a client of Anthropic.
func BenchmarkTranslateStream(b *testing.B) {
	parts := []string{chatStream}
	for range 200 {
		parts = append(parts, chatDelta)
	}
	v := &spy{answer: pieces(eventStream, append(parts, chatUsage, chatDone)...)}
	vendor := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		v.answer(w, r, 0)
	})
	benchmark(b, options{vendor: vendor}, "/v1/messages", `{"model":"cp-model","max_tokens":99,"stream":true,"messages":[{"role":"user","content":"ping"}]}`, 205)
}
