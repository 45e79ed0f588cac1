#!/usr/bin/env bash
# The published guide's steps, in its order, for the clusters in "$@": with its names, and with its
# faults mended, so that it makes what the program makes. What the guide does by `kubectl exec` in
# the pod of Vault is done there where WAY=pod, and by a `vault` on PATH where WAY=host: nothing
# else differs. WITH_ROOT=1 begins with the root. MANAGEMENT is the kubeconfig of the cluster with
# Vault, KUBECONFIG that of the workload clusters.
set -euo pipefail
umask 077

in_vault() {
  if [ "$WAY" = pod ]; then
    kubectl --kubeconfig="$MANAGEMENT" --context=mgmt exec -i -n vault vault-0 -- /bin/sh -c "$1"
  else
    /bin/sh -c "$1"
  fi
}

if [ "${WITH_ROOT:-0}" = 1 ]; then
  # Generate a root CA certificate and key for Vault.
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-384 -x509 -sha384 -days 3650 -nodes \
    -out root-cert.pem -keyout root-key.pem -subj "/O=bench/CN=bench root" -config /dev/stdin <<'EOF'
[req]
distinguished_name = subject
x509_extensions = root
[subject]
[root]
basicConstraints = critical, CA:true, pathlen:1
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
EOF
  # Initialize the Vault PKI. Set the Vault CA to the pem_bundle.
  in_vault "vault secrets enable -path=pki -description=\"Root CA of the mesh: signs the clusters' intermediates\" -default-lease-ttl=$ROOT_DEFAULT_TTL -max-lease-ttl=$ROOT_MAXIMUM_TTL pki"
  cat root-key.pem root-cert.pem | in_vault "vault write -format=json pki/config/ca pem_bundle=-"
fi

# Get the endpoint for the Vault service in the management cluster.
endpoint="http://$(kubectl --kubeconfig="$MANAGEMENT" --context=mgmt get svc/vault -n vault \
  -o jsonpath='{.status.loadBalancer.ingress[0].ip}')"

for cluster in "$@"; do
  agent="gen-int-ca-istio-$cluster-mesh"
  mount="kube-$cluster-mesh-auth"

  # Enable Vault authentication along a path for the workload cluster.
  in_vault "vault auth enable -path=$mount -description='Logins of istiod agents in $cluster' kubernetes"

  # Get the API token for the service account. Update Gloo RBAC permissions.
  kubectl --context="$cluster" apply -f - <<EOF
apiVersion: v1
kind: ServiceAccount
metadata: {name: vault-token-reviewer, namespace: istio-system}
automountServiceAccountToken: false
---
apiVersion: v1
kind: Secret
metadata:
  name: vault-token-reviewer
  namespace: istio-system
  annotations: {kubernetes.io/service-account.name: vault-token-reviewer}
type: kubernetes.io/service-account-token
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: vault-token-reviewer}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: system:auth-delegator}
subjects: [{kind: ServiceAccount, name: vault-token-reviewer, namespace: istio-system}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: gloo-mesh-istiod-agent}
rules:
- apiGroups: [admin.gloo.solo.io]
  resources: [roottrustpolicies]
  verbs: [get, list, watch]
- apiGroups: [admin.gloo.solo.io]
  resources: [roottrustpolicies/status]
  verbs: [get, patch, update]
- apiGroups: [internal.gloo.solo.io]
  resources: [certificaterequests, issuedcertificates, podbouncedirectives]
  verbs: [get, list, watch, create, patch, update, delete]
- apiGroups: [internal.gloo.solo.io]
  resources: [certificaterequests/status, issuedcertificates/status, podbouncedirectives/status]
  verbs: [get, patch, update]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: gloo-mesh-istiod-agent}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: gloo-mesh-istiod-agent}
subjects: [{kind: ServiceAccount, name: istiod, namespace: istio-system}]
EOF
  token=""
  while [ -z "$token" ]; do
    token=$(kubectl --context="$cluster" get secret vault-token-reviewer -n istio-system \
      -o jsonpath='{.data.token}' | base64 -d)
  done

  # Get the CA certificate and the address of your cluster.
  authority=$(kubectl config view --raw --minify --context="$cluster" \
    -o jsonpath='{.clusters[0].cluster.certificate-authority-data}' | base64 -d)
  address=$(kubectl config view --raw --minify --context="$cluster" \
    -o jsonpath='{.clusters[0].cluster.server}')

  # Set the Kubernetes auth config for Vault to the service account token.
  printf %s "$token" | in_vault "vault write auth/$mount/config token_reviewer_jwt=- \
    kubernetes_host='$address' kubernetes_ca_cert='$authority' disable_local_ca_jwt=true disable_iss_validation=false"

  # Bind the istiod service account to the Vault PKI policy.
  in_vault "vault write auth/$mount/role/$agent bound_service_account_names=istiod \
    bound_service_account_namespaces=istio-system token_policies=$agent \
    token_ttl=3600 token_max_ttl=3600"

  # Enable the Vault intermediate cert path.
  in_vault "vault secrets enable -path=pki_int_$cluster -description='Intermediate CA requests of $cluster' pki"

  # Set the policy for the intermediate cert path.
  in_vault "vault policy write $agent -" <<EOF
path "pki_int_$cluster/intermediate/generate/exported" {
  capabilities = ["update"]
}
path "pki/root/sign-intermediate" {
  capabilities = ["update"]
  denied_parameters = {
    "issuer_ref" = []
    "max_path_length" = []
    "not_after" = []
    "skid" = []
  }
}
EOF

  # Get the name of your Istio mesh.
  kubectl --context="$cluster" get meshes -n gloo-mesh -o jsonpath='{.items[*].metadata.name}'

  # Create a root trust policy for the workload cluster.
  kubectl --context="$cluster" apply -f - <<EOF
apiVersion: admin.gloo.solo.io/v2
kind: RootTrustPolicy
metadata: {name: $cluster, namespace: gloo-mesh}
spec:
  applyToMeshes:
  - istio:
      clusterSelector: {cluster: $cluster}
      namespace: istio-system
      selector: {app: istiod}
  config:
    agentCa:
      vault:
        caPath: pki/root/sign-intermediate
        csrPath: pki_int_$cluster/intermediate/generate/exported
        server: $endpoint:8200
        kubernetesAuth: {mountPath: /v1/auth/$mount, role: $agent}
    autoRestartPods: false
EOF
done
