package lane_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"tollgate/internal/web"
	"tollgate/internal/web/lane"
)

// BenchmarkServer is one exchange over loopback, client included: the
// difference is what the lane spares.
func BenchmarkServer(b *testing.B) {
	answer := strings.Repeat("x", 1000)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header()["Content-Length"] = []string{"1000"}
		w.Header()["Content-Type"] = []string{"application/json"}
		_, _ = io.WriteString(w, answer)
		_ = http.NewResponseController(w).Flush()
	})
	raw := []byte("POST /v1/chat/completions HTTP/1.1\r\nHost: gateway:8787\r\nAuthorization: Bearer x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n" + answer)
	plain := func() *http.Server { return web.NewServer(h, slog.New(slog.DiscardHandler)) }
	for name, s := range map[string]func() server{"net-http": func() server { return plain() }, "lane": func() server { return lane.New(plain()) }} {
		b.Run(name, func(b *testing.B) {
			s := s()
			var lc net.ListenConfig
			l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- s.Serve(l) }()
			var d net.Dialer
			nc, err := d.DialContext(context.Background(), "tcp", l.Addr().String())
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			room := make([]byte, 4096)
			for b.Loop() {
				if _, err := nc.Write(raw); err != nil {
					b.Fatal(err)
				}
				for n, end := 0, 0; n == 0 || end < n; {
					m, err := nc.Read(room[end:])
					if err != nil {
						b.Fatal(err)
					}
					if end += m; n == 0 {
						if head, _, ok := strings.Cut(string(room[:end]), "\r\n\r\n"); ok {
							n = len(head) + 4 + len(answer)
						}
					}
				}
			}
			_ = nc.Close()
			_ = s.Close()
			if err := <-ended; err != http.ErrServerClosed { //nolint:errorlint // documented so
				b.Error(err)
			}
		})
	}
}
