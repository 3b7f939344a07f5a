package main

import (
	"encoding/json"
	"strings"
)

// benchCase is one row of the table: a load, and how good is good enough.
type benchCase struct {
	id    string
	title string
	load  load
	bars  []bar
	// money compares the gateway with everything on with the same binary
	// without, in place of the gateway with nginx.
	money bool
	// storm is how many clients sign in meanwhile: it compares the gateway so
	// with the same gateway in peace.
	storm int
}

// The ids of the cases that need gateways of their own.
const (
	caseMoney = "money"
	caseStorm = "storm"
)

// bar is a figure with the value that it must not pass and the one aimed at.
type bar struct {
	name string // what is measured, with its unit
	must float64
	goal float64
	of   func(result) float64
}

// cases returns the rows in the order they run. Bars and goals are those of docs/speed.md.
func cases() []benchCase {
	ratio := func(r result) float64 { return r.Ratio }
	return []benchCase{
		{
			id: "1kb", title: "1 kB body, 64 connections",
			load: load{conns: 64, body: body(false, 800)},
			bars: []bar{{name: "CPU per request, ratio to nginx", must: 4.0, goal: 2.0, of: ratio}},
		},
		{
			id: "100kb", title: "100 kB body, 64 connections",
			load: load{conns: 64, body: body(false, 100_000)},
			bars: []bar{{name: "CPU per request, ratio to nginx", must: 3.0, goal: 1.0, of: ratio}},
		},
		{
			id: "rate", title: "2,000 requests/s, 1 kB body",
			load: load{conns: 64, rate: 2000, body: body(false, 800)},
			bars: []bar{{name: "p50 added over nginx, µs", must: 300, goal: 100, of: func(r result) float64 { return r.AddedP50 }}},
		},
		{
			id: "sse", title: "200 streams, an event every 10 ms",
			load: load{conns: 200, stream: true, body: body(true, 100)},
			bars: []bar{
				{name: "CPU per event, ratio to nginx", must: 1.8, goal: 1.2, of: ratio},
				{name: "memory per open stream, kB", must: 64, goal: 32, of: func(r result) float64 { return r.Gateway.StreamKB }},
			},
		},
		{
			id: caseMoney, title: "1 kB body, 64 connections, quotas and limits on to off", money: true,
			load: load{conns: 64, body: body(false, 800)},
			bars: []bar{{name: "CPU per request, ratio to the same binary without", must: 1.5, goal: 1.25, of: ratio}},
		},
		{
			id: caseStorm, title: "200 requests/s while 500 clients sign in", storm: 500,
			load: load{conns: 64, rate: 200, body: body(false, 800)},
			bars: []bar{
				{name: "p99, ms", must: 30, goal: 10, of: func(r result) float64 { return r.Gateway.P99 / 1e3 }},
				{name: "memory, MiB", must: 512, goal: 256, of: func(r result) float64 { return r.Gateway.RSS }},
			},
		},
	}
}

func caseIDs() []string {
	var ids []string
	for _, c := range cases() {
		ids = append(ids, c.id)
	}
	return ids
}

// model is the name of the one model that the fake upstream has.
const model = "bench-model"

// body returns a chat completion request whose prompt is n bytes long.
func body(stream bool, n int) []byte {
	type message struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	}
	text, err := json.Marshal(struct {
		Model     string    `json:"model"`
		Stream    bool      `json:"stream,omitempty"`
		MaxTokens int       `json:"max_tokens"`
		Messages  []message `json:"messages"`
	}{model, stream, 256, []message{{"user", strings.Repeat("x", n)}}})
	if err != nil {
		panic(err) // plain strings and numbers always marshal
	}
	return text
}
