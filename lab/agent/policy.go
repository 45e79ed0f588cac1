package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// What Gloo does where a policy says nothing.
const (
	defaultDays         = 365
	defaultKeyBits      = 4096
	defaultOrganization = "gloo-mesh"
	defaultMountPath    = "/v1/auth/kubernetes"
	defaultTokenFolder  = "/var/run/secrets/kubernetes.io/serviceaccount"
	defaultTokenKey     = "token"
	defaultRatio        = 0.1
)

// errOthersSign is for policies that are no business of an agent's.
var errOthersSign = errors.New("the policy has no agentCa.vault: the management server is to sign")

// istiod is the one that the agent is beside, as far as its pod's name tells.
type istiod struct {
	deployment, namespace, revision string
}

func istiodOf(pod, namespace string) (istiod, error) {
	parts := strings.Split(pod, "-")
	if len(parts) < 3 || parts[0] != "istiod" || namespace == "" {
		return istiod{}, fmt.Errorf("POD_NAME %q and POD_NAMESPACE %q are not those of an istiod", pod, namespace)
	}
	deployment := strings.Join(parts[:len(parts)-2], "-")
	revision := "default"
	if named := strings.TrimPrefix(deployment, "istiod-"); named != deployment {
		revision = named
	}
	return istiod{deployment, namespace, revision}, nil
}

type reference struct{ Name, Namespace string }

type kubernetesAuth struct {
	MountPath, Role, SecretTokenKey, MountedSaPath string
	ServiceAccountRef                              *reference
}

type agentVault struct {
	CaPath, CsrPath, Server, Namespace string
	CaBundle, CaLocalPath              string
	CaSecretRef, TokenSecretRef        *reference
	KubernetesAuth                     *kubernetesAuth
}

type policySpec struct {
	ApplyToMeshes []struct {
		Istio struct {
			Revision, Namespace       string
			ClusterSelector, Selector map[string]string
		}
	}
	Config struct {
		AgentCa                       *struct{ Vault *agentVault }
		PassiveCertificateAuthorities []struct{ SecretRef *reference }
		IntermediateCertOptions       struct {
			TtlDays, RsaKeySizeBytes       *int64
			OrgName                        *string
			SecretRotationGracePeriodRatio *float64
		}
	}
}

// policy is one RootTrustPolicy of the cluster.
type policy struct {
	object     *unstructured.Unstructured
	spec       policySpec
	generation int64
}

func readPolicy(object *unstructured.Unstructured) (*policy, error) {
	found := &policy{object: object, generation: object.GetGeneration()}
	content, err := json.Marshal(object.Object["spec"])
	if err == nil {
		err = json.Unmarshal(content, &found.spec)
	}
	return found, err
}

// state names the policy as it is now.
func (p *policy) state() string {
	return fmt.Sprintf("%s/%d", p.object.GetUID(), p.generation)
}

// selects tells whether the policy is for that istiod. The labels of its KubernetesCluster stand in
// the management cluster, where the agent cannot look, and those of its Deployment it may not read:
// it knows the two that Istio gives it.
func (p *policy) selects(place istiod) (bool, error) {
	if len(p.spec.ApplyToMeshes) == 0 {
		return true, nil
	}
	labels := map[string]string{"app": "istiod", "istio.io/rev": place.revision}
	for _, each := range p.spec.ApplyToMeshes {
		revision, err := regexp.Compile(each.Istio.Revision)
		if err != nil {
			return false, fmt.Errorf("spec.applyToMeshes: revision: %w", err)
		}
		matches := revision.MatchString(place.revision)
		matches = matches && (each.Istio.Namespace == "" || each.Istio.Namespace == place.namespace)
		for name, value := range each.Istio.Selector {
			known, isKnown := labels[name]
			matches = matches && (!isKnown || known == value)
		}
		if matches {
			return true, nil
		}
	}
	return false, nil
}

// request is what a policy has its agents ask for.
type request struct {
	agentVault
	server, caPath, csrPath string
	days, keyBits           int64
	organization            string
	renewalRatio            float64
	passive                 []reference
	// As the policy has it, without what does not matter for the CA.
	content string
	// The fields of an IssuedCertificate that say the same.
	spec map[string]any
}

// request returns what the policy asks for, or which field of it cannot be used.
func (p *policy) request() (*request, error) {
	config := p.spec.Config
	if config.AgentCa == nil || config.AgentCa.Vault == nil {
		return nil, errOthersSign
	}
	options := config.IntermediateCertOptions
	found := &request{
		agentVault:   *config.AgentCa.Vault,
		server:       config.AgentCa.Vault.Server,
		caPath:       config.AgentCa.Vault.CaPath,
		csrPath:      config.AgentCa.Vault.CsrPath,
		days:         or(options.TtlDays, defaultDays),
		keyBits:      or(options.RsaKeySizeBytes, defaultKeyBits),
		organization: or(options.OrgName, defaultOrganization),
		renewalRatio: or(options.SecretRotationGracePeriodRatio, defaultRatio),
	}
	for name, value := range map[string]string{"caPath": found.caPath, "csrPath": found.csrPath} {
		if value == "" || strings.HasPrefix(value, "/") || strings.HasPrefix(value, "v1/") {
			return nil, fmt.Errorf("agentCa.vault.%s: %q is no path below /v1/ of Vault", name, value)
		}
	}
	if !strings.HasPrefix(found.server, "https://") && !strings.HasPrefix(found.server, "http://") {
		return nil, fmt.Errorf("agentCa.vault.server: %q is no address", found.server)
	}
	if _, err := base64.StdEncoding.DecodeString(found.CaBundle); err != nil {
		return nil, fmt.Errorf("agentCa.vault.caBundle: %w", err)
	}
	if (found.KubernetesAuth == nil) == (found.TokenSecretRef == nil) {
		return nil, errors.New("agentCa.vault: one of kubernetesAuth and tokenSecretRef is needed")
	}
	if auth := found.KubernetesAuth; auth != nil {
		auth.MountPath = orText(auth.MountPath, defaultMountPath)
		if !strings.HasPrefix(auth.MountPath, "/v1/auth/") {
			return nil, fmt.Errorf("kubernetesAuth.mountPath: %q does not begin with /v1/auth/", auth.MountPath)
		}
	}
	for place, each := range config.PassiveCertificateAuthorities {
		if each.SecretRef == nil {
			return nil, fmt.Errorf("passiveCertificateAuthorities[%d]: only a secretRef can be read here", place)
		}
		found.passive = append(found.passive, *each.SecretRef)
	}
	return found, found.describe(p.object)
}

func (r *request) describe(object *unstructured.Unstructured) error {
	agentCa, _, err := unstructured.NestedMap(object.Object, "spec", "config", "agentCa")
	if err != nil {
		return err
	}
	options, _, err := unstructured.NestedMap(object.Object, "spec", "config", "intermediateCertOptions")
	if err != nil {
		return err
	}
	r.spec = map[string]any{"agentCa": agentCa}
	if len(options) > 0 {
		r.spec["certOptions"] = options
	}
	content, err := json.Marshal(r.spec)
	r.content = string(content)
	return err
}

func (r *request) lifetime() time.Duration { return time.Duration(r.days) * 24 * time.Hour }

func or[T any](given *T, otherwise T) T {
	if given == nil {
		return otherwise
	}
	return *given
}

func orText(given, otherwise string) string {
	if given == "" {
		return otherwise
	}
	return given
}
