package web

import (
	"log/slog"
	"net/http"
	"time"
)

// NewServer returns a server of h with the limits of SECURITY D-01, D-02 and
// D-07. There is no write timeout: it would cut streams; whoever writes sets
// deadlines per write. net/http's own complaints go to log at debug level,
// since strangers cause them at will.
func NewServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       90 * time.Second,
		// net/http adds 4 KiB of slop and counts the request line.
		MaxHeaderBytes:               MaxHeaderBytes + MaxURL,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		HTTP2:                        &http.HTTP2Config{MaxConcurrentStreams: 100},
	}
}
