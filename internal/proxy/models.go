package proxy

import (
	"net/http"

	"tollgate/internal/route"
	"tollgate/internal/wire"
)

// listModels answers with the models that the caller may use, in the shape of
// its protocol.
func (c *call) listModels() error {
	entries, err := c.p.Routes().List(c.allowed, c.route.Scope)
	if err != nil {
		return err
	}
	models := make([]wire.ModelInfo, len(entries))
	for i, e := range entries {
		models[i] = info(e)
	}
	return c.answerOwn(c.codec.Inbound.EncodeModels(models, c.query))
}

// getModel answers with one of them.
func (c *call) getModel() error {
	e, err := c.p.Routes().Entry(c.route.Model, c.route.Scope, c.allowed)
	if err != nil {
		return err
	}
	return c.answerOwn(c.codec.Inbound.EncodeModel(info(e)))
}

func (c *call) allowed(providerID int64, model string) bool {
	return c.p.Directory.Allowed(c.principal, providerID, model)
}

func info(e route.ModelEntry) wire.ModelInfo {
	return wire.ModelInfo{
		ID: e.Name, DisplayName: e.DisplayName, Provider: e.Provider,
		ContextTokens: e.ContextTokens, OutputTokens: e.OutputTokens,
	}
}

// answerOwn sends a JSON answer that the gateway itself made.
func (c *call) answerOwn(body []byte) error {
	c.row.Status = http.StatusOK
	c.recordLater()
	h := c.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	c.write(http.StatusOK, body)
	return nil
}
