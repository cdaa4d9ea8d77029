package conninfo

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
)

// Timeout bounds a connection attempt where the caller knows no better.
const Timeout = 5 * time.Second

// Read reads a connection string as the driver takes it, under the rule of TLS.
// whose says in errors whose it is: "read the DSN of ci: ...". What connects by
// it waits no longer than Timeout, unless the string says otherwise.
func Read(whose string, text pgvigil.Secret) (*pgx.ConnConfig, error) {
	config, err := read(text)
	if err != nil {
		return nil, &pgvigil.Hint{Err: fmt.Errorf("read the DSN of %s: %w", whose, err), Advice: pgvigil.Advice(err)}
	}
	return config, nil
}

func read(text pgvigil.Secret) (*pgx.ConnConfig, error) {
	i, err := Parse(text)
	if err != nil {
		return nil, err
	}
	config, err := pgx.ParseConfig(i.Secured(os.Getenv).text.Reveal())
	if err != nil {
		return nil, unreadable(err)
	}
	if i.Mode(os.Getenv) == verifyFull && !verifies(config) {
		return nil, hint("it does not say how to use TLS", "add sslmode=verify-full to the DSN")
	}
	config.ConnectTimeout = cmp.Or(config.ConnectTimeout, Timeout)
	return config, nil
}

// Check says what is wrong with a connection string, with all that it names
// beside: files of certificates, variables of the environment.
func Check(text pgvigil.Secret) error {
	_, err := read(text)
	return err
}

// Connect opens a connection. Within timeout it is usable, or there is an error
// as by Explain; 0 means Timeout.
func Connect(ctx context.Context, whose string, config *pgx.ConnConfig, timeout time.Duration) (*pgx.Conn, error) {
	if timeout <= 0 {
		timeout = Timeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, Explain(whose, config, err)
	}
	return conn, nil
}
