package judge

import (
	"reflect"
	"strings"

	"github.com/anthropics/anthropic-sdk-go"
)

// values are those that the SDK knows for a type of strings; the beta types
// share the lists. A type without a list lets nothing through, so that none is
// forgotten.
func values(t reflect.Type) []string {
	switch strings.TrimPrefix(t.Name(), "Beta") {
	case "StopReason":
		return list(anthropic.StopReasonEndTurn, anthropic.StopReasonMaxTokens, anthropic.StopReasonStopSequence, anthropic.StopReasonToolUse,
			anthropic.StopReasonPauseTurn, anthropic.StopReasonRefusal, anthropic.StopReasonModelContextWindowExceeded)
	case "RefusalStopDetailsCategory":
		return list(anthropic.RefusalStopDetailsCategoryCyber, anthropic.RefusalStopDetailsCategoryBio,
			anthropic.RefusalStopDetailsCategoryFrontierLLM, anthropic.RefusalStopDetailsCategoryReasoningExtraction,
			anthropic.RefusalStopDetailsCategoryGeneralHarms)
	case "UsageServiceTier":
		return list(anthropic.UsageServiceTierStandard, anthropic.UsageServiceTierPriority, anthropic.UsageServiceTierBatch)
	case "UsageSpeed", "MessageNewParamsSpeed":
		return list(anthropic.UsageSpeedStandard, anthropic.UsageSpeedFast)
	case "MessageNewParamsServiceTier":
		return list(anthropic.MessageNewParamsServiceTierAuto, anthropic.MessageNewParamsServiceTierStandardOnly)
	case "MessageParamRole":
		return list(anthropic.MessageParamRoleUser, anthropic.MessageParamRoleAssistant, anthropic.MessageParamRoleSystem)
	case "OutputConfigEffort":
		return list(anthropic.OutputConfigEffortLow, anthropic.OutputConfigEffortMedium, anthropic.OutputConfigEffortHigh,
			anthropic.OutputConfigEffortXhigh, anthropic.OutputConfigEffortMax)
	case "ThinkingConfigAdaptiveDisplay", "ThinkingConfigEnabledDisplay":
		return list(anthropic.ThinkingConfigEnabledDisplaySummarized, anthropic.ThinkingConfigEnabledDisplayOmitted)
	case "CacheControlEphemeralTTL":
		return list(anthropic.CacheControlEphemeralTTLTTL5m, anthropic.CacheControlEphemeralTTLTTL1h)
	case "Base64ImageSourceMediaType":
		return list(anthropic.Base64ImageSourceMediaTypeImageJPEG, anthropic.Base64ImageSourceMediaTypeImagePNG,
			anthropic.Base64ImageSourceMediaTypeImageGIF, anthropic.Base64ImageSourceMediaTypeImageWebP)
	case "ToolType":
		return list(anthropic.ToolTypeCustom)
	case "ServerToolUseBlockName", "ServerToolUseBlockParamName":
		return list(anthropic.ServerToolUseBlockNameWebSearch, anthropic.ServerToolUseBlockNameWebFetch,
			anthropic.ServerToolUseBlockNameCodeExecution, anthropic.ServerToolUseBlockNameBashCodeExecution,
			anthropic.ServerToolUseBlockNameTextEditorCodeExecution, anthropic.ServerToolUseBlockNameToolSearchToolRegex,
			anthropic.ServerToolUseBlockNameToolSearchToolBm25)
	}
	return nil
}

func list[T ~string](all ...T) []string {
	out := make([]string, len(all))
	for i, v := range all {
		out[i] = string(v)
	}
	return out
}
