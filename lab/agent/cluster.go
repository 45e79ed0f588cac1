package main

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

const (
	fieldManager = "istiod-agent"
	// What an API server may take for an answer.
	requestTimeout = 30 * time.Second
	rootKey        = "root-cert.pem"

	stateAccepted = "ACCEPTED"
	stateInvalid  = "INVALID"
	stateFailed   = "FAILED"

	certificateRequested = "REQUESTED"
	certificateIssued    = "ISSUED"
	certificateFinished  = "FINISHED"
	certificateFailed    = "FAILED"
)

var (
	policies        = schema.GroupVersionResource{Group: "admin.gloo.solo.io", Version: "v2", Resource: "roottrustpolicies"}
	certificates    = schema.GroupVersionResource{Group: "internal.gloo.solo.io", Version: "v2", Resource: "issuedcertificates"}
	secrets         = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	serviceAccounts = schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}
)

// cluster is what the agent can see of its cluster, as istiod's service account.
type cluster struct {
	client dynamic.Interface
}

func connect() (*cluster, error) {
	config, err := rest.InClusterConfig()
	if err != nil {
		return nil, err
	}
	config.Timeout = requestTimeout
	client, err := dynamic.NewForConfig(config)
	return &cluster{client}, err
}

// policyFor returns the policy for that istiod: the oldest, where there are several. One that cannot
// be read is for nobody, and is reported to be so.
func (c *cluster) policyFor(ctx context.Context, place istiod) (*policy, error) {
	list, err := c.client.Resource(policies).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("RootTrustPolicies cannot be read: %w", err)
	}
	items := list.Items
	sort.Slice(items, func(one, other int) bool {
		first, second := items[one].GetCreationTimestamp(), items[other].GetCreationTimestamp()
		if first.Equal(&second) {
			return items[one].GetName() < items[other].GetName()
		}
		return first.Before(&second)
	})
	unreadable := ""
	for index := range items {
		found, err := readPolicy(&items[index])
		selected := false
		if err == nil {
			selected, err = found.selects(place)
		}
		if err != nil {
			unreadable += fmt.Sprintf("; RootTrustPolicy %s: %v", found.object.GetName(), err)
			if err := c.reportPolicy(ctx, found, stateInvalid); err != nil {
				return nil, err
			}
			continue
		}
		if selected {
			return found, nil
		}
	}
	return nil, fmt.Errorf("none of %d RootTrustPolicies is for revision %s in %s%s", len(items), place.revision, place.namespace, unreadable)
}

func (c *cluster) reportPolicy(ctx context.Context, policy *policy, state string) error {
	now, _, _ := unstructured.NestedString(policy.object.Object, "status", "state")
	seen, _, _ := unstructured.NestedInt64(policy.object.Object, "status", "observedGeneration")
	if now == state && seen == policy.generation {
		return nil
	}
	status := map[string]any{"state": state, "observedGeneration": policy.generation}
	report := described(policy.object.GetAPIVersion(), policy.object.GetKind(), policy.object.GetNamespace(), policy.object.GetName())
	report.Object["status"] = status
	_, err := c.client.Resource(policies).Namespace(report.GetNamespace()).ApplyStatus(ctx, report.GetName(), report, applying)
	return err
}

// reportCertificate keeps the IssuedCertificate of that istiod.
func (c *cluster) reportCertificate(ctx context.Context, place istiod, request *request, state string, failure error) error {
	name := certificateName(place)
	resource := c.client.Resource(certificates).Namespace(place.namespace)
	report := described("internal.gloo.solo.io/v2", "IssuedCertificate", place.namespace, name)
	present, err := resource.Get(ctx, name, metav1.GetOptions{})
	if err != nil && !errors.IsNotFound(err) {
		return err
	}
	// What was asked for is written when it is asked for.
	if errors.IsNotFound(err) || state == certificateRequested {
		described := report.DeepCopy()
		described.Object["spec"] = request.spec
		if present, err = resource.Apply(ctx, name, described, applying); err != nil {
			return err
		}
	}
	status := map[string]any{"state": state, "observedGeneration": present.GetGeneration()}
	if failure != nil {
		status["error"] = failure.Error()
	}
	if same(present.Object["status"], status) {
		return nil
	}
	report.Object["status"] = status
	_, err = resource.ApplyStatus(ctx, name, report, applying)
	return err
}

