package pdf

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"crypto/rand"
	"crypto/rc4"
	"fmt"
	"io"
)

// A method is how a crypt filter encrypts.
type method int

const (
	plain method = iota // Identity
	methodRC4
	methodAES128 // AESV2
	methodAES256 // AESV3
)

// A crypt is the standard security handler (ISO 32000-2, 7.6) with the file's key.
type crypt struct {
	key                     []byte
	revision                int
	permissions             int32
	strings, streams, files method
	filters                 map[Name]method
	encryptMetadata         bool
	dict                    Ref // of the encryption dictionary, zero where it is direct
	length                  int // of the key in bytes
	o, u, oe, ue, id        []byte
}

// Encrypted reports whether the file is encrypted, and the permission bits of /P.
func (f *File) Encrypted() (bool, int32) {
	if f.crypt == nil {
		return false, 0
	}
	return true, f.crypt.permissions
}

// decrypt sets up decryption where the trailer asks for it.
func (f *File) decrypt() error {
	f.crypt = nil
	enc := f.Trailer().Get("Encrypt")
	o, err := f.Resolve(enc)
	if err != nil {
		return err
	}
	if o == nil {
		if enc != nil {
			return damaged(f.sections[0].Offset, "/Encrypt leads to no object", nil)
		}
		return nil
	}
	d, ok := o.(*Dict)
	if !ok {
		return fmt.Errorf("%w: /Encrypt is not a dictionary", ErrEncrypted)
	}
	c := &crypt{}
	c.dict, _ = enc.(Ref)
	if err := c.read(f, d); err != nil {
		return err
	}
	if c.key = c.authenticate(f.opt.Password); c.key == nil {
		return fmt.Errorf("%w: neither the user's nor the owner's", ErrPassword)
	}
	f.crypt = c
	f.mu.Lock()
	f.cached = nil // what was decoded before may have been encrypted
	f.mu.Unlock()
	return nil
}

func (c *crypt) read(f *File, d *Dict) error {
	unsupported := func(what string, v any) error { return fmt.Errorf("%w: %s %v", ErrEncrypted, what, v) }
	integer := func(k Name, otherwise int64) int64 {
		o, _ := f.Resolve(d.Get(k))
		if n, ok := o.(int64); ok {
			return n
		}
		return otherwise
	}
	text := func(k Name) []byte {
		o, _ := f.Resolve(d.Get(k))
		if s, ok := o.(*String); ok {
			return s.Value
		}
		return nil
	}
	if n := d.Get("Filter"); n != Name("Standard") {
		return unsupported("/Filter", n)
	}
	v, r := integer("V", 0), integer("R", 0)
	c.revision = int(r)
	c.permissions = int32(uint32(integer("P", 0)))
	c.encryptMetadata = true
	if m, ok := d.Get("EncryptMetadata").(bool); ok {
		c.encryptMetadata = m
	}
	c.o, c.u, c.oe, c.ue = text("O"), text("U"), text("OE"), text("UE")
	if ids, err := f.Resolve(f.Trailer().Get("ID")); err == nil {
		if a, ok := ids.(*Array); ok && len(a.Items) > 0 {
			first, _ := f.Resolve(a.Items[0])
			if s, ok := first.(*String); ok {
				c.id = s.Value
			}
		}
	}
	need := 32
	switch {
	case v == 1 && (r == 2 || r == 3):
		c.length = 5
	case v == 2 && (r == 2 || r == 3):
		c.length = int(integer("Length", 40)) / 8
	case v == 4 && r == 4:
		c.length = 16
	case v == 5 && (r == 5 || r == 6):
		c.length, need = 32, 48
		if len(c.oe) < 32 || len(c.ue) < 32 {
			return unsupported("too short /OE or /UE of", fmt.Sprintf("/R %d", r))
		}
		c.oe, c.ue = c.oe[:32], c.ue[:32]
	default:
		return unsupported("version", fmt.Sprintf("/V %d /R %d", v, r))
	}
	if c.length < 5 || c.length > 16 && v < 5 {
		return unsupported("/Length", c.length*8)
	}
	if len(c.o) < need || len(c.u) < need {
		return unsupported("too short /O or /U of", fmt.Sprintf("/R %d", r))
	}
	c.o, c.u = c.o[:need], c.u[:need]
	c.strings, c.streams, c.files = methodRC4, methodRC4, methodRC4
	if v < 4 {
		return nil
	}
	return c.readFilters(f, d)
}

