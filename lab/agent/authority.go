package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// authority is a CA of istiod's: its key, and what stands above it.
type authority struct {
	key         []byte
	certificate *x509.Certificate
	// From the CA's own certificate up, without the root.
	chain []*x509.Certificate
	root  *x509.Certificate
}

// newAuthority takes PEM; the root is what signs itself among `above`, not what has issued the
// certificate, as there may be another CA between.
func newAuthority(key, certificate string, above []string) (*authority, error) {
	all, err := certificatesIn([]byte(certificate + "\n" + strings.Join(above, "\n")))
	if err != nil {
		return nil, err
	}
	made := &authority{key: []byte(strings.TrimSpace(key) + "\n"), certificate: all[0]}
	for _, each := range all {
		if each.CheckSignatureFrom(each) == nil {
			made.root = each
		} else if !has(made.chain, each) {
			made.chain = append(made.chain, each)
		}
	}
	if made.root == nil {
		return nil, errors.New("Vault's answer does not go up to a root")
	}
	return made, made.check()
}

func (a *authority) check() error {
	if _, err := tls.X509KeyPair(inPem(a.certificate), a.key); err != nil {
		return err
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(a.root)
	for _, each := range a.chain[1:] {
		between.AddCert(each)
	}
	_, err := a.certificate.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return err
}

// renewal returns when that share of the lifetime is left.
func (a *authority) renewal(ratio float64) time.Time {
	lifetime := a.certificate.NotAfter.Sub(a.certificate.NotBefore)
	return a.certificate.NotAfter.Add(-time.Duration(ratio * float64(lifetime)))
}

// folder is where istiod reads its CA from.
type folder string

const (
	keyFile         = "ca-key.pem"
	certificateFile = "ca-cert.pem"
	chainFile       = "cert-chain.pem"
	rootFile        = "root-cert.pem"
)

// read returns what `write` has written.
func (f folder) read() (*authority, error) {
	content := map[string][]byte{}
	for _, name := range []string{keyFile, certificateFile, chainFile, rootFile} {
		found, err := os.ReadFile(filepath.Join(string(f), name))
		if err != nil {
			return nil, err
		}
		content[name] = found
	}
	// The root that signs comes first.
	block, _ := pem.Decode(content[rootFile])
	if block == nil {
		return nil, fmt.Errorf("%s holds no certificate", rootFile)
	}
	root := string(pem.EncodeToMemory(block))
	return newAuthority(string(content[keyFile]), string(content[certificateFile]), []string{string(content[chainFile]), root})
}

// write puts the four files there, and tells whether one has changed. istiod looks at the folder a
// tenth of a second after the first change.
func (f folder) write(held *authority, passive []*x509.Certificate) (bool, error) {
	roots := []*x509.Certificate{held.root}
	for _, each := range passive {
		if !has(roots, each) {
			roots = append(roots, each)
		}
	}
	contents := []struct {
		name    string
		content []byte
	}{
		{keyFile, held.key},
		{certificateFile, inPem(held.certificate)},
		{chainFile, inPem(held.chain...)},
		{rootFile, inPem(roots...)},
	}
	var changed []string
	for _, each := range contents {
		path := filepath.Join(string(f), each.name)
		present, err := os.ReadFile(path)
		if err == nil && bytes.Equal(present, each.content) {
			continue
		}
		if err := os.WriteFile(partial(path), each.content, 0o600); err != nil {
			return false, err
		}
		changed = append(changed, path)
	}
	for _, path := range changed {
		if err := os.Rename(partial(path), path); err != nil {
			return true, err
		}
	}
	return len(changed) > 0, nil
}

func partial(path string) string {
	folder, name := filepath.Split(path)
	return filepath.Join(folder, "."+name+".partial")
}

func certificatesIn(content []byte) ([]*x509.Certificate, error) {
	var found []*x509.Certificate
	for block, rest := pem.Decode(content); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		found = append(found, certificate)
	}
	if len(found) == 0 {
		return nil, errors.New("there is no certificate")
	}
	return found, nil
}

func inPem(certificates ...*x509.Certificate) []byte {
	var content bytes.Buffer
	for _, each := range certificates {
		content.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: each.Raw}))
	}
	return content.Bytes()
}

func has(certificates []*x509.Certificate, wanted *x509.Certificate) bool {
	for _, each := range certificates {
		if each.Equal(wanted) {
			return true
		}
	}
	return false
}