// passiveRoots reads the roots that are trusted and never sign.
func (c *cluster) passiveRoots(ctx context.Context, request *request) ([]*x509.Certificate, error) {
	var roots []*x509.Certificate
	for _, each := range request.passive {
		text, err := c.secretValue(ctx, each, rootKey)
		if err != nil {
			return nil, err
		}
		found, err := certificatesIn([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("Secret %s/%s: %s: %w", each.Namespace, each.Name, rootKey, err)
		}
		roots = append(roots, found...)
	}
	return roots, nil
}

// vaultAccess gathers what is needed to talk to the policy's Vault.
func (c *cluster) vaultAccess(ctx context.Context, request *request) (*vault, error) {
	bundle, err := c.bundle(ctx, request)
	if err != nil {
		return nil, err
	}
	return newVault(request, bundle, func() (string, error) { return c.credential(ctx, request) })
}

func (c *cluster) bundle(ctx context.Context, request *request) ([]byte, error) {
	switch {
	case request.CaSecretRef != nil:
		text, err := c.secretValue(ctx, *request.CaSecretRef, rootKey)
		return []byte(text), err
	case request.CaLocalPath != "":
		return os.ReadFile(request.CaLocalPath)
	}
	return base64.StdEncoding.DecodeString(request.CaBundle)
}

// credential reads the service account's token, or Vault's own where there is no login.
func (c *cluster) credential(ctx context.Context, request *request) (string, error) {
	auth := request.KubernetesAuth
	if auth == nil {
		return c.secretValue(ctx, *request.TokenSecretRef, defaultTokenKey)
	}
	if account := auth.ServiceAccountRef; account != nil {
		return c.accountToken(ctx, *account, orText(auth.SecretTokenKey, defaultTokenKey))
	}
	file := filepath.Join(orText(auth.MountedSaPath, defaultTokenFolder), "token")
	content, err := os.ReadFile(file)
	return strings.TrimSpace(string(content)), err
}

// accountToken reads a token from one of the Secrets that a service account names.
func (c *cluster) accountToken(ctx context.Context, account reference, key string) (string, error) {
	found, err := c.client.Resource(serviceAccounts).Namespace(account.Namespace).Get(ctx, account.Name, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	named, _, _ := unstructured.NestedSlice(found.Object, "secrets")
	for _, each := range named {
		if secret, isMap := each.(map[string]any); isMap {
			name, _ := secret["name"].(string)
			return c.secretValue(ctx, reference{name, account.Namespace}, key)
		}
	}
	return "", fmt.Errorf("ServiceAccount %s/%s names no Secret with a token", account.Namespace, account.Name)
}

func (c *cluster) secretValue(ctx context.Context, place reference, key string) (string, error) {
	secret, err := c.client.Resource(secrets).Namespace(place.Namespace).Get(ctx, place.Name, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	encoded, _, _ := unstructured.NestedString(secret.Object, "data", key)
	value, err := base64.StdEncoding.DecodeString(encoded)
	if err == nil && len(value) == 0 {
		err = fmt.Errorf("Secret %s/%s has no %s", place.Namespace, place.Name, key)
	}
	return string(value), err
}

var applying = metav1.ApplyOptions{FieldManager: fieldManager, Force: true}

func certificateName(place istiod) string { return place.deployment + "-" + place.namespace }

func described(version, kind, namespace, name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": version,
		"kind":       kind,
		"metadata":   map[string]any{"name": name, "namespace": namespace},
	}}
}

func same(one, other any) bool {
	first, firstErr := json.Marshal(one)
	second, secondErr := json.Marshal(other)
	return firstErr == nil && secondErr == nil && string(first) == string(second)
}
