// Package llm is the seam to language models. A model gets typed evidence with
// ids, without literals, and answers with typed candidates and claims; code
// checks both against the evidence, renders all DDL, and lets a planner judge.
// A model is one proposer among others, never the judge, and what it writes is
// shown as text only.
package llm
