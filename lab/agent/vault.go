package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"
)

const timeout = 30 * time.Second

// vault is the one that a policy names.
type vault struct {
	client     *api.Client
	credential func() (string, error)
}

func newVault(request *request, bundle []byte, credential func() (string, error)) (*vault, error) {
	config := api.DefaultConfig()
	if config.Error != nil {
		return nil, config.Error
	}
	config.Address, config.Timeout = request.server, timeout
	if len(bundle) > 0 {
		if err := config.ConfigureTLS(&api.TLSConfig{CACertBytes: bundle}); err != nil {
			return nil, err
		}
	}
	client, err := api.NewClient(config)
	if err != nil {
		return nil, err
	}
	if request.Namespace != "" {
		client.SetNamespace(request.Namespace)
	}
	return &vault{client, credential}, nil
}

// issue has a CA made and signed as the policy says.
func (v *vault) issue(ctx context.Context, request *request, place istiod) (*authority, error) {
	if err := v.logIn(ctx, request); err != nil {
		return nil, err
	}
	defer v.client.ClearToken()
	subject := map[string]any{
		"common_name":  place.deployment + "." + place.namespace,
		"organization": request.organization,
		"uri_sans":     fmt.Sprintf("spiffe://cluster.local/ns/%s/sa/%s", place.namespace, place.deployment),
	}
	made, err := v.write(ctx, request.csrPath, with(subject, map[string]any{"key_type": "rsa", "key_bits": request.keyBits}))
	if err != nil {
		return nil, err
	}
	signing := map[string]any{"csr": made["csr"], "ttl": fmt.Sprintf("%.0fs", request.lifetime().Seconds())}
	signed, err := v.write(ctx, request.caPath, with(subject, signing))
	if err != nil {
		return nil, err
	}
	return newAuthority(text(made["private_key"]), text(signed["certificate"]), texts(signed["ca_chain"]))
}

// signing returns the CA that signs at the policy's path, which takes no token; nil where the path
// does not tell.
func (v *vault) signing(ctx context.Context, request *request) (*x509.Certificate, error) {
	mount, isRoot := strings.CutSuffix(request.caPath, "/root/sign-intermediate")
	if !isRoot {
		return nil, nil
	}
	path := mount + "/cert/ca"
	found, err := v.client.Logical().ReadWithContext(ctx, path)
	if err != nil {
		return nil, told(path, err)
	}
	if found == nil {
		return nil, fmt.Errorf("%s: there is no CA", path)
	}
	all, err := certificatesIn([]byte(text(found.Data["certificate"])))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return all[0], nil
}

func (v *vault) logIn(ctx context.Context, request *request) error {
	credential, err := v.credential()
	if err != nil {
		return err
	}
	auth := request.KubernetesAuth
	if auth == nil {
		v.client.SetToken(credential)
		return nil
	}
	path := strings.TrimPrefix(auth.MountPath, "/v1/") + "/login"
	answer, err := v.client.Logical().WriteWithContext(ctx, path, map[string]any{"role": auth.Role, "jwt": credential})
	if err != nil {
		return told(path, err)
	}
	if answer == nil || answer.Auth == nil {
		return fmt.Errorf("%s: Vault gives no token", path)
	}
	v.client.SetToken(answer.Auth.ClientToken)
	return nil
}

func (v *vault) write(ctx context.Context, path string, values map[string]any) (map[string]any, error) {
	answer, err := v.client.Logical().WriteWithContext(ctx, path, values)
	if err != nil {
		return nil, told(path, err)
	}
	if answer == nil {
		return nil, fmt.Errorf("%s: Vault answers nothing", path)
	}
	for _, warning := range answer.Warnings {
		slog.Warn(fmt.Sprintf("Vault says of %s: %s", path, warning))
	}
	return answer.Data, nil
}

// told says in a line what Vault refuses.
func told(path string, err error) error {
	var refused *api.ResponseError
	if errors.As(err, &refused) {
		status := http.StatusText(refused.StatusCode)
		return fmt.Errorf("Vault refuses %s: %d %s: %s", path, refused.StatusCode, status, strings.Join(refused.Errors, "; "))
	}
	return fmt.Errorf("%s: %w", path, err)
}

func with(values, further map[string]any) map[string]any {
	all := map[string]any{}
	for _, each := range []map[string]any{values, further} {
		for name, value := range each {
			all[name] = value
		}
	}
	return all
}

func text(value any) string {
	found, _ := value.(string)
	return found
}

func texts(value any) []string {
	var found []string
	list, _ := value.([]any)
	for _, each := range list {
		found = append(found, text(each))
	}
	return found
}
