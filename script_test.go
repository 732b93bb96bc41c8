package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// server is a ringback that runs in the background.
type server struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it ended
}

func (s *server) kill() {
	_ = s.cmd.Process.Kill() // it may have ended
	<-s.ended
}

// serve NAME ARGS… starts 'ringback serve ARGS…' with its log in NAME.log, waits
// until it is ready, and sets NAME_URL, NAME_ADDR and NAME_PID.
func cmdServe(ts *testscript.TestScript, _ bool, args []string) {
	b := benchOf(ts)
	name := args[0]
	address := filepath.Join(b.dir, ts.Getenv("RINGBACK_DATA_DIR"), "address")
	if err := os.Remove(address); err != nil && !os.IsNotExist(err) { // a killed one left it
		ts.Fatalf("%v", err)
	}
	log, err := os.OpenFile(ts.MkAbs(name+".log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	ts.Check(err)
	cmd := exec.Command(look(ts, "ringback"), append([]string{"serve"}, args[1:]...)...)
	cmd.Dir, cmd.Stderr = b.dir, log
	cmd.Env = environ(ts)
	ts.Check(cmd.Start())
	ts.Check(log.Close())
	s := &server{cmd: cmd, ended: make(chan struct{})}
	go func() { _ = cmd.Wait(); close(s.ended) }() // its state is asked for afterwards
	b.servers[name] = s
	url := ""
	ready := poll(func() bool {
		got, err := os.ReadFile(address)
		if err != nil {
			return over(s.ended)
		}
		url, _, _ = strings.Cut(string(got), "\n") // its second line is a key
		res, err := anyCertificate.Get(url + "/readyz")
		if err != nil {
			return over(s.ended)
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	if !ready || over(s.ended) {
		ts.Fatalf("%s is not ready; its log:\n%s", name, ts.ReadFile(name+".log"))
	}
	ts.Setenv(name+"_URL", url)
	ts.Setenv(name+"_ADDR", strings.TrimPrefix(url, "http://"))
	ts.Setenv(name+"_PORT", url[strings.LastIndexByte(url, ':')+1:])
	ts.Setenv(name+"_PID", fmt.Sprint(cmd.Process.Pid))
}

// anyCertificate is a client that takes every server for what it says it is.
var anyCertificate = &http.Client{Transport: &http.Transport{
	DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
}}

// certificate NAME SERIAL DAYS writes NAME.crt and NAME.key, a certificate of its
// own authority for ringback.example.com with that serial number.
func cmdCertificate(ts *testscript.TestScript, _ bool, args []string) {
	serial, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	days, err := strconv.Atoi(args[2])
	ts.Check(err)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(serial), IsCA: true, BasicConstraintsValid: true,
		DNSNames: []string{"ringback.example.com"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-90 * 24 * time.Hour), NotAfter: time.Now().Add(time.Duration(days) * 24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, private.Public(), private)
	ts.Check(err)
	pkcs, err := x509.MarshalPKCS8PrivateKey(private)
	ts.Check(err)
	for name, b := range map[string]*pem.Block{".crt": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "PRIVATE KEY", Bytes: pkcs}} {
		ts.Check(os.WriteFile(ts.MkAbs(args[0]+name), pem.EncodeToMemory(b), 0o600))
	}
}

// presents NAME SERIAL waits until a server's certificate has that number.
func cmdPresents(ts *testscript.TestScript, _ bool, args []string) {
	got := ""
	if !poll(func() bool {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(ts.Getenv(args[0]+"_URL"), "https://"), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			return false
		}
		defer conn.Close()
		got = conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
		return got == args[1]
	}) {
		ts.Fatalf("%s presents certificate %s, not %s", args[0], got, args[1])
	}
}

// logs NAME TIMES REGEXP waits until a server's log has that many lines that match.
func cmdLogs(ts *testscript.TestScript, _ bool, args []string) {
	want := regexp.MustCompile(`(?m)` + args[2])
	if !poll(func() bool {
		return fmt.Sprint(len(want.FindAllString(ts.ReadFile(args[0]+".log"), -1))) == args[1]
	}) {
		ts.Fatalf("the log of %s does not have %q %s times:\n%s", args[0], args[2], args[1], ts.ReadFile(args[0]+".log"))
	}
}

func over(ended <-chan struct{}) bool {
	select {
	case <-ended:
		return true
	default:
		return false
	}
}

// look returns where a program is on the script's PATH.
func look(ts *testscript.TestScript, name string) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	ts.Fatalf("%s is not on the PATH", name)
	return ""
}

// environ returns what of the script's environment a server gets.
func environ(ts *testscript.TestScript) (env []string) {
	for _, name := range []string{
		"PATH", "HOME", "TMPDIR", "GOCOVERDIR",
		"RINGBACK_HTTP_LISTEN", "RINGBACK_DATA_DIR", "RINGBACK_RETENTION_MIN_FREE_DISK", "RINGBACK_SMTP_PORT",
		"RINGBACK_HTTP_TLS_CERT", "RINGBACK_HTTP_TLS_KEY", "RINGBACK_KEY_FILE",
	} {
		if v := ts.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}

var signals = map[string]os.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL}

// signal NAME SIGNAL sends a signal to a server.
func cmdSignal(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(benchOf(ts).servers[args[0]].cmd.Process.Signal(signals[args[1]]))
}

// ended NAME CODE waits until a server ended with that code; -1: by a signal.
func cmdEnded(ts *testscript.TestScript, _ bool, args []string) {
	s := benchOf(ts).servers[args[0]]
	select {
	case <-s.ended:
	case <-time.After(patience):
		ts.Fatalf("%s does not end; its log:\n%s", args[0], ts.ReadFile(args[0]+".log"))
	}
	if got := fmt.Sprint(s.cmd.ProcessState.ExitCode()); got != args[1] {
		ts.Fatalf("%s ended with %s, not %s; its log:\n%s", args[0], got, args[1], ts.ReadFile(args[0]+".log"))
	}
}

// eventually REGEXP PROGRAM ARGS… runs a program until its standard output
// matches.
func cmdEventually(ts *testscript.TestScript, _ bool, args []string) {
	want := regexp.MustCompile(`(?m)` + args[0])
	var got bytes.Buffer
	if !poll(func() bool {
		got.Reset()
		cmd := exec.Command(look(ts, args[1]), args[2:]...)
		cmd.Dir, cmd.Env, cmd.Stdout = benchOf(ts).dir, environ(ts), &got
		return cmd.Run() == nil && want.Match(got.Bytes())
	}) {
		ts.Fatalf("%v does not print %q; it last printed:\n%s", args[1:], args[0], &got)
	}
}

// api NAME METHOD PATH [BODY] makes a request of a server, with the key in the
// file that API_KEY_FILE names, and prints the status code, and what was answered.
func cmdAPI(ts *testscript.TestScript, _ bool, args []string) {
	var body io.Reader
	if len(args) > 3 {
		body = strings.NewReader(args[3])
	}
	r, err := http.NewRequest(args[1], ts.Getenv(args[0]+"_URL")+args[2], body)
	ts.Check(err)
	r.Header.Set("Content-Type", "application/json")
	if file := ts.Getenv("API_KEY_FILE"); file != "" {
		r.Header.Set("X-Api-Key", strings.TrimSpace(ts.ReadFile(file)))
	}
	res, err := anyCertificate.Do(r)
	ts.Check(err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%d\n%s\n", res.StatusCode, answer)
}

// answers NAME PATH STATUS waits until a server answers a GET with that status.
func cmdAnswers(ts *testscript.TestScript, _ bool, args []string) {
	got := 0
	if !poll(func() bool {
		res, err := anyCertificate.Get(ts.Getenv(args[0]+"_URL") + args[1])
		if err != nil {
			return false
		}
		res.Body.Close()
		got = res.StatusCode
		return fmt.Sprint(got) == args[2]
	}) {
		ts.Fatalf("%s answers %d, not %s", args[1], got, args[2])
	}
}

// setid VARIABLE FILE sets a variable to the id of the first call or alert in a list,
// as JSON.
func cmdSetID(ts *testscript.TestScript, _ bool, args []string) {
	var list struct{ Calls, Alerts []struct{ ID string } }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &list))
	rows := append(list.Calls, list.Alerts...)
	if len(rows) == 0 {
		ts.Fatalf("there is no call or alert in %s", args[1])
	}
	ts.Setenv(args[0], rows[0].ID)
}
