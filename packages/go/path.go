package cardseal

import "strings"

// NormalizePath is the path of a request as replay keys and fingerprints count it: with /api/v1 in front unless it has
// a version, without scheme, host, query, fragment and slashes at the end (SPEC.md, section 10). Case is kept, nothing is
// decoded.
//
// Errors: ErrInvalidPath for a path that names no endpoint, has an empty or dot segment, %, \ or anything but printable
// ASCII.
func NormalizePath(pathOrURL string) (string, error) {
	given := withoutAuthority(pathOrURL)
	if end := strings.IndexAny(given, "?#"); end >= 0 {
		given = given[:end]
	}
	path := strings.TrimPrefix(strings.TrimRight(given, "/"), "/")
	if wrong := pathFault(path); wrong != "" {
		// Without authority, query and fragment, where passwords and tokens can stand.
		return "", newError(ErrInvalidPath, "the path %s %s: use one like `/cards/get`", quoted(given), wrong)
	}
	if _, isVersioned := cutVersion(path); isVersioned {
		return "/" + path, nil
	}
	return "/api/v1/" + path, nil
}

func withoutAuthority(text string) string {
	scheme, rest, found := strings.Cut(text, "://")
	if !found || !isScheme(scheme) {
		return text
	}
	if start := strings.IndexAny(rest, "/?#"); start >= 0 {
		return rest[start:]
	}
	return ""
}

func isScheme(text string) bool {
	for index, character := range []byte(text) {
		isLetter := 'a' <= character|0x20 && character|0x20 <= 'z'
		isOther := '0' <= character && character <= '9' || strings.IndexByte("+.-", character) >= 0
		if !isLetter && (index == 0 || !isOther) {
			return false
		}
	}
	return text != ""
}

// pathFault says what is wrong with a path that has no slash around it, or nothing.
func pathFault(path string) string {
	if rest, isVersion := cutVersion(path); path == "" || isVersion && rest == "" {
		return "names no endpoint"
	}
	for _, character := range []byte(path) {
		switch {
		case character == '%' || character == '\\':
			return "holds `%` or `\\`"
		case character < 0x21 || character > 0x7e:
			return "holds a character that is not printable ASCII"
		}
	}
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "":
			return "has an empty segment"
		case ".", "..":
			return "has a dot segment"
		}
	}
	return ""
}

// cutVersion cuts api/v<digits> off the start of a path, if that is a segment pair of its own.
func cutVersion(path string) (rest string, found bool) {
	digits, found := strings.CutPrefix(path, "api/v")
	if !found {
		return path, false
	}
	rest = strings.TrimLeft(digits, "0123456789")
	if len(rest) == len(digits) || rest != "" && rest[0] != '/' {
		return path, false
	}
	return rest, true
}
