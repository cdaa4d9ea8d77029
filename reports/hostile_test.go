package reports

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"golang.org/x/net/html"
)

// poison replaces every string in v, whatever its type, keys included.
func poison(v reflect.Value, with string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(with)
	case reflect.Pointer:
		if !v.IsNil() {
			poison(v.Elem(), with)
		}
	case reflect.Slice:
		for i := range v.Len() {
			poison(v.Index(i), with)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			if field.CanSet() {
				poison(field, with)
			}
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			element := reflect.New(v.Type().Elem()).Elem()
			element.Set(v.MapIndex(k))
			poison(element, with)
			if k.Kind() == reflect.String {
				v.SetMapIndex(k, reflect.Value{})
				k = reflect.ValueOf(with).Convert(k.Type())
			}
			v.SetMapIndex(k, element)
		}
	}
}

// poisoned is the story with the same hostile text in every place.
func poisoned(t *testing.T, with string) *Report {
	t.Helper()
	r := storyReport(t)
	poison(reflect.ValueOf(r).Elem(), with)
	return r
}

// hostiles are texts that try to be more than text.
func hostiles() map[string]string {
	return map[string]string{
		"markup, script and control characters": hostile(),
		"1 MB as one literal":                   "SELECT '" + strings.Repeat("<script>pwned=1</script>", 1<<20/24) + "'",
		"1 MB as an operator chain":             "SELECT 1" + strings.Repeat("+1", 1<<19),
		"invalid UTF-8 and escapes of it":       strings.Repeat("\xff\xfe\xed\xa0\x80\xf4\x90\x80\x80 \\xff \\ud800 &#xd800; &#0; %ff ", 60),
		"the end of everything":                 strings.Repeat("'\"`--></style></title></textarea></script></pre></svg><svg onload=pwned=1>${pwned=1}{{pwned}}", 20),
	}
}

func TestHostileTextAddsNoElement(t *testing.T) {
	foreign := map[string]bool{"img": true, "iframe": true, "link": true, "base": true, "object": true, "embed": true, "form": true, "input": true, "template": true, "frame": true}
	harmless := poisoned(t, "x")
	scripts := len(find(render(t, harmless, ""), "script"))
	for name, text := range hostiles() {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := write(&b, poisoned(t, text), ""); err != nil {
				t.Fatal(err)
			}
			if b.Len() > 4<<20 {
				t.Errorf("the file has %d bytes; want at most 4 MiB", b.Len())
			}
			doc, err := html.Parse(&b)
			if err != nil {
				t.Fatal(err)
			}
			if got := len(find(doc, "script")); got != scripts {
				t.Errorf("%d script elements; want %d", got, scripts)
			}
			for d := range doc.Descendants() {
				if foreign[d.Data] && d.Type == html.ElementNode {
					t.Errorf("a foreign element %s", d.Data)
				}
				for _, a := range d.Attr {
					if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "src" || (a.Key == "href" && !strings.HasPrefix(a.Val, "#")) {
						t.Errorf("element %s has %s=%q", d.Data, a.Key, a.Val)
					}
				}
			}
		})
	}
}

var policyMeta = regexp.MustCompile(`<meta http-equiv="Content-Security-Policy"[^>]*>`)

