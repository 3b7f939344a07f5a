package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// stormPassword is the password of the user bench where sign-ins storm in.
const stormPassword = "a long enough password 7"

// storm has so many clients sign in at once, again and again, each from an
// address of its own, every other one with the right password. The returned
// function ends it and tells how many answers of each status came.
func (t target) storm(ctx context.Context, clients int) (end func() map[int]int) {
	ctx, cancel := context.WithCancel(ctx)
	hc := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}, Timeout: time.Minute}
	var mu sync.Mutex
	var all sync.WaitGroup
	var n atomic.Int64
	answers := map[int]int{}
	for range clients {
		all.Go(func() {
			for ctx.Err() == nil {
				status := t.signIn(ctx, hc, int(n.Add(1)))
				mu.Lock()
				answers[status]++
				mu.Unlock()
			}
		})
	}
	return func() map[int]int {
		cancel()
		all.Wait()
		hc.CloseIdleConnections()
		delete(answers, 0) // were under way at the end
		return answers
	}
}

// signIn returns the status of the answer, 0 when there is none.
func (t target) signIn(ctx context.Context, hc *http.Client, n int) int {
	form := map[string]string{"username": "bench", "password": stormPassword}
	if n%2 == 0 {
		form = map[string]string{"username": fmt.Sprint("nobody ", n), "password": "a wrong password"}
	}
	body, err := json.Marshal(form)
	if err != nil {
		return 0
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+t.addr+"/login", bytes.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Forwarded-For", fmt.Sprintf("198.18.%d.%d", n>>8&255, n&255))
	resp, err := hc.Do(req)
	if err != nil {
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0
	}
	return resp.StatusCode
}
