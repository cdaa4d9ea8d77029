package server

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/pgvigil/pgvigil"
)

// SocketPath returns the Unix socket of the service that owns a history file.
func SocketPath(history string) string { return history + ".sock" }

// BusyError says that another process serves the history.
type BusyError struct {
	Socket string
	PID    int // 0 unknown
}

func (e *BusyError) Error() string {
	if e.PID == 0 {
		return "another pgvigil serves this history"
	}
	return fmt.Sprintf("another pgvigil serves this history (pid %d)", e.PID)
}

// Socket is a listener on a Unix socket that one process holds at a time.
type Socket struct {
	*net.UnixListener
	path string
	lock *os.File
}

// ListenUnix listens on a Unix socket that only this user can open. What a
// dead process left there is replaced; a living one is a *BusyError. The lock
// beside the socket tells them apart: the kernel drops it with its process.
func ListenUnix(path string) (*Socket, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("listen on a socket: %w", err)
	}
	lock, err := takeLock(path)
	if err != nil {
		return nil, err
	}
	l, err := bind(path)
	if err != nil {
		return nil, errors.Join(err, dropLock(lock))
	}
	return &Socket{l, path, lock}, nil
}

// Path is where the socket is.
func (s *Socket) Path() string { return s.path }

// Close stops listening and removes the socket and its lock.
func (s *Socket) Close() error {
	err := s.UnixListener.Close()
	if errors.Is(err, net.ErrClosed) {
		return nil // closed before
	}
	return errors.Join(err, os.Remove(s.path), dropLock(s.lock))
}

// takeLock takes the lock beside the socket and writes our process id into it.
func takeLock(socket string) (*os.File, error) {
	name := socket + ".lock"
	for {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
		if err != nil {
			return nil, &pgvigil.Hint{
				Err:    fmt.Errorf("listen on %s: %w", socket, err),
				Advice: "make its directory writable for the user of pgvigil, or set server.socket",
			}
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			busy := &BusyError{Socket: socket, PID: holder(f)}
			f.Close()
			return nil, &pgvigil.Hint{Err: busy, Advice: "stop it first, or leave the work to it: commands reach it through " + socket}
		}
		if current(f, name) {
			return f, writePID(f)
		}
		f.Close() // its holder removed it while we opened it
	}
}

// current says that f is still what lies under its name.
func current(f *os.File, name string) bool {
	mine, err1 := f.Stat()
	there, err2 := os.Stat(name)
	return err1 == nil && err2 == nil && os.SameFile(mine, there)
}

func writePID(f *os.File) error {
	err := f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", f.Name(), errors.Join(err, dropLock(f)))
	}
	return nil
}

func holder(f *os.File) int {
	b, err := io.ReadAll(io.LimitReader(f, 20))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0
	}
	return pid
}

// dropLock removes the lock while it is held, so that nobody waits on a file
// that lies under no name.
func dropLock(f *os.File) error { return errors.Join(os.Remove(f.Name()), f.Close()) }

// bind makes the socket in a directory of its own, closed to others, and moves
// it to its place: there is no moment in which it is there with other rights,
// and what was there before is replaced.
func bind(path string) (*net.UnixListener, error) {
	dir, err := os.MkdirTemp(filepath.Dir(path), ".pgvigil-")
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // empty by then, or half made
	made := filepath.Join(dir, "s")
	l, err := listenAt(made)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	l.SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(made, 0o600), os.Rename(made, path)); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, errors.Join(err, l.Close()))
	}
	return l, nil
}

func listenAt(path string) (*net.UnixListener, error) {
	short, done, err := ShortPath(path)
	if err != nil {
		return nil, err
	}
	defer done()
	return net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
}

// maxSocket is the longest path that the kernel takes for a socket.
const maxSocket = 100

// ShortPath returns a path to a socket that the kernel takes, however long the
// real one is: through the directory's entry in /proc. Call done when the
// socket has been opened.
func ShortPath(path string) (short string, done func(), err error) {
	if len(path) <= maxSocket {
		return path, func() {}, nil
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	short = fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path))
	if _, err := os.Stat(filepath.Dir(short)); err != nil || len(short) > maxSocket {
		dir.Close()
		return "", nil, &pgvigil.Hint{
			Err:    fmt.Errorf("the path of the socket is longer than %d bytes", maxSocket),
			Advice: "set server.socket to a shorter one",
		}
	}
	return short, func() { dir.Close() }, nil
}

// ListenTCP listens on an address. Without remote it must be loopback: there
// is no authentication yet.
func ListenTCP(address string, remote bool) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, &pgvigil.Hint{Err: fmt.Errorf("listen on %q: it is not an address with a port", address), Advice: "write for example 127.0.0.1:8432"}
	}
	if host == "localhost" {
		address = "127.0.0.1" + strings.TrimPrefix(address, host)
		host = "127.0.0.1"
	}
	if ip, err := netip.ParseAddr(host); !remote && (err != nil || !ip.Unmap().IsLoopback()) {
		return nil, &pgvigil.Hint{
			Err:    fmt.Errorf("listen on %s: other machines can reach it, and there is no authentication yet", address),
			Advice: "listen on 127.0.0.1, or set server.allow_remote and put a proxy that authenticates in front",
		}
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, &pgvigil.Hint{Err: fmt.Errorf("listen on %s: %w", address, err), Advice: "choose another address with server.listen"}
	}
	return l, nil
}
