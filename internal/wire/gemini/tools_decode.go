package gemini

import (
	"encoding/json"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// readTool reads a tool: functions that the client runs, and members that
// each are a tool of Google's own.
func readTool(req *ir.Request, v jsondoc.Value) {
	o := v.Object()
	for _, f := range list(o.Get("functionDeclarations")) {
		req.Tools = append(req.Tools, readFunction(f.Object()))
	}
	o.Rest(func(name string, raw json.RawMessage) {
		name = camelCase(name)
		req.Tools = append(req.Tools, ir.Tool{
			Kind: ir.ToolServer, Name: name,
			Server: ir.Extra{Dialect: own, Path: name, Raw: raw},
		})
	})
}

func readFunction(o *jsondoc.Object) ir.Tool {
	t := ir.Tool{Kind: ir.ToolFunction, Name: o.Need("name"), Description: o.Str("description")}
	t.Schema = readSchema(o.Get("parametersJsonSchema"), false)
	if v := o.Get("parameters"); t.Schema == nil {
		t.Schema = readSchema(v, true)
	}
	t.Extras = rest(nil, o, "")
	return t
}

// readToolConfig reads which functions may be called. VALIDATED is AUTO with
// arguments that fit their schema; with a list of names it is also the only way
// to say which functions AUTO may call.
func readToolConfig(req *ir.Request, o *jsondoc.Object) {
	if v := o.Get("functionCallingConfig"); v.Present() {
		c := v.Object()
		mode := c.Get("mode")
		names := c.Strings("allowedFunctionNames")
		choice := &req.ToolChoice
		switch mode.Str() {
		case "", "MODE_UNSPECIFIED", "AUTO":
			if mode.Str() == "AUTO" || len(names) > 0 {
				choice.Mode, choice.Allowed = ir.ToolAuto, names
			}
		case "VALIDATED":
			choice.Mode, choice.Allowed = ir.ToolAuto, names
			if len(names) == 0 {
				req.Extras = append(req.Extras, ir.Extra{Dialect: own, Path: callingConfig + "mode", Raw: mode.Raw()})
			}
		case "ANY":
			choice.Mode, choice.Allowed = ir.ToolRequired, names
			if len(names) == 1 {
				*choice = ir.ToolChoice{Mode: ir.ToolNamed, Kind: ir.ToolFunction, Name: names[0]}
			}
		case "NONE":
			choice.Mode = ir.ToolNone
		default:
			mode.Fail("must be AUTO, ANY, NONE or VALIDATED")
		}
		req.Extras = rest(req.Extras, c, callingConfig)
	}
	req.Extras = rest(req.Extras, o, "toolConfig.")
}

const callingConfig = "toolConfig.functionCallingConfig."