// without the policy only the escaping protects; with it, both do.
func hostileFile(t *testing.T, policy bool) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, poisoned(t, hostile()), bundleOr(fakeCharts)); err != nil {
		t.Fatal(err)
	}
	page := b.Bytes()
	if !policy {
		page = policyMeta.ReplaceAll(page, nil)
	}
	path := filepath.Join(t.TempDir(), "hostile.html")
	if err := os.WriteFile(path, page, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// fakeCharts stands in for ECharts where it was not built: it keeps the
// options that it is given.
const fakeCharts = `var echarts={init:function(box){return{setOption:function(o){box.appendChild(document.createElement('canvas'));(window.options=window.options||[]).push(JSON.stringify(o));},resize:function(){}};}};`

func bundleOr(other string) string {
	if b := bundle(); b != "" {
		return b
	}
	return other
}

const ran = `String(window.pwned)+String(document.querySelectorAll('[onload],[onerror]').length)`

func TestBrowserTrapCatchesWhatItShould(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trap.html")
	// Without its refresh, which would leave the page before it is looked at.
	raw := "<!DOCTYPE html><title>trap</title>" + strings.ReplaceAll(hostile(), "http-equiv=refresh", "")
	if err := os.WriteFile(path, []byte(raw), 0o644); err != nil {
		t.Fatal(err)
	}
	tb := open(t, path, view{1360, false, true})
	await(t, tb, "window.pwned===1") // else the tests below would notice nothing
	if requests, _ := tb.did(); len(requests) == 0 {
		t.Error("unescaped, the hostile text made no request; the tests below would notice none")
	}
}

func TestHostileTextIsHarmlessInTheBrowser(t *testing.T) {
	tests := map[string]struct {
		policy bool
		views  []view
	}{
		"as written": {true, views()},
		// The escaping must hold alone, too.
		"without the policy": {false, []view{{1360, false, true}, {360, true, true}}},
	}
	for name, test := range tests {
		f := hostileFile(t, test.policy)
		for _, v := range test.views {
			t.Run(name+", "+v.String(), func(t *testing.T) {
				tb := open(t, f, v)
				scrollThrough(t, tb, v)
				if got := eval[string](t, tb, ran); got != "undefined0" {
					t.Errorf("a script ran: %s", got)
				}
				requests, messages := tb.did()
				if len(requests) > 0 {
					t.Errorf("requests were made: %q", requests)
				}
				if len(messages) > 0 {
					t.Errorf("the console says %q", messages)
				}
				if wide := eval[int](t, tb, `document.documentElement.scrollWidth-window.innerWidth`); wide > 0 {
					t.Errorf("the page is %d px wider than its window", wide)
				}
			})
		}
	}
}

// scrollThrough brings every chart into view, so that all are drawn.
func scrollThrough(t *testing.T, tb *tab, v view) {
	t.Helper()
	if !v.script {
		return
	}
	const next = `(()=>{const f=document.querySelector('figure.chart:not(.drawn)');if(f)f.scrollIntoView({behavior:'instant',block:'center'});return !f})()`
	await(t, tb, next)
}

func TestReportInTheBrowser(t *testing.T) {
	f := file(t, storyReport(t), bundleOr(fakeCharts))
	for _, v := range views() {
		t.Run(v.String(), func(t *testing.T) {
			tb := open(t, f, v)
			scrollThrough(t, tb, v)
			checkLooks(t, tb, v)
			requests, messages := tb.did()
			if len(requests)+len(messages) > 0 {
				t.Errorf("requests %q, messages %q", requests, messages)
			}
			look(t, tb, v)
		})
	}
}

// checkLooks asserts what must be seen in each view.
func checkLooks(t *testing.T, tb *tab, v view) {
	t.Helper()
	live, drawings := 0, 4
	if v.script {
		live, drawings = 4, 0
	}
	seen := func(selector string) int {
		return eval[int](t, tb, `[...document.querySelectorAll('`+selector+`')].filter(e=>e.checkVisibility()&&e.getBoundingClientRect().height>0).length`)
	}
	if got := seen("figure.chart canvas"); got != live {
		t.Errorf("%d charts are drawn by script; want %d", got, live)
	}
	if got := seen("figure.chart > svg"); got != drawings {
		t.Errorf("%d charts are seen as SVG; want %d", got, drawings)
	}
	if got := seen("button.copy"); (got > 0) != v.script {
		t.Errorf("%d buttons to copy with script %t", got, v.script)
	}
	dark := eval[bool](t, tb, `getComputedStyle(document.body).backgroundColor.match(/\d+/g).slice(0,3).every(c=>+c<80)`)
	if dark != v.dark {
		t.Errorf("the ground is dark: %t", dark)
	}
	if wide := eval[int](t, tb, `document.documentElement.scrollWidth-window.innerWidth`); wide > 0 {
		t.Errorf("the page is %d px wider than its window", wide)
	}
	const lost = `[...document.querySelectorAll('main p, main h3, main dd, main li, main pre')].filter(e=>e.checkVisibility()&&e.getBoundingClientRect().right>window.innerWidth+1&&!e.closest('.scroll')).length`
	if got := eval[int](t, tb, lost); got > 0 {
		t.Errorf("%d texts stand outside the window", got)
	}
}

func TestRealChartsArePaintedInTheColoursOfTheTheme(t *testing.T) {
	if !WithCharts() {
		t.Log("this build carries no ECharts (make build bundles it); its stand-in is checked")
	}
	f := file(t, storyReport(t), bundleOr(fakeCharts))
	for _, dark := range []bool{false, true} {
		v := view{1360, dark, true}
		tb := open(t, f, v)
		scrollThrough(t, tb, v)
		if !WithCharts() {
			options := eval[[]string](t, tb, `window.options`)
			if len(options) != 4 || strings.Contains(options[0], "var(--") || !json.Valid([]byte(options[0])) {
				t.Errorf("dark %t: the charts were given %q", dark, options)
			}
			continue
		}
		const painted = `(()=>{const c=document.querySelector('figure.chart canvas');const d=c.getContext('2d').getImageData(0,0,c.width,c.height).data;
			const want=getComputedStyle(document.documentElement).getPropertyValue('--line').trim().match(/\w\w/g).map(h=>parseInt(h,16));
			let n=0;for(let i=0;i<d.length;i+=4)if(d[i+3]>200&&want.every((w,k)=>Math.abs(d[i+k]-w)<24))n++;return n})()`
		if got := eval[int](t, tb, painted); got < 200 {
			t.Errorf("dark %t: %d pixels have the colour of the line; want a line", dark, got)
		}
	}
}

func TestReportPrints(t *testing.T) {
	f := file(t, storyReport(t), bundleOr(fakeCharts))
	for name, script := range map[string]bool{"with script": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			v := view{1360, true, script}
			tb := open(t, f, v)
			scrollThrough(t, tb, v)
			pdf, err := chromedp.Run(tb.ctx, chromedp.PrintToPDF(chromedp.PDFPrintBackground(), chromedp.PDFPreferCSSPageSize()))
			if err != nil {
				t.Fatal(err)
			}
			pages := len(regexp.MustCompile(`/Type\s*/Page\b`).FindAll(pdf, -1))
			if !bytes.HasPrefix(pdf, []byte("%PDF-")) || pages < 4 || pages > 14 {
				t.Errorf("%d bytes, %d pages", len(pdf), pages)
			}
			keep(t, "print-"+name+".pdf", pdf)
		})
	}
}

// TestNothingIsLostInPrint looks at the page as print media shows it.
func TestNothingIsLostInPrint(t *testing.T) {
	tb := open(t, file(t, storyReport(t), bundleOr(fakeCharts)), view{800, false, true})
	scrollThrough(t, tb, view{script: true})
	printed(t, tb)
	await(t, tb, `[...document.querySelectorAll('details > .inside')].every(e=>e.getBoundingClientRect().height>0)`)
	await(t, tb, `[...document.querySelectorAll('figure.chart > svg')].every(e=>e.getBoundingClientRect().height>0)`)
	await(t, tb, `!document.querySelector('nav').checkVisibility()`)
}
