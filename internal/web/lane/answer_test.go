package lane_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// handlers are the ways of answering that the lane must not get wrong.
func handlers() map[string]http.HandlerFunc {
	write := func(w http.ResponseWriter, parts ...string) {
		for _, p := range parts {
			_, _ = io.WriteString(w, p)
		}
	}
	flush := func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }
	long := strings.Repeat("0123456789abcdef", 4<<10)
	return map[string]http.HandlerFunc{
		"nothing":      func(http.ResponseWriter, *http.Request) {},
		"empty":        func(w http.ResponseWriter, _ *http.Request) { write(w, "") },
		"status only":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) },
		"odd status":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(799) },
		"short":        func(w http.ResponseWriter, _ *http.Request) { write(w, "<html>", "x") },
		"first long":   func(w http.ResponseWriter, _ *http.Request) { write(w, long) },
		"error":        func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusBadRequest) },
		"redirect":     func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusSeeOther) },
		"flushed only": func(w http.ResponseWriter, _ *http.Request) { flush(w) },
		"own length": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			w.Header().Set("Content-Type", "application/json")
			write(w, "123")
			flush(w)
		},
		"long with length": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(long)))
			write(w, long)
		},
		"length zero": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "0")
			w.WriteHeader(http.StatusOK)
		},
		"too short": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			write(w, "123")
		},
		"too long": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			write(w, "123")
			if n, err := io.WriteString(w, "4"); err != http.ErrContentLength || n != 0 { //nolint:errorlint // documented so
				panic("wrote more than was declared")
			}
		},
		"no content": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			w.WriteHeader(http.StatusNoContent)
			if _, err := io.WriteString(w, "123"); err != http.ErrBodyNotAllowed { //nolint:errorlint // documented so
				panic("204 with a body")
			}
		},
		"not modified": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/css")
			w.Header().Set("Etag", `"1"`)
			w.WriteHeader(http.StatusNotModified)
		},
		"stream": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			for i := range 3 {
				write(w, fmt.Sprintf("data: %d\n\n", i))
				flush(w)
			}
		},
		"two headers": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusAccepted)
			w.WriteHeader(http.StatusOK)
			write(w, "x")
		},
		"header changed late": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-A", "1")
			w.WriteHeader(http.StatusOK)
			w.Header().Set("X-A", "2")
			write(w, "x")
			flush(w)
			w.Header().Set("X-A", "3")
		},
		"odd headers": func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["X-Line"] = []string{"a\r\nInjected: 1", " b "}
			w.Header()["X Bad"] = []string{"1"}
			w.Header()["X-None"] = nil
			w.Header()["Content-Type"] = nil
			w.Header().Set("Date", "Mon, 02 Jan 2006 15:04:05 GMT")
			write(w, "x")
		},
		"encoded": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Encoding", "br"); write(w, "x") },
		"close":   func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close"); write(w, "x") },
		"keep": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "keep-alive")
			write(w, "x")
		},
		"abort at once": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"abort later":   func(w http.ResponseWriter, _ *http.Request) { write(w, "x"); panic(http.ErrAbortHandler) },
		"abort a whole answer": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			write(w, "123")
			panic(http.ErrAbortHandler)
		},
		"abort a stream": func(w http.ResponseWriter, _ *http.Request) {
			write(w, "1")
			flush(w)
			write(w, "2")
			panic(http.ErrAbortHandler)
		},
		"panic": func(http.ResponseWriter, *http.Request) { panic("at the disco") },
		"half the body": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadFull(r.Body, make([]byte, 1))
			write(w, "x")
		},
		"body closed": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body)
			_ = r.Body.Close()
			_, err := r.Body.Read(make([]byte, 1))
			write(w, fmt.Sprint(err))
		},
		"body after the answer": func(w http.ResponseWriter, r *http.Request) {
			write(w, "x")
			flush(w)
			body, err := io.ReadAll(r.Body)
			write(w, fmt.Sprint(len(body), err))
		},
	}
}

// understood says what a client makes of answers: how the bytes of a body are
// spread over chunks is left out.
func understood(answers string) []string {
	var out []string
	br := bufio.NewReader(strings.NewReader(normal(answers)))
	for {
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			return append(out, err.Error())
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		out = append(out, fmt.Sprint(resp.Status, resp.Header, resp.ContentLength, resp.TransferEncoding, resp.Close, string(body), err))
	}
}

// Each way of answering is followed by a second request on the same
// connection, so that framing and the end of the connection are judged too.
func TestAnswersAreThoseOfNetHTTP(t *testing.T) {
	for name, h := range handlers() {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/second" {
					_, _ = io.WriteString(w, "second")
					return
				}
				h(w, r)
			})
			second := "GET /second HTTP/1.1\r\nHost: a\r\n\r\n"
			for _, first := range []string{
				"GET /first HTTP/1.1\r\nHost: a\r\n\r\n",
				"POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde",
				fmt.Sprintf("POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", 100<<10, strings.Repeat("z", 100<<10)),
			} {
				want, got := understood(talk(t, p.plain, first+second)), understood(talk(t, p.lane, first+second))
				if !cmp.Equal(want, got) {
					t.Errorf("after %.60q (-net/http +lane):\n%s", first, cmp.Diff(want, got))
				}
			}
			if p.kept.Load() == 0 {
				t.Error("the lane served nothing")
			}
		})
	}
}

func TestAWholeAnswerIsOneWrite(t *testing.T) {
	p := newPair(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, strings.Repeat("x", 1000))
		_ = http.NewResponseController(w).Flush()
	})
	nc := dial(t, p.lane)
	_, _ = io.WriteString(nc, ordinary()[0])
	_ = nc.SetReadDeadline(time.Now().Add(10 * time.Second))
	b := make([]byte, 4096)
	n, err := nc.Read(b)
	if err != nil || !strings.HasSuffix(string(b[:n]), "\r\n\r\n"+strings.Repeat("x", 1000)) {
		t.Errorf("the first read gave %d bytes, %v", n, err)
	}
}

func TestOneConnectionServesTenThousandRequests(t *testing.T) {
	p := newPair(t, echo)
	nc := dial(t, p.lane)
	_ = nc.SetDeadline(time.Now().Add(60 * time.Second))
	br := bufio.NewReader(nc)
	raw := strings.Join(ordinary(), "")
	rounds := 10_000 / len(ordinary())
	go func() { // pipelined, in pieces of odd sizes
		all := strings.Repeat(raw, rounds)
		for len(all) > 0 {
			n := min(len(all), len(raw)) // whole heads, so that none is handed over
			_, _ = io.WriteString(nc, all[:n])
			all = all[n:]
		}
	}()
	for i := range rounds * len(ordinary()) {
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			t.Fatalf("answer %d: %v", i, err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		want := strings.Fields(ordinary()[i%len(ordinary())])[1]
		if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(strings.ReplaceAll(string(body), `\u0026`, "&"), `"URI":"`+want+`"`) {
			t.Fatalf("answer %d: %d %s %v", i, resp.StatusCode, body, err)
		}
	}
}
