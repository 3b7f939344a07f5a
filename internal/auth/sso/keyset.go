package sso

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// keyRest is the least time between two fetches of keys: a flood of tokens
// with made-up key ids does not become a flood of requests to the provider.
const keyRest = 10 * time.Second

// keySet verifies signatures with the keys that a provider publishes (RFC
// 7517). They are kept for docAge, and fetched anew when a token names one
// that is not among them, so that a rotation is followed at once.
type keySet struct {
	fetch func(ctx context.Context, address, bearer string, out any) error
	url   string
	now   func() time.Time

	mu   sync.Mutex
	keys []jose.JSONWebKey
	read time.Time
}

// VerifySignature returns the payload of token. A token without a key id is
// taken only from a provider with one key: else it would be tried with all.
func (k *keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	var algs []jose.SignatureAlgorithm
	for _, a := range algorithms() {
		algs = append(algs, jose.SignatureAlgorithm(a))
	}
	jws, err := jose.ParseSignedCompact(token, algs)
	if err != nil {
		return nil, err
	}
	key, err := k.find(ctx, jws.Signatures[0].Header)
	if err != nil {
		return nil, err
	}
	return jws.Verify(key.Key)
}

func (k *keySet) find(ctx context.Context, h jose.Header) (jose.JSONWebKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	age := k.now().Sub(k.read)
	if age < docAge {
		if key, ok := pick(k.keys, h); ok {
			return key, nil
		}
		if age < keyRest {
			return jose.JSONWebKey{}, errNoKey
		}
	}
	keys, err := k.load(ctx)
	if err != nil {
		return jose.JSONWebKey{}, err
	}
	k.keys, k.read = keys, k.now()
	if key, ok := pick(keys, h); ok {
		return key, nil
	}
	return jose.JSONWebKey{}, errNoKey
}

// errNoKey is a token whose key the provider does not publish.
var errNoKey = errors.New("no published key is the one of the token")

// load fetches the keys and leaves out what is none: encryption keys, private
// and symmetric ones, and types that are not known.
func (k *keySet) load(ctx context.Context) ([]jose.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := k.fetch(ctx, k.url, "", &set); err != nil {
		return nil, fmt.Errorf("keys of the provider: %w", err)
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if json.Unmarshal(raw, &key) == nil && key.Valid() && key.IsPublic() && key.Use != "enc" {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// pick returns the key of h. One that is published for another algorithm is
// not it.
func pick(keys []jose.JSONWebKey, h jose.Header) (jose.JSONWebKey, bool) {
	var found []jose.JSONWebKey
	for _, key := range keys {
		if (h.KeyID == "" || key.KeyID == h.KeyID) && (key.Algorithm == "" || key.Algorithm == h.Algorithm) {
			found = append(found, key)
		}
	}
	if len(found) != 1 {
		return jose.JSONWebKey{}, false
	}
	return found[0], true
}
