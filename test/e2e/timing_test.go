package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"math"
	mrand "math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/auth"
)

// kinds of accounts that a sign-in with a wrong password may name.
const (
	kindWrong   = "wrong password"
	kindUnknown = "unknown user"
	kindOff     = "disabled user"
	kindNoHash  = "user without a password"
)

// TestA07RefusedSignInsTakeTheSameTime signs in as accounts of every kind with
// a wrong password, each account once, at random, each from an address of its
// own so that nothing is throttled, and compares what the clock tells: the
// probability that a refusal of one kind takes longer than one of another is a
// half, as exactly as so many samples can say. Answers are alike to the byte.
func TestA07RefusedSignInsTakeTheSameTime(t *testing.T) {
	g := start(t, nil, "[server]\ntrusted_proxies = [\"127.0.0.1\"]\n")
	n := rounds(2000, 40)
	hash, err := auth.NewHasher(auth.HasherOptions{}, rand.Reader).Hash(t.Context(), tollgate.NewSecret("the right password 1"))
	if err != nil {
		t.Fatal(err)
	}
	type try struct{ kind, name string }
	var tries []try
	for _, kind := range []string{kindWrong, kindUnknown, kindOff, kindNoHash} {
		users := make([]map[string]any, n)
		for i := range users {
			name := fmt.Sprintf("%s %d", kind, i)
			tries = append(tries, try{kind, name})
			users[i] = map[string]any{"name": name, "enabled": kind != kindOff}
			if kind != kindNoHash {
				users[i]["password"] = hash
			}
		}
		if kind == kindUnknown {
			continue
		}
		for part := range slices.Chunk(users, 100) {
			g.admin("/admin/users/batch-upsert", part, nil)
		}
	}
	mrand.Shuffle(len(tries), func(i, j int) { tries[i], tries[j] = tries[j], tries[i] })
	took, answers := map[string][]float64{}, map[string]int{}
	for i, a := range tries {
		d, answer := g.timedLogin(a.name, fmt.Sprintf("198.18.%d.%d", i>>8, i&255))
		took[a.kind] = append(took[a.kind], d.Seconds()*1e3)
		answers[answer]++
	}
	if len(answers) != 1 {
		t.Errorf("refusals differ: %v", answers)
	}
	// Three and a half standard deviations of the estimate (Mann-Whitney), and what
	// an attacker gains nothing from.
	limit := 3.5*math.Sqrt(float64(2*n+1)/float64(12*n*n)) + 0.01
	for kind, samples := range took {
		p, ks := above(samples, took[kindWrong]), distance(samples, took[kindWrong])
		t.Logf("%-24s n %d, median %.2f ms, p10 %.2f, p90 %.2f; longer than a wrong password: %.3f, distance (Kolmogorov-Smirnov) %.3f",
			kind, len(samples), quantile(samples, 0.5), quantile(samples, 0.1), quantile(samples, 0.9), p, ks)
		if math.Abs(p-0.5) > limit {
			t.Errorf("%s: takes longer than a wrong password with probability %.3f; at %d samples 0.5 ± %.3f is none", kind, p, n, limit)
		}
	}
}

// timedLogin signs in with a wrong password from an address and returns how
// long that took and the answer without what differs by request.
func (g *gateway) timedLogin(name, from string) (time.Duration, string) {
	g.t.Helper()
	b, err := json.Marshal(map[string]string{"username": name, "password": "not the right one 1"})
	if err != nil {
		g.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(g.t.Context(), http.MethodPost, g.url+"/login", bytes.NewReader(b))
	if err != nil {
		g.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Forwarded-For", from)
	begun := time.Now()
	resp, err := g.client.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	took := time.Since(begun)
	var problem map[string]any
	if err != nil || json.Unmarshal(body, &problem) != nil {
		g.t.Fatalf("sign-in: %v %s", err, body)
	}
	delete(problem, "request_id")
	return took, fmt.Sprint(resp.StatusCode, problem)
}

// above is the probability that one of a is larger than one of b.
func above(a, b []float64) float64 {
	b = slices.Sorted(slices.Values(b))
	sum := 0.0
	for _, v := range a {
		below, _ := slices.BinarySearch(b, v)
		past, _ := slices.BinarySearch(b, math.Nextafter(v, math.Inf(1)))
		sum += float64(below) + float64(past-below)/2
	}
	return sum / float64(len(a)*len(b))
}

// distance is the largest difference between the shares of a and of b up to a value.
func distance(a, b []float64) (most float64) {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	for _, v := range slices.Concat(a, b) {
		inA, _ := slices.BinarySearch(a, math.Nextafter(v, math.Inf(1)))
		inB, _ := slices.BinarySearch(b, math.Nextafter(v, math.Inf(1)))
		most = max(most, math.Abs(float64(inA)/float64(len(a))-float64(inB)/float64(len(b))))
	}
	return most
}

func quantile(v []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(v))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
