package collector_test

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// cut is a TCP relay that can cut its connections after some bytes of what the
// server says.
type cut struct {
	port  int
	limit atomic.Int64 // bytes until the cut; below zero for none
	wait  sync.WaitGroup
}

// startCut relays to an address until the test ends.
func startCut(t *testing.T, to string) *cut {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cut{port: l.Addr().(*net.TCPAddr).Port}
	c.limit.Store(-1)
	c.wait.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			c.wait.Go(func() { c.relay(client, to) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		c.wait.Wait()
	})
	return c
}

// cutAfter cuts the connections to come after so many bytes.
func (c *cut) cutAfter(bytes int64) { c.limit.Store(bytes) }

func (c *cut) relay(client net.Conn, to string) {
	defer client.Close()
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	c.wait.Go(func() {
		_, _ = io.Copy(server, client) // ends when either side is closed
		_ = server.Close()
	})
	if limit := c.limit.Load(); limit >= 0 {
		_, _ = io.CopyN(client, server, limit)
		return
	}
	_, _ = io.Copy(client, server)
}
