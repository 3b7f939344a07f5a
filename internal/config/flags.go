package config

import "reflect"

// Flags are the command line's values; nil = not given. The tags are kong's;
// setting names the variable that the flag stands for, and with it the entry
// of the settings table.
type Flags struct {
	Config  *string `name:"config" short:"c" placeholder:"FILE" group:"files" setting:"TOLLGATE_CONFIG" help:"Settings and seed file (default: tollgate.toml, if there is one)."`
	DataDir *string `name:"data-dir" placeholder:"DIR" group:"files" setting:"TOLLGATE_DATA_DIR" help:"Folder of the database, the key file and the control socket (default: ./data)."`
	DSN     *string `name:"dsn" placeholder:"URL" group:"files" setting:"TOLLGATE_DSN" help:"Database, sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME (default: tollgate.db in the data folder)."`
	DSNFile *string `name:"dsn-file" hidden:"" placeholder:"FILE" setting:"TOLLGATE_DSN_FILE"`

	MasterKey       *string `name:"database-secret-key" placeholder:"KEY" group:"files" setting:"DATABASE_SECRET_KEY" help:"Master key of the data at rest, at least 16 bytes (default: the file secret.key in the data folder)."`
	MasterKeyFile   *string `name:"database-secret-key-file" placeholder:"FILE" group:"files" setting:"DATABASE_SECRET_KEY_FILE" help:"Read the master key from a file. Every secret has such a -file form."`
	PreviousKey     *string `name:"database-secret-key-previous" placeholder:"KEY" group:"files" setting:"DATABASE_SECRET_KEY_PREVIOUS" help:"The former master key, while tollgate rekey replaces it."`
	PreviousKeyFile *string `name:"database-secret-key-previous-file" hidden:"" placeholder:"FILE" setting:"DATABASE_SECRET_KEY_PREVIOUS_FILE"`

	Host           *string `name:"host" placeholder:"ADDRESS" group:"listen" setting:"TOLLGATE_HOST" help:"Listen address (default: 127.0.0.1)."`
	Port           *string `name:"port" short:"p" placeholder:"PORT" group:"listen" setting:"TOLLGATE_PORT" help:"Listen port; 0 takes a free one (default: 8787)."`
	TLSCert        *string `name:"tls-cert" placeholder:"FILE" group:"listen" setting:"TOLLGATE_TLS_CERT" help:"Serve HTTPS with this PEM certificate chain; read again when it changes."`
	TLSKey         *string `name:"tls-key" placeholder:"FILE" group:"listen" setting:"TOLLGATE_TLS_KEY" help:"PEM key of the certificate."`
	AllowHTTP      *bool   `name:"allow-http" group:"listen" setting:"TOLLGATE_ALLOW_HTTP" help:"Serve plain HTTP on an address other than loopback, as behind a TLS proxy."`
	PublicURL      *string `name:"public-url" placeholder:"URL" group:"listen" setting:"TOLLGATE_PUBLIC_URL" help:"Origin that users see, such as https://llm.example.com."`
	TrustedProxies *string `name:"trusted-proxies" placeholder:"CIDRS" group:"listen" setting:"TOLLGATE_TRUSTED_PROXIES" help:"Networks whose forwarding headers count, separated by commas."`
	AllowedHosts   *string `name:"allowed-hosts" placeholder:"HOSTS" group:"listen" setting:"TOLLGATE_ALLOWED_HOSTS" help:"Host names that the console answers to."`
	CORSOrigins    *string `name:"cors-origins" placeholder:"ORIGINS" group:"listen" setting:"TOLLGATE_CORS_ORIGINS" help:"Origins from which browsers may call the LLM routes; * for all."`
	MetricsAddr    *string `name:"metrics-addr" placeholder:"HOST:PORT" group:"listen" setting:"TOLLGATE_METRICS_ADDR" help:"Serve /metrics without sign-in on a listener of its own."`
	DrainTimeout   *string `name:"drain-timeout" placeholder:"DURATION" group:"listen" setting:"TOLLGATE_DRAIN_TIMEOUT" help:"How long live requests may run on after SIGTERM (default: 30s)."`

	AdminUser         *string `name:"admin-user" placeholder:"NAME" group:"admin" setting:"TOLLGATE_ADMIN_USER" help:"Name of the first admin (default: admin)."`
	AdminPassword     *string `name:"admin-password" placeholder:"PASSWORD" group:"admin" setting:"TOLLGATE_ADMIN_PASSWORD" help:"Its password (default: generated and shown once)."`
	AdminPasswordFile *string `name:"admin-password-file" hidden:"" placeholder:"FILE" setting:"TOLLGATE_ADMIN_PASSWORD_FILE"`
	AdminAPIKey       *string `name:"admin-api-key" placeholder:"KEY" group:"admin" setting:"TOLLGATE_ADMIN_API_KEY" help:"Its API key (default: generated and shown once)."`
	AdminAPIKeyFile   *string `name:"admin-api-key-file" hidden:"" placeholder:"FILE" setting:"TOLLGATE_ADMIN_API_KEY_FILE"`

	Proxy        *string `name:"proxy" placeholder:"URL" group:"run" setting:"TOLLGATE_PROXY" help:"Outbound proxy to the providers, http, https or socks5."`
	ProxyFile    *string `name:"proxy-file" hidden:"" placeholder:"FILE" setting:"TOLLGATE_PROXY_FILE"`
	RedisURL     *string `name:"redis-url" hidden:"" placeholder:"URL" setting:"TOLLGATE_REDIS_URL"`
	RedisURLFile *string `name:"redis-url-file" hidden:"" placeholder:"FILE" setting:"TOLLGATE_REDIS_URL_FILE"`
	LogLevel     *string `name:"log-level" placeholder:"LEVEL" group:"run" setting:"TOLLGATE_LOG_LEVEL" help:"debug, info, warn or error (default: info)."`
	LogFormat    *string `name:"log-format" placeholder:"FORMAT" group:"run" setting:"TOLLGATE_LOG_FORMAT" help:"text or json (default: text on a terminal, else json)."`
}

// values returns what was given, by variable name, with the flag as place.
func (f Flags) values() map[string]given {
	out := map[string]given{}
	v := reflect.ValueOf(f)
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		at := Place{Source: "--" + tag.Get("name")}
		switch p := v.Field(i).Interface().(type) {
		case *string:
			if p != nil {
				out[tag.Get("setting")] = given{text: *p, at: at, set: true}
			}
		case *bool:
			if p != nil && *p {
				out[tag.Get("setting")] = given{text: "true", at: at, set: true}
			} else if p != nil {
				out[tag.Get("setting")] = given{text: "false", at: at, set: true}
			}
		}
	}
	return out
}
