package llm

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

// Instruction is the system prompt: what a model may answer.
//
//go:embed instruction.txt
var Instruction string

// Prompt renders evidence as the one user message.
func Prompt(e Evidence) (string, error) {
	b, err := json.Marshal(e)
	if err != nil {
		return "", fmt.Errorf("write evidence for the model: %w", err)
	}
	return string(b), nil
}
