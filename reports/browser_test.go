package reports

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// TestMain closes the browser that the tests share.
func TestMain(m *testing.M) {
	m.Run()
	closeBrowser()
}

// closeBrowser stops the shared browser, if a test started it.
var closeBrowser = func() {}

// start starts the headless Chromium that all tests share.
var start = sync.OnceValues(func() (context.Context, error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, err
	}
	profile, err := os.MkdirTemp("", "pgvigil-chromium-")
	if err != nil {
		return nil, err
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-quic", true),
		chromedp.UserDataDir(profile), chromedp.WSURLReadTimeout(time.Minute))...)
	ctx, quit := chromedp.NewContext(allocator)
	closeBrowser = func() {
		quit()
		stop()
		if err := os.RemoveAll(profile); err != nil {
			fmt.Fprintln(os.Stderr, "remove the browser's profile:", err)
		}
	}
	return ctx, chromedp.Do(ctx)
})

// browser returns the shared headless Chromium, or skips the test where there
// is none; with PGVIGIL_TEST_REQUIRED=1 it fails instead.
func browser(t *testing.T) context.Context {
	t.Helper()
	ctx, err := start()
	switch {
	case err == nil:
	case errors.Is(err, exec.ErrNotFound) && os.Getenv("PGVIGIL_TEST_REQUIRED") != "1":
		t.Skipf("start a browser: %v (Debian: apt-get install chromium)", err)
	default:
		t.Fatalf("start a browser: %v (Debian: apt-get install chromium)", err)
	}
	return ctx
}

// view is how a report is looked at.
type view struct {
	width  int64
	dark   bool
	script bool
}

func (v view) String() string {
	return fmt.Sprintf("%d px wide, dark %t, script %t", v.width, v.dark, v.script)
}

// views are desktop and phone, light and dark, with and without JavaScript.
func views() []view {
	var list []view
	for _, width := range []int64{1360, 360} {
		for _, dark := range []bool{false, true} {
			for _, script := range []bool{true, false} {
				list = append(list, view{width, dark, script})
			}
		}
	}
	return list
}

// tab is one page of the browser with what it did.
type tab struct {
	ctx context.Context

	mu       sync.Mutex
	requests []string // but for the file itself
	messages []string // console, exceptions, violations of the policy, dialogs
}

// open shows a file in a new tab as v says. The policy of the page does not
// bind what the test evaluates.
func open(t *testing.T, file string, v view) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser(t))
	t.Cleanup(cancel)
	ctx, cancelTime := context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(cancelTime)
	tb := &tab{ctx: ctx}
	url := "file://" + file
	scheme := "light"
	if v.dark {
		scheme = "dark"
	}
	err := errors.Join(
		chromedp.Do(ctx, chromedp.EmulateViewport(v.width, 800)),
		chromedp.Listen(ctx, func(event any) { tb.note(event, url) }),
		call(ctx, network.Enable, network.EnableParams{}),
		call(ctx, log.Enable, cdp.Empty{}),
		call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		}),
		call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !v.script}),
		chromedp.Do(ctx, chromedp.Navigate(url)))
	if err != nil {
		t.Fatalf("open %s: %v", file, err)
	}
	return tb
}

// call sends a command of the protocol whose result does not matter.
func call[P, R any](ctx context.Context, command cdp.Command[P, R], params P) error {
	_, err := chromedp.Call(ctx, command, params)
	return err
}

func (tb *tab) note(event any, own string) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if u := e.Request.URL; u != own && !strings.HasPrefix(u, own+"#") {
			tb.requests = append(tb.requests, u)
		}
	case *log.EventEntryAdded:
		tb.messages = append(tb.messages, e.Entry.Text)
	case *runtime.EventConsoleAPICalled:
		tb.messages = append(tb.messages, fmt.Sprint("console ", e.Type))
	case *runtime.EventExceptionThrown:
		tb.messages = append(tb.messages, "exception "+e.ExceptionDetails.Text)
	case *cdppage.EventJavascriptDialogOpening:
		tb.messages = append(tb.messages, "dialog "+e.Message)
	}
}

// eval evaluates an expression in the page.
func eval[T any](t *testing.T, tb *tab, expression string) T {
	t.Helper()
	v, err := chromedp.Run(tb.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("evaluate %s: %v", expression, err)
	}
	return v
}

// file writes a report beside the test and returns its path.
func file(t *testing.T, r *Report, echarts string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := write(f, r, echarts); err != nil {
		t.Fatal(err)
	}
	return path
}

// await polls an expression until it is true.
func await(t *testing.T, tb *tab, expression string) {
	t.Helper()
	if _, err := chromedp.Run(tb.ctx, chromedp.Poll[bool](expression)); err != nil {
		t.Fatalf("await %s: %v", expression, err)
	}
}

// did returns what the tab requested and what it said.
func (tb *tab) did() (requests, messages []string) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	return slices.Clone(tb.requests), slices.Clone(tb.messages)
}

// printed switches the tab to print media.
func printed(t *testing.T, tb *tab) {
	t.Helper()
	if err := call(tb.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}); err != nil {
		t.Fatal(err)
	}
}

var lookDir = flag.String("look", "", "folder to write screenshots and PDFs of the story into")

// look keeps a picture of the whole page for people, where -look asks for it.
func look(t *testing.T, tb *tab, v view) {
	t.Helper()
	if *lookDir == "" {
		return
	}
	png, err := chromedp.Run(tb.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	keep(t, strings.ReplaceAll(v.String(), " ", "-")+".png", png)
}

func keep(t *testing.T, name string, content []byte) {
	t.Helper()
	if *lookDir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(*lookDir, name), content, 0o644); err != nil {
		t.Fatal(err)
	}
}
