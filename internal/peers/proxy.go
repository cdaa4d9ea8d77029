package main

import (
	"errors"
	"fmt"
	"net"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

// proxy stands between the readers and the server, and counts bytes.
type proxy struct {
	listener net.Listener
	server   string // address
	config   *pgx.ConnConfig
	bytes    atomic.Int64 // both ways
}

func newProxy(dsn string) (*proxy, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("read the server's address: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	p := &proxy{listener: listener, config: config, server: fmt.Sprintf("%s:%d", config.Host, config.Port)}
	go p.accept()
	return p, nil
}

// dsn returns the connection string that leads through the proxy.
func (p *proxy) dsn() string {
	_, port, _ := net.SplitHostPort(p.listener.Addr().String())
	return fmt.Sprintf("postgres://%s@127.0.0.1:%s/%s?sslmode=disable", p.config.User, port, p.config.Database)
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			_ = client.Close() // the client will say what it misses
			continue
		}
		go p.copy(client, server)
		go p.copy(server, client)
	}
}

// copy moves bytes until one end closes, and then closes both.
func (p *proxy) copy(to, from net.Conn) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		p.bytes.Add(int64(n))
		if n > 0 {
			if _, werr := to.Write(buffer[:n]); werr != nil {
				err = errors.Join(err, werr)
			}
		}
		if err != nil {
			break
		}
	}
	_, _ = to.Close(), from.Close() // the other direction ends by it
}

func (p *proxy) close() {
	_ = p.listener.Close() // a second close is none
}
