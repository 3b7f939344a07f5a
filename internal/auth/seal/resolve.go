package seal

import (
	"slices"
	"strings"

	"tollgate"
)

// MinMasterLength is the least length of DATABASE_SECRET_KEY, in bytes.
const MinMasterLength = 16

// KeyFileName is the name of the generated key file in the data dir.
const KeyFileName = "secret.key"

// Given is what the operator set and what the database remembers.
type Given struct {
	// Env and EnvPrevious are DATABASE_SECRET_KEY and DATABASE_SECRET_KEY_PREVIOUS;
	// Set is true when the variable exists, also when it is empty.
	Env, EnvPrevious tollgate.Opt[tollgate.Secret]
	// KeyFile is the path of the key file.
	KeyFile string
	// NewDatabase is true when there is no database yet, or an empty one.
	NewDatabase bool
	// Meta reads the Meta table of an existing database; unused for a new one.
	Meta func(name string) ([]byte, bool)
}

// Master is the master key that a start is to use.
type Master struct {
	Key      tollgate.Secret
	Previous tollgate.Secret // also accepted, while a rekey is under way
	Source   Source
	// Create is true when Key was not found but must be made: call
	// [Master.WriteKeyFile] before the database is created.
	Create  bool
	KeyFile string
}

func (m Master) describe() string {
	if m.Source == SourceEnv {
		return "DATABASE_SECRET_KEY"
	}
	return "the key file " + m.KeyFile
}

// ResolveMaster decides which master key to use (CONTRACT 3). It reads the key
// file but writes nothing: a start that it refuses has changed nothing.
// Errors are CodeInvalid and say what to do.
func ResolveMaster(in Given) (Master, error) {
	if err := checkEnv("DATABASE_SECRET_KEY", in.Env); err != nil {
		return Master{}, err
	}
	if err := checkEnv("DATABASE_SECRET_KEY_PREVIOUS", in.EnvPrevious); err != nil {
		return Master{}, err
	}
	if in.NewDatabase || !sealed(in.Meta) {
		return resolveNew(in)
	}
	source, _ := in.Meta(MetaSource)
	switch Source(source) {
	case SourceFile:
		return resolveFile(in)
	case SourceEnv:
		return resolveEnv(in)
	default:
		return Master{}, tollgate.Errorf(tollgate.CodeInvalid, "the database does not say where its master key comes from; restore a backup of it")
	}
}

// sealed reports whether any record of a root key is there. A database that
// was created but killed before its first record has none.
func sealed(meta func(name string) ([]byte, bool)) bool {
	for _, name := range []string{MetaSalt, MetaRoot, MetaCanary, MetaSource} {
		if _, ok := meta(name); ok {
			return true
		}
	}
	return false
}

func resolveNew(in Given) (Master, error) {
	if key, ok := in.Env.Given(); ok {
		return Master{Key: key, Source: SourceEnv, KeyFile: in.KeyFile}, nil
	}
	key, found, err := ReadKeyFile(in.KeyFile)
	if err != nil {
		return Master{}, err
	}
	return Master{Key: key, Source: SourceFile, Create: !found, KeyFile: in.KeyFile}, nil
}

// resolveFile serves a database whose master key is in the key file.
func resolveFile(in Given) (Master, error) {
	key, found, err := ReadKeyFile(in.KeyFile)
	if err != nil {
		return Master{}, err
	}
	if env, ok := in.Env.Given(); ok {
		if !rekeying(in.Meta) {
			return Master{}, tollgate.Errorf(tollgate.CodeInvalid,
				"DATABASE_SECRET_KEY is set, but this database uses the key file %s; run `tollgate rekey` to change its master key, or unset the variable", in.KeyFile)
		}
		return Master{Key: env, Previous: key, Source: SourceEnv, KeyFile: in.KeyFile}, nil
	}
	if !found {
		return Master{}, tollgate.Errorf(tollgate.CodeInvalid,
			"the key file %s is missing; without it this database cannot be opened: put it back (it is not inside backups)", in.KeyFile)
	}
	return Master{Key: key, Source: SourceFile, KeyFile: in.KeyFile}, nil
}

// resolveEnv serves a database whose master key is DATABASE_SECRET_KEY.
func resolveEnv(in Given) (Master, error) {
	m := Master{Source: SourceEnv, KeyFile: in.KeyFile}
	key, ok := in.Env.Given()
	if !ok {
		if rekeying(in.Meta) { // on its way to a key file
			if file, found, err := ReadKeyFile(in.KeyFile); err != nil || found {
				return Master{Key: file, Source: SourceFile, KeyFile: in.KeyFile}, err
			}
		}
		return Master{}, tollgate.Errorf(tollgate.CodeInvalid,
			"this database was encrypted with DATABASE_SECRET_KEY; set it (`tollgate rekey` changes the master key)")
	}
	m.Key = key
	m.Previous, _ = in.EnvPrevious.Given()
	return m, nil
}

// rekeying reports whether two master keys open the database.
func rekeying(meta func(name string) ([]byte, bool)) bool {
	packed, _ := meta(MetaRoot)
	wraps, err := decodeWraps(packed)
	return err == nil && len(wraps) > 1
}

func checkEnv(name string, v tollgate.Opt[tollgate.Secret]) error {
	key, ok := v.Given()
	if !ok {
		return nil
	}
	return CheckMaster(name, key)
}

// CheckMaster checks a master key that an operator chose; name says where.
// Errors are CodeInvalid.
func CheckMaster(name string, key tollgate.Secret) error {
	switch s := key.Reveal(); {
	case s == "":
		return tollgate.Errorf(tollgate.CodeInvalid, "%s is set but empty; give it at least %d bytes or unset it", name, MinMasterLength)
	case len(s) < MinMasterLength:
		return tollgate.Errorf(tollgate.CodeInvalid, "%s has %d bytes; it needs at least %d", name, len(s), MinMasterLength)
	case Published(s):
		return tollgate.Errorf(tollgate.CodeInvalid, "%s is an example value that anyone can read; make one with `openssl rand -base64 32`", name)
	}
	return nil
}

// Published reports whether s is a value out of documentation rather than a
// secret: a phrase that stands in examples, or one character over and over.
// Only whole values count: a secret may hold any word.
func Published(s string) bool {
	plain := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == ' ' || r == '.' {
			return -1
		}
		return r
	}, strings.ToLower(s))
	distinct := map[rune]bool{}
	for _, r := range plain {
		distinct[r] = true
	}
	return len(distinct) < 4 ||
		slices.ContainsFunc([]string{"changeme", "changethis", "replaceme", "replacewith", "yoursecret", "youraccesskey", "yourmasterkey", "yourdatabase"},
			func(opening string) bool { return strings.HasPrefix(plain, opening) }) ||
		slices.Contains([]string{"mysecretkey", "databasesecretkey", "alongrandomstring", "plainorargon2phc"}, plain)
}