// readFilters reads /CF and the filters in use.
func (c *crypt) readFilters(f *File, d *Dict) error {
	c.filters = map[Name]method{"Identity": plain}
	cf, err := f.GetDict(d, "CF")
	if err != nil {
		return err
	}
	if cf != nil {
		for _, e := range cf.Entries {
			o, err := f.Resolve(e.Value)
			if err != nil {
				return err
			}
			m := plain
			switch cfm := asDict(o).Get("CFM"); {
			case cfm == nil || cfm == Name("None"):
			case cfm == Name("V2") && c.revision == 4:
				m = methodRC4
			case cfm == Name("AESV2") && c.revision == 4:
				m = methodAES128
			case cfm == Name("AESV3") && c.revision >= 5:
				m = methodAES256
			default:
				return fmt.Errorf("%w: /CFM %v with /R %d", ErrEncrypted, cfm, c.revision)
			}
			if e.Key != "Identity" {
				c.filters[e.Key] = m
			}
		}
	}
	pick := func(k Name, otherwise method) (method, error) {
		n, ok := d.Get(k).(Name)
		if !ok {
			return otherwise, nil
		}
		m, ok := c.filters[n]
		if !ok {
			return 0, fmt.Errorf("%w: /%s names the crypt filter %q, which /CF does not define", ErrEncrypted, k, n)
		}
		return m, nil
	}
	if c.strings, err = pick("StrF", plain); err != nil {
		return err
	}
	if c.streams, err = pick("StmF", plain); err != nil {
		return err
	}
	c.files, err = pick("EFF", c.streams)
	return err
}

// objectKey is the key of one object (ISO 32000-2, 7.6.3.2 and 7.6.3.3).
func (c *crypt) objectKey(r Ref, m method) []byte {
	if m == methodAES256 {
		return c.key
	}
	h := md5.New()
	h.Write(c.key)
	h.Write([]byte{byte(r.Num), byte(r.Num >> 8), byte(r.Num >> 16), byte(r.Gen), byte(r.Gen >> 8)})
	if m == methodAES128 {
		h.Write([]byte("sAlT"))
	}
	return h.Sum(nil)[:min(len(c.key)+5, 16)]
}

func (c *crypt) decrypt(r Ref, m method, b []byte) ([]byte, error) {
	if m == plain {
		return b, nil
	}
	return io.ReadAll(c.reader(r, m, bytes.NewReader(b)))
}

func (c *crypt) encrypt(r Ref, m method, b []byte) ([]byte, error) {
	switch m {
	case plain:
		return b, nil
	case methodRC4:
		out := make([]byte, len(b))
		k, err := rc4.NewCipher(c.objectKey(r, m))
		if err != nil {
			return nil, err
		}
		k.XORKeyStream(out, b)
		return out, nil
	}
	block, err := aes.NewCipher(c.objectKey(r, m))
	if err != nil {
		return nil, err
	}
	pad := 16 - len(b)%16
	out := make([]byte, 16+len(b)+pad)
	if _, err := rand.Read(out[:16]); err != nil {
		return nil, err
	}
	copy(out[16:], b)
	copy(out[16+len(b):], bytes.Repeat([]byte{byte(pad)}, pad))
	cipher.NewCBCEncrypter(block, out[:16]).CryptBlocks(out[16:], out[16:])
	return out, nil
}

