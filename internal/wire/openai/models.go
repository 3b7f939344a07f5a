package openai

import "tollgate/internal/wire"

type model struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

type modelList struct {
	Object string  `json:"object"`
	Data   []model `json:"data"`
}

func describeModel(m wire.ModelInfo) model {
	return model{ID: m.ID, Object: "model", Created: m.Created, OwnedBy: m.Provider}
}

// encodeModels is Inbound.EncodeModels of both dialects; OpenAI's list has no
// pages.
func encodeModels(models []wire.ModelInfo) []byte {
	list := modelList{Object: "list", Data: make([]model, 0, len(models))}
	for _, m := range models {
		list.Data = append(list.Data, describeModel(m))
	}
	return mustJSON(list)
}
