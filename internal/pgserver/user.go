package pgserver

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// account is the system user that a server runs as; nil means our own.
type account struct{ uid, gid uint32 }

// serverAccount returns whom to run as: ourselves, unless we are root.
// Postgres refuses root, so then it is postgres or, failing that, nobody.
func serverAccount() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil && uid != 0 {
			return &account{uint32(uid), uint32(gid)}, nil
		}
	}
	return nil, fmt.Errorf("find a user to run Postgres as: root is refused by Postgres, and there is neither postgres nor nobody")
}

func (a *account) credential() *syscall.Credential {
	if a == nil {
		return nil
	}
	return &syscall.Credential{Uid: a.uid, Gid: a.gid, NoSetGroups: false}
}

func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	return os.Chown(path, int(a.uid), int(a.gid))
}

// reachable returns an install that the account can run: in itself, or, when a
// folder above is closed to others (a checkout below /root), copied into dir.
func (a *account) reachable(in Install, dir string) (Install, error) {
	if a == nil || openToAll(in.Bin) {
		return in, nil
	}
	root := filepath.Dir(in.Bin) // bin, lib and share are siblings
	copied := filepath.Join(dir, "native")
	if out, err := exec.Command("cp", "-a", root, copied).CombinedOutput(); err != nil {
		return in, fmt.Errorf("copy %s to where the server's user can read it: %w: %s", root, err, strings.TrimSpace(string(out)))
	}
	if err := chownTree(copied, a); err != nil {
		return in, err
	}
	in.Bin = filepath.Join(copied, "bin")
	if in.Share != "" {
		if rel, err := filepath.Rel(root, in.Share); err == nil {
			in.Share = filepath.Join(copied, rel)
		}
	}
	return in, nil
}

func openToAll(dir string) bool {
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		st, err := os.Stat(dir)
		if err != nil || st.Mode().Perm()&0o005 != 0o005 {
			return false
		}
	}
	return true
}

func chownTree(root string, a *account) error {
	return filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(a.uid), int(a.gid))
	})
}
