// Command serve runs Dex for tests in a browser, under ISSUER/dex:
//
//	serve PORT ISSUER CALLBACK CLIENT_SECRET PASSWORD USER…
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"tollgate/test/sso/dex"
)

func main() {
	if len(os.Args) < 7 {
		fmt.Fprintln(os.Stderr, "usage: serve PORT ISSUER CALLBACK CLIENT_SECRET PASSWORD USER…")
		os.Exit(2)
	}
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

func serve(args []string) error {
	handler, err := dex.New(context.Background(), args[1]+"/dex", args[3], args[2], args[4], args[5:]...)
	if err != nil {
		return err
	}
	s := &http.Server{Addr: "127.0.0.1:" + args[0], Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	return s.ListenAndServe()
}
