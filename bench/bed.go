package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// target is a running proxy that the load is put on.
type target struct {
	name string
	addr string
	pid  int
}

// bed is everything that runs beside the load generator.
type bed struct {
	dir            string
	key            string // the client key of the gateway
	upstream       string // address of the fake upstream
	nginx, gateway target
	// money is a gateway with every quota, prices and rate limits, bare one
	// without any of them and without lines in the log. nil pids until a case
	// asks for them.
	// stormed is one that people sign in to.
	money, bare, stormed target
	profile              string // where the gateway's CPU profile goes
	started              []*exec.Cmd
	feeds                []io.Closer // standard inputs held open
}

// startBed starts the fake upstream, nginx and the gateway.
func startBed(ctx context.Context, dir string, o options, progress io.Writer) (*bed, error) {
	b := &bed{dir: dir, key: "sk-bench-" + strings.ToLower(rand.Text())}
	err := errors.Join(os.Chmod(dir, 0o711), b.startUpstream())
	if err == nil {
		err = b.startNginx(ctx)
	}
	if err == nil {
		err = b.startGateways(ctx, o, progress)
	}
	if err != nil {
		err = fmt.Errorf("%w%s", err, b.tail())
		b.stop()
		return nil, err
	}
	return b, nil
}

// startUpstream runs this program once more as the fake upstream.
func (b *bed) startUpstream() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, roleUpstream)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := b.start(cmd); err != nil {
		return err
	}
	b.feeds = append(b.feeds, stdin)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return fmt.Errorf("the fake upstream said nothing: %w", err)
	}
	b.upstream = strings.TrimSpace(line)
	return nil
}

// startNginx runs the ruler: a plain reverse proxy that keeps connections open.
func (b *bed) startNginx(ctx context.Context) error {
	binary, err := exec.LookPath("nginx")
	if err != nil {
		binary = "/usr/sbin/nginx"
		if _, err := os.Stat(binary); err != nil {
			return errors.New("nginx is missing (Debian: nginx-light)")
		}
	}
	addr, err := freeAddr()
	if err != nil {
		return err
	}
	conf := filepath.Join(b.dir, "nginx.conf")
	if err := os.WriteFile(conf, []byte(nginxConf(b.dir, addr, b.upstream)), 0o600); err != nil {
		return err
	}
	cmd := exec.Command(binary, "-e", filepath.Join(b.dir, "nginx.log"), "-p", b.dir, "-c", conf)
	if err := b.logTo(cmd, "nginx.out"); err != nil {
		return err
	}
	b.nginx = target{name: "nginx", addr: addr}
	if err := b.start(cmd); err != nil {
		return err
	}
	b.nginx.pid = cmd.Process.Pid
	return waitFor(ctx, "nginx", func() error {
		conn, err := dial(addr)
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

func nginxConf(dir, addr, upstream string) string {
	return fmt.Sprintf(`worker_processes %d;
daemon off;
pid %[2]s/nginx.pid;
error_log %[2]s/nginx.log warn;
worker_rlimit_nofile 16000;
events { worker_connections 7000; }
http {
  access_log off;
  tcp_nodelay on;
  keepalive_timeout 300;
  keepalive_requests 100000000;
  client_max_body_size 64m;
  client_body_buffer_size 256k;
  client_body_temp_path %[2]s/body;
  proxy_temp_path %[2]s/proxy;
  fastcgi_temp_path %[2]s/fastcgi;
  uwsgi_temp_path %[2]s/uwsgi;
  scgi_temp_path %[2]s/scgi;
  upstream vendor {
    server %[4]s;
    keepalive 2048;
    keepalive_timeout 300;
    keepalive_requests 100000000;
  }
  server {
    listen %[3]s backlog=4096 reuseport;
    location / {
      proxy_pass http://vendor;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Authorization "Bearer sk-upstream";
      proxy_buffering off;
      proxy_read_timeout 300;
    }
  }
}
`, cores(), dir, addr, upstream)
}

// startGateways builds the binary, if it is not given, and runs it as it ships
// and, for the case that compares them, with all of its accounting and with the
// least that its settings allow.
func (b *bed) startGateways(ctx context.Context, o options, progress io.Writer) (err error) {
	binary := o.binary
	if binary == "" {
		say(progress, "building the gateway")
		binary = filepath.Join(b.dir, "tollgate")
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary)
		if o.profile != "" {
			build.Args = append(build.Args, "-tags", "profile")
			b.profile = o.profile
		}
		build.Args = append(build.Args, "./cmd/tollgate")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("building the gateway: %w\n%s", err, out)
		}
	}
	if b.gateway, err = b.startGateway(ctx, binary, "gateway", gatewayConf(b.upstream)); err != nil {
		return err
	}
	if slices.Contains(o.cases, caseStorm) {
		conf := "[server]\ntrusted_proxies = [\"127.0.0.1\"]\n" + gatewayConf(b.upstream) +
			strings.Replace(b.userConf(), "name = \"bench\"\n", fmt.Sprintf("name = \"bench\"\npassword = %q\n", stormPassword), 1)
		if b.stormed, err = b.startGateway(ctx, binary, "storm", conf); err != nil {
			return err
		}
	}
	if !slices.Contains(o.cases, caseMoney) {
		return nil
	}
	if b.money, err = b.startGateway(ctx, binary, "money", gatewayConf(b.upstream)+moneyConf()+b.userConf()); err != nil {
		return err
	}
	b.bare, err = b.startGateway(ctx, binary, "bare", "[logging]\nlevel = \"error\"\n"+gatewayConf(b.upstream)+b.userConf())
	return err
}

// startGateway runs the binary with one provider: the fake upstream.
func (b *bed) startGateway(ctx context.Context, binary, name, text string) (t target, err error) {
	addr, err := freeAddr()
	if err != nil {
		return t, err
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return t, err
	}
	conf := filepath.Join(b.dir, name+".toml")
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return t, err
	}
	cmd := exec.Command(binary)
	key := b.key
	if name != b.gateway.name && b.gateway.name != "" {
		key = "sk-admin-" + strings.ToLower(rand.Text()) // b.key is a user's there
	}
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + b.dir,
		"TOLLGATE_PORT=" + port, "TOLLGATE_DATA_DIR=" + filepath.Join(b.dir, "data-"+name), "TOLLGATE_CONFIG=" + conf,
		"TOLLGATE_ADMIN_API_KEY=" + key,
	}
	if b.profile != "" { // each gateway of such a build writes one; the first one's is wanted
		to := b.profile
		if b.gateway.name != "" {
			to = filepath.Join(b.dir, name+".pgo")
		}
		cmd.Env = append(cmd.Env, "TOLLGATE_CPU_PROFILE="+to)
	}
	if err := b.logTo(cmd, name+".log"); err != nil {
		return t, err
	}
	if err := b.start(cmd); err != nil {
		return t, err
	}
	t = target{name: name, addr: addr, pid: cmd.Process.Pid}
	probe := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	return t, waitFor(ctx, "the gateway ("+name+")", func() error {
		res, err := probe.Get("http://" + addr + "/readyz")
		if err != nil {
			return err
		}
		if err := res.Body.Close(); err != nil {
			return err
		}
		if res.StatusCode != http.StatusOK {
			return errors.New(res.Status)
		}
		return nil
	})
}

