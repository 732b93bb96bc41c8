package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

const (
	envPrefix = "RINGBACK_"
	// keyFile is a variable of the command line: it names the file of an API key.
	keyFile = envPrefix + "KEY_FILE"
	// maxFile bounds a configuration file; a longer one is something else.
	maxFile = 1 << 20
)

// searched are the files read when the command line names none; the first that
// exists is the only one read.
var searched = []string{"./config.toml", "/etc/ringback/config.toml"}

// Source tells where a configuration came from.
type Source struct {
	Path string // the file read, or empty when there was none
	set  map[string]place
}

// Of returns where the value of a key ("section.key") was set: "file:line:col",
// the name of a variable, or "default".
func (s Source) Of(name string) string {
	at, ok := s.set[name]
	switch {
	case !ok:
		return "default"
	case at.env != "":
		return at.env
	}
	return fmt.Sprintf("%s:%d:%d", visible(s.Path), at.line, at.col)
}

// Load reads the configuration: the defaults, over them the file, over it the
// variables RINGBACK_SECTION_KEY of environ (as os.Environ gives them; lists are
// comma separated). When explicit is set, or path is not empty, path is the only
// file read, and with explicit it must exist; else ./config.toml and
// /etc/ringback/config.toml are tried, and it is fine when neither exists.
//
// An error is always an [*Error] with every fault found, and the Config beside
// it the default one. The files that the
// configuration names are not looked at: see [Config.CheckFiles].
func Load(path string, explicit bool, environ []string) (Config, Source, error) {
	paths := searched
	if explicit || path != "" {
		paths = []string{path}
	}
	return load(paths, explicit, environ)
}

func load(paths []string, explicit bool, environ []string) (Config, Source, error) {
	for _, path := range paths {
		data, err := readFile(path)
		if errors.Is(err, fs.ErrNotExist) && !explicit {
			continue
		}
		if err != nil {
			return Default(), Source{Path: path}, &Error{Faults: []Fault{{
				File: cmp.Or(visible(path), `""`), Problem: reason(err), Want: "a configuration file",
			}}}
		}
		return build(path, data, environ)
	}
	return build("", nil, environ)
}

// build lays what a file says, and then the environment, over the defaults.
func build(path string, data []byte, environ []string) (Config, Source, error) {
	cfg := Default()
	src := Source{Path: path, set: map[string]place{}}
	r := &reading{cfg: &cfg, file: visible(path), set: src.set, bad: map[string]bool{}}
	readDocument(r, data)
	readEnviron(r, environ)
	for _, f := range validate(&cfg, r.bad) {
		r.faults = append(r.faults, src.blame(f))
	}
	if err := failure(r.faults); err != nil {
		return Default(), src, err
	}
	return cfg, src, nil
}

// blame adds to a fault the place where its key was set, or, when nobody set
// it, the place of a key that it does not go with.
func (s Source) blame(f invalidity) Fault {
	for _, name := range append([]string{f.Key}, f.with...) {
		at, ok := s.set[name]
		if !ok {
			continue
		}
		if at.env != "" {
			f.Env = at.env
		} else {
			f.File, f.Line, f.Col = visible(s.Path), at.line, at.col
		}
		break
	}
	return f.Fault
}

// reading is what the file and the environment have given so far.
type reading struct {
	cfg    *Config
	file   string           // as faults name it
	set    map[string]place // where each key was set last
	bad    map[string]bool  // keys with a fault: not validated
	faults []Fault
}

// give assigns v to k and records what is wrong with it.
func (r *reading) give(k key, at place, v value) {
	r.set[k.name] = at
	for _, f := range assign(k.field(r.cfg).Addr().Interface(), v) {
		r.bad[k.name] = true
		fault := Fault{Key: k.name, Problem: f.problem, Want: limits[k.name].want}
		if f.at.env != "" {
			fault.Env = f.at.env
		} else {
			fault.File, fault.Line, fault.Col = r.file, f.at.line, f.at.col
		}
		r.faults = append(r.faults, fault)
	}
}

func readEnviron(r *reading, environ []string) {
	seen := map[string]bool{}
	for _, kv := range environ {
		name, text, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, envPrefix) || serviceLink(name) || name == keyFile {
			continue
		}
		fault := Fault{Env: visible(name)}
		k, ok := byEnv[name]
		switch {
		case !ok:
			fault.Problem = "is not a variable of ringback"
			fault.Want = known("variable", nearestEnv(name))
		case seen[name]:
			fault.Key, fault.Problem, fault.Want = k.name, "is set twice", "each variable once"
		default:
			seen[name] = true
			at := place{env: name}
			delete(r.bad, k.name) // what the file says no longer counts; its fault is still told
			r.give(k, at, value{kind: loose, text: text, at: at})
			continue
		}
		r.faults = append(r.faults, fault)
	}
}

// serviceLink tells the variables that Kubernetes and Docker set in every
// container when a service is called "ringback"; nobody wrote them for us.
func serviceLink(name string) bool {
	rest := strings.TrimPrefix(name, envPrefix)
	switch {
	case rest == "PORT", rest == "SERVICE_HOST", rest == "SERVICE_PORT", strings.HasPrefix(rest, "SERVICE_PORT_"):
		return true
	}
	port, ok := strings.CutPrefix(rest, "PORT_")
	if !ok {
		return false
	}
	number, proto, _ := strings.Cut(port, "_")
	_, err := strconv.ParseUint(number, 10, 16)
	return err == nil && (strings.HasPrefix(proto, "TCP") || strings.HasPrefix(proto, "UDP"))
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, errFolder
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = errors.New("is larger than " + ByteSize(maxFile).String())
	}
	return data, err
}

var errFolder = errors.New("is a folder")

// reason words an error of the file system for a sentence begun with the path.
func reason(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "does not exist"
	case errors.Is(err, fs.ErrPermission):
		return "may not be read by this user"
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		return "cannot be read: " + visible(p.Err.Error())
	}
	return visible(err.Error())
}
