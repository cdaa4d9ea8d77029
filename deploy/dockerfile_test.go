package deploy_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// instruction is one line of a Dockerfile, continuations joined.
type instruction struct{ name, args string }

func dockerfile(t *testing.T, path string) []instruction {
	t.Helper()
	var list []instruction
	text := strings.ReplaceAll(comments.ReplaceAllString(read(t, path), ""), "\\\n", " ")
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			name, args, _ := strings.Cut(line, " ")
			list = append(list, instruction{name, strings.Join(strings.Fields(args), " ")})
		}
	}
	return list
}

var comments = regexp.MustCompile(`(?m)^\s*#.*\n`)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func of(list []instruction, name string) (args []string) {
	for _, in := range list {
		if in.name == name {
			args = append(args, in.args)
		}
	}
	return args
}

// pinned is an image with a version of at least two numbers.
var pinned = regexp.MustCompile(`^[a-z0-9./-]+:v?\d+\.\d+[A-Za-z0-9.-]*$`)

var dockerfiles = map[string]string{"../Dockerfile": "..", "postgres/Dockerfile": "postgres"}

func TestImagesArePinned(t *testing.T) {
	images := []string{}
	for path := range dockerfiles {
		for _, from := range of(dockerfile(t, path), "FROM") {
			image, _, _ := strings.Cut(from, " ")
			images = append(images, image)
		}
	}
	for _, s := range composed(t).Services {
		if s.Image != "" {
			images = append(images, s.Image)
		}
	}
	if len(images) != 5 {
		t.Errorf("images = %v; want five", images)
	}
	for _, image := range images {
		if !pinned.MatchString(image) {
			t.Errorf("image %s is not pinned to a version", image)
		}
	}
}

func TestImagesBuildWithTheGoOfGoMod(t *testing.T) {
	want := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "../go.mod"))
	got := regexp.MustCompile(`golang:(\d+\.\d+)\.\d+-(\w+)`).FindStringSubmatch(read(t, "../Dockerfile"))
	if want == nil || got == nil || want[1] != got[1] {
		t.Fatalf("go.mod says %v, the Dockerfile %v; want one version", want, got)
	}
	// cgo links against the C library of the image it is built in.
	releases := map[string]string{"bookworm": "debian:12."}
	if last := of(dockerfile(t, "../Dockerfile"), "FROM"); !strings.HasPrefix(last[len(last)-1], releases[got[2]]) {
		t.Errorf("the program is built on %s and runs on %s; want one Debian", got[2], last[len(last)-1])
	}
}

func TestWhatIsCopiedIsThere(t *testing.T) {
	ignored := strings.Fields(read(t, "../.dockerignore"))
	for path, context := range dockerfiles {
		stages := []string{}
		for _, from := range of(dockerfile(t, path), "FROM") {
			if _, name, ok := strings.Cut(from, " AS "); ok {
				stages = append(stages, name)
			}
		}
		for _, args := range of(dockerfile(t, path), "COPY") {
			words := strings.Fields(args)
			if stage, ok := strings.CutPrefix(words[0], "--from="); ok {
				if !slices.Contains(stages, stage) {
					t.Errorf("%s: COPY %s: there is no stage %s", path, args, stage)
				}
				continue
			}
			for _, source := range words[:len(words)-1] {
				if _, err := os.Stat(filepath.Join(context, source)); err != nil {
					t.Errorf("%s: COPY %s: %v", path, args, err)
				}
				if context == ".." && slices.Contains(ignored, source) {
					t.Errorf("%s: COPY %s: .dockerignore leaves it out", path, args)
				}
			}
		}
	}
}

func TestTheImageIsBuiltAsTheMakefileBuilds(t *testing.T) {
	makefile := read(t, "../Makefile")
	found := 0
	for _, run := range of(dockerfile(t, "../Dockerfile"), "RUN") {
		if strings.HasPrefix(run, "npm ") || strings.HasPrefix(run, "node ") {
			found++
			if !strings.Contains(makefile, "\t"+run+"\n") {
				t.Errorf("RUN %s is not what the Makefile runs", run)
			}
		}
		if strings.Contains(run, "go build") {
			found++
			flags := regexp.MustCompile(`-trimpath -ldflags "-X [\w.]+=`).FindString(run)
			if flags == "" || !strings.Contains(makefile, flags) {
				t.Errorf("RUN %s: the Makefile builds with other flags", run)
			}
		}
	}
	if found != 3 {
		t.Errorf("%d commands of the Makefile in the Dockerfile; want npm ci, the bundle and go build", found)
	}
	var pkg struct{ Dependencies map[string]string }
	if err := json.Unmarshal([]byte(read(t, "../package.json")), &pkg); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"echarts", "esbuild"} {
		if !regexp.MustCompile(`^\d+\.\d+\.\d+$`).MatchString(pkg.Dependencies[name]) {
			t.Errorf("package.json wants %s %q; want one version", name, pkg.Dependencies[name])
		}
	}
}

func TestTheImageRunsAsNobodyAndHoldsNoSecret(t *testing.T) {
	list := dockerfile(t, "../Dockerfile")
	user := of(list, "USER")
	if len(user) != 1 || !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(user[0]) {
		t.Errorf("USER = %v; want numbers that are not root's", user)
	}
	secret := regexp.MustCompile(`(?i)password|secret|token|api_?key`)
	for _, in := range list {
		if (in.name == "ENV" || in.name == "ARG") && secret.MatchString(in.args) {
			t.Errorf("%s %s: a secret would stay in the image", in.name, in.args)
		}
		if in.name == "ADD" || strings.Contains(in.args, "curl ") || strings.Contains(in.args, "wget ") {
			t.Errorf("%s %s: what is fetched must come by a package manager", in.name, in.args)
		}
	}
	if len(of(list, "HEALTHCHECK")) != 1 {
		t.Error("the image has no health check")
	}
}