func gatewayConf(upstream string) string {
	return fmt.Sprintf(`[upstream]
allow_private = ["127.0.0.1/32:%s"]

[[providers]]
name = "bench"
kind = "openai-compatible"
base_url = "http://%s/v1"

[[providers.credentials]]
label = "a"
api_key = "sk-upstream"

[[models]]
provider_name = "bench"
model_id = %q
`, upstream[strings.LastIndexByte(upstream, ':')+1:], upstream, model)
}

// userConf is a user with the client key, whom quotas can be given to.
func (b *bed) userConf() string {
	return fmt.Sprintf(`
[[users]]
name = "bench"
[[users.keys]]
api_key = %q
label = "a"
[[permissions]]
user_name = "bench"
model_pattern = "*"
`, b.key)
}

// moneyConf is what a gateway has to account for with everything on: a price,
// quotas of the caller and of the gateway in two windows each, rate limits.
func moneyConf() string {
	return fmt.Sprintf(`price_input_tokens = 1.25
price_output_tokens = 10

[[quotas]]
user_name = "bench"
quota = 1000000
[[quotas]]
user_name = "bench"
window = "day"
quota = 1000000
[[quotas]]
scope = "instance"
quota = 1000000
[[quotas]]
scope = "instance"
window = "month"
quota = 1000000

[[rate_limits]]
user_name = "bench"
model_pattern = %q
rpm = 1000000000
total_tokens = 1000000000000
concurrency = 100000
`, model)
}

// logTo sends what cmd prints to a file of the bed's folder.
func (b *bed) logTo(cmd *exec.Cmd, name string) error {
	f, err := os.Create(filepath.Join(b.dir, name))
	if err != nil {
		return err
	}
	b.feeds = append(b.feeds, f)
	cmd.Stdout, cmd.Stderr = f, f
	return nil
}

func (b *bed) start(cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", filepath.Base(cmd.Path), err)
	}
	b.started = append(b.started, cmd)
	return nil
}

// stop ends every process, the last one started first.
func (b *bed) stop() {
	for _, cmd := range slices.Backward(b.started) {
		kill := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // its status says nothing: it was told to end
		kill.Stop()
	}
	for _, f := range b.feeds {
		_ = f.Close()
	}
}

// tail returns the last lines that nginx and the gateway printed, for an error.
func (b *bed) tail() string {
	var out strings.Builder
	for _, name := range []string{"nginx.log", "nginx.out", "gateway.log", "money.log", "bare.log", "storm.log"} {
		text, err := os.ReadFile(filepath.Join(b.dir, name))
		if err != nil || len(text) == 0 {
			continue
		}
		if len(text) > 1500 {
			text = text[len(text)-1500:]
		}
		fmt.Fprintf(&out, "\n--- %s\n%s", name, text)
	}
	return out.String()
}

// waitFor tries ready until it succeeds, for at most 30 s.
func waitFor(ctx context.Context, what string, ready func() error) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		err := ready()
		if err == nil {
			return nil
		}
		if sleepUntil(ctx, time.Now().Add(50*time.Millisecond)) != nil {
			return fmt.Errorf("%s did not answer: %w", what, err)
		}
	}
}

// freeAddr returns a loopback address that nothing listens on right now.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func cores() int { return runtime.NumCPU() }

// say prints a line of progress; a terminal that went away is no reason to stop.
func say(w io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(w, format+"\n", args...)
}
