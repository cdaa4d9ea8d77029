package query_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgvigil/pgvigil/query"
)

func TestTagsAreReadInBothStyles(t *testing.T) {
	tests := map[string]struct {
		text string
		want map[string]string
	}{
		"marginalia in front, values with colons": {
			`/*application:web,correlation_id:01HABC,endpoint_id:Projects::BlobController#show,db_config_name:ci*/ SELECT 1`,
			map[string]string{"application": "web", "endpoint_id": "Projects::BlobController#show", "db_config_name": "ci"},
		},
		"an endpoint of an API": {
			`/*application:web,endpoint_id:GET /api/:version/jobs/:id/artifacts*/ SELECT 1`,
			map[string]string{"application": "web", "endpoint_id": "GET /api/:version/jobs/:id/artifacts"},
		},
		"sqlcommenter behind": {
			`SELECT 1 /*action='index',controller='jobs',route='%2Fjobs%2F%3Aid',traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01'*/`,
			map[string]string{"action": "index", "controller": "jobs", "route": "/jobs/:id"},
		},
		"an escaped quote":              {`SELECT 1 /*a='it\'s',b='x'*/`, map[string]string{"b": "x"}},
		"both":                          {`/*application:sidekiq*/ SELECT 1 /*job='sweep'*/`, map[string]string{"application": "sidekiq", "job": "sweep"}},
		"in a string":                   {`SELECT '/*application:web*/'`, nil},
		"a comment for people":          {`SELECT 1 /* the answer */`, nil},
		"a line comment":                {"SELECT 1 -- application:web", nil},
		"without an end":                {`SELECT 1 /*application:web`, nil},
		"the first of two counts":       {`/*application:web*/ SELECT 1 /*application:other*/`, map[string]string{"application": "web"}},
		"names of people and machines":  {`/*user:alice,host:db1,console_hostname:x,email:a,jid:abc*/ SELECT 1`, nil},
		"values that look like ids":     {`/*project:123456,note:a1b2c3d4e5f6g7,sum:deadbeefdeadbeef,application:web*/ SELECT 1`, map[string]string{"application": "web"}},
		"secrets by their key":          {`/*token:abc,password:abc,api_key:abc,application:web*/ SELECT 1`, map[string]string{"application": "web"}},
		"generated parts of a route":    {`/*route='/reset/s3cr3tX1',action='show'*/ SELECT 1`, map[string]string{"action": "show"}},
		"digits under a key of its own": {`/*note:hunter2,part:two,line:app.rb:12*/ SELECT 1`, map[string]string{"part": "two", "line": "app.rb:12"}},
		"markup":                        {`/*application:"><script>,x:<b onclick="a">*/ SELECT 1`, nil},
		"a value that is too long":      {`/*a:` + strings.Repeat("word ", 60) + `,application:web*/ SELECT 1`, map[string]string{"application": "web"}},
		"bad url-encoding":              {`SELECT 1 /*a='%zz',b='ok'*/`, map[string]string{"b": "ok"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, query.Tags(test.text)); diff != "" {
				t.Errorf("Tags(%q) (-want +got):\n%s", test.text, diff)
			}
		})
	}
}
