package reports

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed templates/*.html
var templateFiles embed.FS

// assets holds the page's own style and script, and ECharts where build.mjs
// has put it there.
//
//go:embed assets
var assets embed.FS

var pageTemplate = template.Must(template.New("page.html").ParseFS(templateFiles, "templates/*.html"))

// Write lays r out as one HTML file that needs nothing else.
func Write(w io.Writer, r *Report) error {
	return write(w, r, bundle())
}

// WithCharts says whether this binary carries ECharts. Without it a report
// shows the same charts as SVG alone.
func WithCharts() bool { return bundle() != "" }

// bundle is ECharts, "" where it was not built.
func bundle() string {
	b, err := assets.ReadFile("assets/echarts.min.js")
	if err != nil {
		return ""
	}
	return string(b)
}

// write is Write with a given bundle, "" for none.
func write(w io.Writer, r *Report, echarts string) error {
	style, err := assets.ReadFile("assets/page.css")
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	script, err := assets.ReadFile("assets/page.js")
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	for _, text := range []string{string(style), string(script), echarts} {
		if err := embeddable(text); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	p := pageOf(r)
	p.Style, p.Script, p.Charts = template.CSS(style), template.JS(script), template.JS(echarts)
	p.Policy = policy(string(style), string(script), echarts)
	var page bytes.Buffer
	if err := pageTemplate.Execute(&page, p); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if _, err := page.WriteTo(w); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// embeddable says whether our own text can stand in an element as it is: the
// browser must read the bytes that were hashed, to their end.
func embeddable(text string) error {
	lower := strings.ToLower(text)
	for _, bad := range []string{"</script", "</style", "<!--", "\r", "\x00"} {
		if strings.Contains(lower, bad) {
			return fmt.Errorf("an embedded file contains %q", bad)
		}
	}
	return nil
}

// policy admits the page's own style and scripts by their hashes and nothing
// else from anywhere.
func policy(style, script, echarts string) string {
	scripts := hash(script)
	if echarts != "" {
		scripts += " " + hash(echarts)
	}
	return "default-src 'none'; script-src " + scripts + "; style-src " + hash(style) +
		"; img-src data:; base-uri 'none'; form-action 'none'"
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