// reader decrypts what it reads.
func (c *crypt) reader(r Ref, m method, in io.Reader) io.Reader {
	switch m {
	case plain:
		return in
	case methodRC4:
		k, err := rc4.NewCipher(c.objectKey(r, m))
		if err != nil {
			return failing{err}
		}
		return cipher.StreamReader{S: k, R: in}
	}
	block, err := aes.NewCipher(c.objectKey(r, m))
	if err != nil {
		return failing{err}
	}
	return &cbcReader{block: block, in: in}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// A cbcReader decrypts AES-CBC data with the initialisation vector in front and padding at the end.
type cbcReader struct {
	block cipher.Block
	in    io.Reader
	mode  cipher.BlockMode
	buf   [4096]byte
	ready []byte // decrypted
	held  []byte // decrypted, but perhaps the last block
	err   error
}

func (a *cbcReader) Read(b []byte) (int, error) {
	for len(a.ready) == 0 {
		if a.err != nil {
			return 0, a.err
		}
		a.fill()
	}
	n := copy(b, a.ready)
	a.ready = a.ready[n:]
	return n, nil
}

func (a *cbcReader) fill() {
	if a.mode == nil {
		iv := make([]byte, 16)
		n, err := io.ReadFull(a.in, iv)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			err = io.EOF
			if n > 0 {
				err = fmt.Errorf("%w: AES data of %d bytes", ErrSyntax, n)
			}
		}
		if a.err = err; err != nil {
			return
		}
		a.mode = cipher.NewCBCDecrypter(a.block, iv)
	}
	held := copy(a.buf[:], a.held)
	n, err := io.ReadFull(a.in, a.buf[held:])
	more := err == nil
	if !more && err != io.EOF && err != io.ErrUnexpectedEOF {
		a.err = err
		return
	}
	n -= n % 16 // an odd end is left out, as other readers do
	b := a.buf[held : held+n]
	a.mode.CryptBlocks(b, b)
	b = a.buf[:held+n]
	if more {
		a.ready = b[:len(b)-16]
		a.held = bytes.Clone(b[len(b)-16:])
		return
	}
	a.err = io.EOF
	if len(b) > 0 {
		if pad := int(b[len(b)-1]); pad >= 1 && pad <= 16 {
			b = b[:len(b)-pad]
		}
	}
	a.ready = b
}

// decryptStrings decrypts the strings of an object as it was read from the file.
func (c *crypt) decryptStrings(o *Indirect) error {
	if c.strings == plain || c.dict.Num != 0 && o.Ref == c.dict {
		return nil
	}
	if st, ok := o.Value.(*Stream); ok && st.Dict.Get("Type") == Name("XRef") {
		return nil
	}
	return c.walkStrings(o.Ref, o.Value)
}

func (c *crypt) walkStrings(r Ref, o Object) error {
	switch v := o.(type) {
	case *String:
		b, err := c.decrypt(r, c.strings, v.Value)
		if err != nil {
			return err
		}
		v.Value = b
	case *Array:
		for _, e := range v.Items {
			if err := c.walkStrings(r, e); err != nil {
				return err
			}
		}
	case *Stream:
		return c.walkStrings(r, v.Dict)
	case *Dict:
		sig := isSignature(v)
		for _, e := range v.Entries {
			if sig && e.Key == "Contents" {
				continue
			}
			if err := c.walkStrings(r, e.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

// isSignature tells a signature dictionary, whose /Contents is never encrypted (ISO 32000-2, 7.6.2).
func isSignature(d *Dict) bool {
	if t := d.Get("Type"); t == Name("Sig") || t == Name("DocTimeStamp") {
		return true
	}
	_, hex := d.Get("Contents").(*String)
	return hex && d.Get("ByteRange") != nil
}

// decryptStream gives the stream's data as its filters want it; named is the filter its own /Crypt names.
func (c *crypt) decryptStream(r io.Reader, s *Stream, named Name) (io.Reader, error) {
	m := c.streams
	switch typ := s.Dict.Get("Type"); {
	case typ == Name("XRef"):
		m = plain
	case named != "" && c.filters != nil:
		var ok bool
		if m, ok = c.filters[named]; !ok {
			return nil, fmt.Errorf("%w: stream at %d: unknown crypt filter %q", ErrEncrypted, s.Offset, named)
		}
	case typ == Name("Metadata") && !c.encryptMetadata && c.revision >= 4:
		m = plain
	case typ == Name("EmbeddedFile"):
		m = c.files
	}
	return c.reader(s.Ref, m, r), nil
}

// EncryptString and EncryptStream encrypt new content of object r as the file asks; they return b as it is where the file
// is not encrypted.
func (f *File) EncryptString(r Ref, b []byte) ([]byte, error) {
	if f.crypt == nil {
		return b, nil
	}
	return f.crypt.encrypt(r, f.crypt.strings, b)
}

// EncryptStream encrypts the encoded data of a new stream; see EncryptString.
func (f *File) EncryptStream(r Ref, b []byte) ([]byte, error) {
	if f.crypt == nil {
		return b, nil
	}
	return f.crypt.encrypt(r, f.crypt.streams, b)
}
