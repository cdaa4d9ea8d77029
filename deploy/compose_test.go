// Package deploy_test keeps the container files right where no Docker runs: it
// parses them, and compares them with what the tests of the house start.
package deploy_test

import (
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/pgvigil/pgvigil/cmd/pgvigil/config"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// compose is the part of docker-compose.yml that is looked at; an unknown key
// of a service is an error, so that a misspelt one is seen.
type compose struct {
	Name     string
	Services map[string]service
	Volumes  map[string]any
	Secrets  map[string]struct{ Environment string }
}

type service struct {
	Image       string
	Build       string
	Command     []string
	Environment map[string]string
	Secrets     []string
	Volumes     []string
	Ports       []string
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
	Healthcheck struct {
		Test              []string
		Interval, Timeout string
		StartPeriod       string `yaml:"start_period"`
		Retries           int
	}
	ReadOnly    bool   `yaml:"read_only"`
	ShmSize     string `yaml:"shm_size"`
	MemLimit    string `yaml:"mem_limit"`
	Restart     string
	Tmpfs       []string
	CapDrop     []string `yaml:"cap_drop"`
	SecurityOpt []string `yaml:"security_opt"`
}

func composed(t *testing.T) compose {
	t.Helper()
	f, err := os.Open("../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var c compose
	dec := yaml.NewDecoder(f)
	dec.KnownFields(true)
	if err := dec.Decode(&c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestServicesAreThoseOfTheHouse(t *testing.T) {
	c := composed(t)
	if got := slices.Sorted(maps.Keys(c.Services)); !slices.Equal(got, []string{"alertmanager", "pgvigil", "postgres"}) {
		t.Errorf("services = %v", got)
	}
	for name, s := range c.Services {
		if (s.Image == "") == (s.Build == "") {
			t.Errorf("%s: want an image or a build", name)
		}
		if s.Build != "" {
			if _, err := os.Stat(filepath.Join("..", s.Build, "Dockerfile")); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if len(s.Healthcheck.Test) < 2 || s.Healthcheck.Test[0] != "CMD" || s.Healthcheck.Interval == "" || s.Healthcheck.Retries == 0 {
			t.Errorf("%s: want a health check that runs a program", name)
		}
		for on, d := range s.DependsOn {
			if _, ok := c.Services[on]; !ok || d.Condition != "service_healthy" {
				t.Errorf("%s: depends on %s (%s); want a service, healthy", name, on, d.Condition)
			}
		}
	}
}

func TestWhatServicesMountIsThere(t *testing.T) {
	c := composed(t)
	used := map[string]bool{}
	for name, s := range c.Services {
		for _, v := range s.Volumes {
			source, _, _ := strings.Cut(v, ":")
			if strings.HasPrefix(source, ".") {
				if _, err := os.Stat(filepath.Join("..", source)); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			used[source] = true
			if _, ok := c.Volumes[source]; !ok {
				t.Errorf("%s: there is no volume %s", name, source)
			}
		}
		for _, secret := range s.Secrets {
			if c.Secrets[secret].Environment == "" {
				t.Errorf("%s: there is no secret %s", name, secret)
			}
		}
	}
	if len(used) != len(c.Volumes) {
		t.Errorf("volumes %v are declared, %v used", slices.Sorted(maps.Keys(c.Volumes)), slices.Sorted(maps.Keys(used)))
	}
}

func TestNothingIsOpenToOthers(t *testing.T) {
	secret := regexp.MustCompile(`(?i)password|secret|token|key`)
	for name, s := range composed(t).Services {
		for _, p := range s.Ports {
			host, _, _ := net.SplitHostPort(p[:strings.LastIndex(p, ":")])
			if host != "127.0.0.1" {
				t.Errorf("%s: port %s is open to other machines", name, p)
			}
		}
		for k, v := range s.Environment {
			if secret.MatchString(k) && !strings.HasPrefix(v, "/run/secrets/") {
				t.Errorf("%s: %s holds a secret in the open", name, k)
			}
			// A variable of ours that sets no key would keep the service from starting.
			if strings.HasPrefix(k, "PGVIGIL_") {
				if _, err := config.Load("pgvigil.yaml", []string{k + "=" + v}, nil); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
}

// settings are those that the Postgres of docker-compose.yml starts with.
func settings(t *testing.T) map[string]string {
	t.Helper()
	m := map[string]string{}
	cmd := composed(t).Services["postgres"].Command
	if cmd[0] != "postgres" {
		t.Fatalf("command = %v; want postgres -c name=value ...", cmd)
	}
	for i := 1; i+1 < len(cmd); i += 2 {
		name, value, ok := strings.Cut(cmd[i+1], "=")
		if cmd[i] != "-c" || !ok {
			t.Fatalf("command = %v; want postgres -c name=value ...", cmd)
		}
		m[name] = value
	}
	return m
}

// major is the version of Postgres that deploy/postgres/Dockerfile names.
func major(t *testing.T) int {
	t.Helper()
	m := regexp.MustCompile(`FROM postgres:(\d+)\.`).FindStringSubmatch(read(t, "postgres/Dockerfile"))
	if m == nil {
		t.Fatal("deploy/postgres/Dockerfile names no version")
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestServerSettingsAreThoseOfTheTests(t *testing.T) {
	conn := pgtest.Connect(t, pgtest.Server(t, major(t)).DSN("postgres"))
	set := settings(t)
	for name, want := range set {
		var got, unit string
		if err := conn.QueryRow(t.Context(), "SELECT setting, coalesce(unit, '') FROM pg_settings WHERE lower(name) = lower($1)", name).Scan(&got, &unit); err != nil {
			t.Errorf("read %s: %v", name, err)
		}
		if got != want {
			t.Errorf("docker-compose.yml sets %s to %s, the tests to %s (unit %q)", name, want, got, unit)
		}
	}
	if set["shared_preload_libraries"] != "pg_stat_statements" {
		t.Error("pg_stat_statements is not preloaded")
	}
}

func TestTheServersFirstScriptMakesWhatTheConfigurationUses(t *testing.T) {
	c, err := config.Load("pgvigil.yaml", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	target := c.Targets["ci"]
	s := pgtest.Own(t, major(t), pgserver.Options{HBA: "local all postgres trust\nlocal all all scram-sha-256\n"})
	pgtest.Exec(t, s.DSN("postgres"), "CREATE DATABASE "+target.Database)
	secret := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(secret, []byte("it's \"a\" $word\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // it does no harm to run it again
		cmd := exec.Command("bash", "postgres/init.sh")
		cmd.Env = append(os.Environ(),
			"PATH="+s.Install.Bin+":"+os.Getenv("PATH"), "PGHOST="+s.Dir, "PGPORT="+strconv.Itoa(s.Port),
			"POSTGRES_DB="+target.Database, "MONITOR_PASSWORD_FILE="+secret)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	// The service connects with what the script made.
	c, err = config.Load("pgvigil.yaml", nil, map[string]string{
		"targets.ci.host": s.Dir, "targets.ci.port": strconv.Itoa(s.Port), "targets.ci.password_file": secret,
	})
	if err != nil {
		t.Fatal(err)
	}
	resolved, err := c.Resolve(t.Context(), "ci")
	if err != nil {
		t.Fatal(err)
	}
	conn := pgtest.Connect(t, resolved.DSN.Reveal())
	var monitor, super bool
	var extensions string
	err = conn.QueryRow(t.Context(), `SELECT pg_has_role('pg_monitor', 'MEMBER'), rolsuper,
		(SELECT string_agg(extname, ' ' ORDER BY extname) FROM pg_extension WHERE extname <> 'plpgsql')
		FROM pg_roles WHERE rolname = current_user`).Scan(&monitor, &super, &extensions)
	if err != nil || !monitor || super || extensions != "hypopg pg_stat_statements" {
		t.Errorf("pg_monitor %v, superuser %v, extensions %q, %v; want a monitor with both extensions", monitor, super, extensions, err)
	}
}

func TestTheConfigurationFitsTheContainers(t *testing.T) {
	cfg, err := config.Load("pgvigil.yaml", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Warnings) > 0 {
		t.Errorf("warnings: %v", cfg.Warnings)
	}
	s := composed(t).Services["pgvigil"]
	ci := cfg.Targets["ci"]
	mounted := func(path string) bool {
		return slices.ContainsFunc(s.Volumes, func(v string) bool {
			parts := strings.Split(v, ":")
			return len(parts) > 1 && strings.HasPrefix(path+"/", parts[1]+"/")
		})
	}
	for what, path := range map[string]string{"the socket of Postgres": ci.Host, "the history": cfg.History.Path, "the socket": cfg.Server.Socket} {
		if !mounted(path) {
			t.Errorf("%s, %s, lies in no volume", what, path)
		}
	}
	if !slices.Contains(s.Secrets, strings.TrimPrefix(ci.PasswordFile, "/run/secrets/")) {
		t.Errorf("%s is no secret of the service", ci.PasswordFile)
	}
	if !slices.Contains(s.Healthcheck.Test, cfg.Server.Socket) {
		t.Errorf("the health check asks %v; want the socket %s", s.Healthcheck.Test, cfg.Server.Socket)
	}
	if db := composed(t).Services["postgres"].Environment["POSTGRES_DB"]; db != ci.Database {
		t.Errorf("the server has database %s, the configuration says %s", db, ci.Database)
	}
	if !strings.Contains(read(t, "../Dockerfile"), "/etc/pgvigil/pgvigil.yaml") || !mounted("/etc/pgvigil/pgvigil.yaml") {
		t.Error("the configuration is not where the image looks for it")
	}
	if !strings.Contains(read(t, "../Dockerfile"), cfg.Server.Socket) {
		t.Errorf("the image's health check does not ask %s", cfg.Server.Socket)
	}
}

func TestAlertmanagerReadsItsConfiguration(t *testing.T) {
	amtool, err := exec.LookPath("amtool")
	if err != nil {
		t.Log("no amtool here: the file is only parsed")
		var file struct{ Route, Receivers any }
		if err := yaml.Unmarshal([]byte(read(t, "alertmanager.yml")), &file); err != nil {
			t.Error(err)
		}
		return
	}
	if out, err := exec.Command(amtool, "check-config", "alertmanager.yml").CombinedOutput(); err != nil {
		t.Errorf("amtool: %v\n%s", err, out)
	}
}
