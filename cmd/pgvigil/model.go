package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor/llm"
	"github.com/pgvigil/pgvigil/advisor/llm/fake"
	"github.com/pgvigil/pgvigil/advisor/llm/gemini"
	"github.com/pgvigil/pgvigil/cmd/pgvigil/config"
	"github.com/pgvigil/pgvigil/internal/server"
)

// drafter is a model with what has to be closed after it. Its Model is nil
// where no model drafts.
type drafter struct {
	llm.Model
	close func()
}

// modelOf returns the model of a configuration.
func modelOf(ctx context.Context, cfg *config.Config) (drafter, error) {
	if cfg.LLM.Provider != "gemini" {
		return drafter{close: func() {}}, nil
	}
	key, err := cfg.LLMKey(ctx)
	if err != nil {
		return drafter{}, err
	}
	return newGemini(gemini.Options{Model: cfg.LLM.Model, Key: key, Endpoint: cfg.LLM.Endpoint, Timeout: cfg.LLM.Timeout.Std()})
}

func newGemini(o gemini.Options) (drafter, error) {
	m, err := gemini.New(o)
	if err != nil {
		return drafter{}, err
	}
	return drafter{m, func() {}}, nil
}

// newModel returns the demo's model by the word of its flag.
func newModel(word string) (drafter, error) {
	switch word {
	case "none":
		return drafter{close: func() {}}, nil
	case "gemini":
		return newGemini(gemini.Options{Key: pgvigil.Secret(os.Getenv("PGVIGIL_LLM_KEY"))})
	case "fake":
		return newFakeModel()
	}
	return drafter{}, &pgvigil.Hint{Err: fmt.Errorf("read --llm %q: no such model", word), Advice: "use none, fake or gemini"}
}

// newFakeModel runs a scripted model on loopback and a client of it: the same
// path as a real one takes.
func newFakeModel() (drafter, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return drafter{}, fmt.Errorf("start the fake model: %w", err)
	}
	s := &http.Server{Handler: &fake.Server{}, ReadHeaderTimeout: 5 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l) // ends by Close
	}()
	d, err := newGemini(gemini.Options{Key: "fake", Endpoint: "http://" + l.Addr().String()})
	if err != nil {
		err = errors.Join(err, s.Close())
		<-done
		return drafter{}, err
	}
	inner := d.close
	d.close = func() {
		inner()
		_ = s.Close()
		<-done
	}
	return d, nil
}

func newDev(u *ui) *cobra.Command {
	cmd := &cobra.Command{Use: "dev", Short: "Tools for tests and for trying"}
	cmd.AddCommand(newFakeLLM(u), newFaultTable(u))
	return cmd
}

func newFakeLLM(u *ui) *cobra.Command {
	var listen, behaviour, answers string
	cmd := &cobra.Command{
		Use:   "fake-llm",
		Short: "A model that answers from a script, over Gemini's REST",
		Long: `fake-llm listens on loopback and answers as Gemini's API would: with a plausible draft
made from the evidence that it is sent, with the text of a file, or misbehaving.
Point llm.endpoint of the configuration at it.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := scripted(behaviour, answers)
			if err != nil {
				return err
			}
			return serveFakeLLM(cmd.Context(), u, listen, s)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8440", "address on loopback")
	cmd.Flags().StringVar(&behaviour, "behaviour", string(fake.Good), "one of "+behaviours())
	cmd.Flags().StringVar(&answers, "answer", "", "file with the text to answer, whatever is asked")
	return cmd
}

func behaviours() string {
	words := make([]string, 0, len(fake.Behaviours))
	for _, b := range fake.Behaviours {
		words = append(words, string(b))
	}
	return strings.Join(words, ", ")
}

func scripted(behaviour, file string) (*fake.Server, error) {
	s := &fake.Server{Behaviour: fake.Behaviour(behaviour)}
	if !slices.Contains(fake.Behaviours, s.Behaviour) {
		return nil, &pgvigil.Hint{Err: fmt.Errorf("read --behaviour %q: no such behaviour", behaviour), Advice: "use one of " + behaviours()}
	}
	if file == "" {
		return s, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	s.Answer = string(text)
	return s, nil
}

func serveFakeLLM(ctx context.Context, u *ui, address string, handler http.Handler) error {
	l, err := server.ListenTCP(address, false)
	if err != nil {
		return err
	}
	s := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	u.say("Answering on http://%s until Ctrl-C.", l.Addr())
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stop()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("answer as a model: %w", err)
	}
	return nil
}
