package admin

import (
	"context"

	"tollgate/internal/about"
	"tollgate/internal/config"
	"tollgate/internal/web/api"
)

// processSetting is the JSON of a setting of the process.
type processSetting struct {
	Name     string `json:"name" doc:"Section and key in the file."`
	Variable string `json:"variable" doc:"That sets it, too."`
	Value    any    `json:"value" doc:"In force; secrets are [redacted]."`
	Source   string `json:"source" enum:"default,file,environment,flag"`
	At       string `json:"at" doc:"File with line and column, variable or flag."`
}

// About is what the process is.
type About struct {
	Version       string
	Go            string
	Database      string // sqlite or postgres
	SchemaVersion int64
	PricesDate    string // of the shipped table, such as 2026-07-02
}

// aboutRecord is its JSON.
type aboutRecord struct {
	Version       string         `json:"version"`
	Go            string         `json:"go"`
	Database      string         `json:"database" enum:"sqlite,postgres"`
	SchemaVersion int64          `json:"schema_version"`
	PricesDate    string         `json:"prices_date" doc:"The day of the prices that come with the release."`
	Modules       []about.Module `json:"modules" doc:"What the program is made of, and its licences."`
}

func (s *Server) mountAbout() {
	api.Handle(s.API, reads("/admin/settings/process", "Settings", "Show the settings of the process, and where each comes from"),
		func(context.Context, *struct{}) ([]processSetting, error) {
			out := []processSetting{}
			for _, e := range s.Process() {
				out = append(out, newProcessSetting(e))
			}
			return out, nil
		})
	api.Handle(s.API, reads("/admin/about", "System", "Show version, database and licences"),
		func(context.Context, *struct{}) (aboutRecord, error) {
			a := s.About
			return aboutRecord{a.Version, a.Go, a.Database, a.SchemaVersion, a.PricesDate, about.Modules()}, nil
		})
}

func newProcessSetting(e config.Effective) processSetting {
	return processSetting{e.Name, e.Variable, e.Value, string(e.From), e.At}
}
