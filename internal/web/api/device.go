package api

import "strings"

// device names browser and system of a User-Agent header: "Firefox on
// Windows". It is a help for people, decides nothing, and gives up soon.
func device(userAgent string) string {
	browser, system := firstOf(userAgent, browsers()), firstOf(userAgent, systems())
	switch {
	case browser == "" && system == "":
		name, _, _ := strings.Cut(userAgent, "/")
		name, _, _ = strings.Cut(name, " ")
		if len(name) > 32 {
			name = name[:32]
		}
		return strings.ToValidUTF8(name, "")
	case browser == "":
		return system
	case system == "":
		return browser
	}
	return browser + " on " + system
}

// browsers lists marks and names, those first that pretend to be others.
func browsers() [][2]string {
	return [][2]string{
		{"Edg", "Edge"},
		{"OPR/", "Opera"},
		{"Vivaldi/", "Vivaldi"},
		{"SamsungBrowser/", "Samsung Internet"},
		{"Firefox/", "Firefox"},
		{"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"},
		{"Chrome/", "Chrome"},
		{"Chromium/", "Chromium"},
		{"Safari/", "Safari"},
		{"curl/", "curl"},
		{"python", "Python"},
		{"Go-http-client/", "Go"},
		{"node", "Node.js"},
	}
}

func systems() [][2]string {
	return [][2]string{
		{"iPhone", "iPhone"},
		{"iPad", "iPad"},
		{"Android", "Android"},
		{"Windows", "Windows"},
		{"Mac OS X", "macOS"},
		{"Macintosh", "macOS"},
		{"CrOS", "ChromeOS"},
		{"Linux", "Linux"},
		{"FreeBSD", "FreeBSD"},
	}
}

func firstOf(text string, marks [][2]string) string {
	for _, m := range marks {
		if strings.Contains(text, m[0]) {
			return m[1]
		}
	}
	return ""
}
