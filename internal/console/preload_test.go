package console

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// Every page names what it needs, in the language that the browser asks for, and
// every name is that of a file.
func TestPagesNameWhatTheyNeed(t *testing.T) {
	s, err := load(dist)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.needs) < 30 {
		t.Fatalf("%d pages only", len(s.needs))
	}
	link := regexp.MustCompile(`<link rel="modulepreload" crossorigin href="/console/([^"]+)"`)
	for _, n := range s.needs {
		for _, language := range []string{"en-GB,en;q=0.9", "zh-CN,zh;q=0.9,en;q=0.8"} {
			page := s.pageFor(strings.ReplaceAll(n.Path, "$", "x"), language)
			names := link.FindAllStringSubmatch(page, -1)
			for _, name := range names {
				if s.files[name[1]] == nil {
					t.Errorf("/%s names %s, which is not there", n.Path, name[1])
				}
			}
			if len(names) < 4 || strings.Contains(page, "early.js") != n.SignedIn {
				t.Errorf("/%s names %d files; early.js is in it: %v", n.Path, len(names), strings.Contains(page, "early.js"))
			}
		}
	}
	english, chinese := s.pageFor("admin/users", "en"), s.pageFor("admin/users", "fr, zh-TW;q=0.8, en;q=0.5")
	if english == chinese {
		t.Error("the texts are of one language")
	}
	if other := s.pageFor("admin/users/7/nothing", ""); other != s.page {
		t.Error("a page that does not exist names files")
	}
	if _, ok := s.files[preloadFile]; ok {
		t.Error("the list itself is served")
	}
	if _, err := fs.Stat(dist, "dist/"+preloadFile); err != nil {
		t.Error(err)
	}
}

func TestAPageOfItsOwnGoesBeforeOneWithAPartThatVaries(t *testing.T) {
	s := &site{page: "<head></head>"}
	err := s.readNeeds([]byte(`[{"path":"users/$id","files":{"en":["any.js"]}},{"path":"users/new","files":{"en":["new.js"]}}]`))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"users/new": "new.js", "users/7": "any.js"} {
		if page := s.pageFor(path, "en"); !strings.Contains(page, want) {
			t.Errorf("%s: %s", path, page)
		}
	}
}
