package config

// Flags are the command line's values; nil = not given. The tags are kong's.
// The names match the settings table, which knows the variables.
type Flags struct {
	Config  *string `short:"c" placeholder:"FILE" group:"Files" help:"Settings and seed file. Default: tollgate.toml if there is one." var:"TOLLGATE_CONFIG"`
	DataDir *string `placeholder:"DIR" group:"Files" help:"Folder for the database, the key file and the control socket. Default: ./data." var:"TOLLGATE_DATA_DIR"`
	DSN     *string `name:"dsn" placeholder:"URL" group:"Files" help:"Database: sqlite://PATH or postgres://… . Default: tollgate.db in the data folder." var:"TOLLGATE_DSN"`

	DatabaseSecretKey         *string `placeholder:"KEY" group:"Files" help:"Master key of the data at rest, at least 16 bytes. Default: the file secret.key in the data folder." var:"DATABASE_SECRET_KEY"`
	DatabaseSecretKeyPrevious *string `placeholder:"KEY" group:"Files" help:"The former master key, while it is being replaced." var:"DATABASE_SECRET_KEY_PREVIOUS"`

	Host           *string `placeholder:"ADDRESS" group:"Listening" help:"Listen address. Default: 127.0.0.1." var:"TOLLGATE_HOST"`
	Port           *string `placeholder:"PORT" group:"Listening" help:"Listen port; 0 = any free one. Default: 8787." var:"TOLLGATE_PORT"`
	TLSCert        *string `name:"tls-cert" placeholder:"FILE" group:"Listening" help:"Serve HTTPS with this PEM certificate." var:"TOLLGATE_TLS_CERT"`
	TLSKey         *string `name:"tls-key" placeholder:"FILE" group:"Listening" help:"The certificate's PEM key." var:"TOLLGATE_TLS_KEY"`
	AllowHTTP      *bool   `name:"allow-http" group:"Listening" help:"Serve plain HTTP on addresses other than loopback." var:"TOLLGATE_ALLOW_HTTP"`
	PublicURL      *string `name:"public-url" placeholder:"URL" group:"Listening" help:"External origin; links are built from it alone." var:"TOLLGATE_PUBLIC_URL"`
	TrustedProxies *string `placeholder:"CIDRS" group:"Listening" help:"Networks whose forwarding headers count." var:"TOLLGATE_TRUSTED_PROXIES"`
	AllowedHosts   *string `placeholder:"HOSTS" group:"Listening" help:"Host names the console answers to." var:"TOLLGATE_ALLOWED_HOSTS"`
	CORSOrigins    *string `name:"cors-origins" placeholder:"ORIGINS" group:"Listening" help:"Origins that browsers may call LLM routes from; * = all." var:"TOLLGATE_CORS_ORIGINS"`
	MetricsAddr    *string `placeholder:"HOST:PORT" group:"Listening" help:"Separate listener for /metrics." var:"TOLLGATE_METRICS_ADDR"`
	DrainTimeout   *string `placeholder:"DURATION" group:"Listening" help:"How long live requests may run on after SIGTERM. Default: 30s." var:"TOLLGATE_DRAIN_TIMEOUT"`

	AdminUser     *string `placeholder:"NAME" group:"First admin" help:"Name of the bootstrap admin. Default: admin." var:"TOLLGATE_ADMIN_USER"`
	AdminPassword *string `placeholder:"PASSWORD" group:"First admin" help:"Its password. Default: generated, shown once." var:"TOLLGATE_ADMIN_PASSWORD"`
	AdminAPIKey   *string `name:"admin-api-key" placeholder:"KEY" group:"First admin" help:"Its API key. Default: generated, shown once." var:"TOLLGATE_ADMIN_API_KEY"`

	Proxy    *string `placeholder:"URL" group:"Outside" help:"Outbound proxy to providers (http, https, socks5)." var:"TOLLGATE_PROXY"`
	RedisURL *string `name:"redis-url" placeholder:"URL" group:"Outside" hidden:"" help:"For many nodes; not served by this version." var:"TOLLGATE_REDIS_URL"`

	LogLevel  *string `placeholder:"LEVEL" group:"Logging" help:"debug, info, warn or error. Default: info." var:"TOLLGATE_LOG_LEVEL"`
	LogFormat *string `placeholder:"FORMAT" group:"Logging" help:"text or json. Default: text on a terminal, else json." var:"TOLLGATE_LOG_FORMAT"`

	DSNFile                       *string `name:"dsn-file" hidden:"" placeholder:"FILE" group:"Files"`
	DatabaseSecretKeyFile         *string `hidden:"" placeholder:"FILE" group:"Files"`
	DatabaseSecretKeyPreviousFile *string `hidden:"" placeholder:"FILE" group:"Files"`
	AdminPasswordFile             *string `hidden:"" placeholder:"FILE" group:"First admin"`
	AdminAPIKeyFile               *string `name:"admin-api-key-file" hidden:"" placeholder:"FILE" group:"First admin"`
	ProxyFile                     *string `hidden:"" placeholder:"FILE" group:"Outside"`
	RedisURLFile                  *string `name:"redis-url-file" hidden:"" placeholder:"FILE" group:"Outside"`

	Demo *bool `group:"Start" help:"Add a simulated provider named demo, so that requests work without any provider account."`
}
