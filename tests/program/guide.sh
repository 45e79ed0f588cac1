#!/usr/bin/env bash
# The published guide's commands that set Vault up, as they stand there and in its order. Of its
# variables, REMOTE_CLUSTER1 and 2, SA_TOKEN_C1 and 2, SA_CA_CRT_C1 and 2 and K8S_ADDR_C1 and 2 come
# from outside; root-key.pem and root-cert.pem are in the working directory.
set -eu

MGMT_CONTEXT=mgmt

# The guide runs everything in the pod of Vault, which knows none of the variables of this shell.
export -n REMOTE_CLUSTER1 REMOTE_CLUSTER2 SA_TOKEN_C1 SA_TOKEN_C2
export -n SA_CA_CRT_C1 SA_CA_CRT_C2 K8S_ADDR_C1 K8S_ADDR_C2
kubectl() {
  /bin/sh -c "${!#}"
}

# Enable Vault userpass.
kubectl --context="${MGMT_CONTEXT}" exec -n vault vault-0 -- /bin/sh -c 'vault auth enable userpass'
kubectl --context="${MGMT_CONTEXT}" exec -n vault vault-0 -- /bin/sh -c 'vault write auth/userpass/users/admin password=admin policies=admins'

# Enable Vault authentication along a path for the workload cluster.
kubectl --context="${MGMT_CONTEXT}" exec -n vault vault-0 -- /bin/sh -c "vault auth enable -path=kube-${REMOTE_CLUSTER1}-mesh-auth kubernetes"
kubectl --context="${MGMT_CONTEXT}" exec -n vault vault-0 -- /bin/sh -c "vault auth enable -path=kube-${REMOTE_CLUSTER2}-mesh-auth kubernetes"

# Set the Kubernetes auth config for Vault to the mounted service account token.
kubectl --context="${MGMT_CONTEXT}" exec -n vault vault-0 -- /bin/sh -c "vault write auth/kube-${REMOTE_CLUSTER1}-mesh-auth/config \
  token_reviewer_jwt="$SA_TOKEN_C1" \
  kubernetes_host="$K8S_ADDR_C1" \
  kubernetes_ca_cert='$SA_CA_CRT_C1' \
  disable_local_ca_jwt="true" \
  issuer='https://kubernetes.default.svc.cluster.local'"
kubectl --context="${MGMT_CONTEXT}" exec -n vault vault-0 -- /bin/sh -c "vault write auth/kube-${REMOTE_CLUSTER2}-mesh-auth/config \
  token_reviewer_jwt="$SA_TOKEN_C2" \
  kubernetes_host="$K8S_ADDR_C2" \
  kubernetes_ca_cert='$SA_CA_CRT_C2' \
  disable_local_ca_jwt="true" \
  issuer='https://kubernetes.default.svc.cluster.local'"

# Bind the istiod service account to the Vault PKI policy.
kubectl --context="${MGMT_CONTEXT}" exec -n vault vault-0 -- /bin/sh -c "vault write \
  auth/kube-${REMOTE_CLUSTER1}-mesh-auth/role/gen-int-ca-istio-${REMOTE_CLUSTER1}-mesh \
  bound_service_account_names=istiod-service-account \
  bound_service_account_namespaces=istio-system \
  policies=gen-int-ca-istio-${REMOTE_CLUSTER1}-mesh \
  ttl=720h"
kubectl --context="${MGMT_CONTEXT}" exec -n vault vault-0 -- /bin/sh -c "vault write \
  auth/kube-${REMOTE_CLUSTER2}-mesh-auth/role/gen-int-ca-istio-${REMOTE_CLUSTER2}-mesh \
  bound_service_account_names=istiod-service-account \
  bound_service_account_namespaces=istio-system \
  policies=gen-int-ca-istio-${REMOTE_CLUSTER2}-mesh \
  ttl=720h"

# Initialize the Vault PKI.
kubectl --context="${MGMT_CONTEXT}" exec -n vault vault-0 -- /bin/sh -c 'vault secrets enable pki'

# Set the Vault CA to the pem_bundle.
kubectl --context="${MGMT_CONTEXT}" exec -n vault vault-0 -- /bin/sh -c "vault write -format=json pki/config/ca pem_bundle=\"$(cat root-key.pem root-cert.pem)\""

# Enable the Vault intermediate cert path.
kubectl --context="${MGMT_CONTEXT}" exec -n vault vault-0 -- /bin/sh -c "vault secrets enable -path=pki_int_${REMOTE_CLUSTER1} pki"
kubectl --context="${MGMT_CONTEXT}" exec -n vault vault-0 -- /bin/sh -c "vault secrets enable -path=pki_int_${REMOTE_CLUSTER2} pki"

# Set the policy for the intermediate cert path.
kubectl --context="${MGMT_CONTEXT}" exec -n vault vault-0 -- /bin/sh -c 'vault policy write gen-int-ca-istio-${REMOTE_CLUSTER1}-mesh - <<EOF
path "pki_int_${REMOTE_CLUSTER1}/*" {
capabilities = ["create", "read", "update", "delete", "list"]
}
path "pki/cert/ca" {
capabilities = ["read"]
}
path "pki/root/sign-intermediate" {
capabilities = ["create", "read", "update", "list"]
}
EOF'
kubectl --context="${MGMT_CONTEXT}" exec -n vault vault-0 -- /bin/sh -c 'vault policy write gen-int-ca-istio-${REMOTE_CLUSTER2}-mesh - <<EOF
path "pki_int_${REMOTE_CLUSTER2}/*" {
capabilities = ["create", "read", "update", "delete", "list"]
}
path "pki/cert/ca" {
capabilities = ["read"]
}
path "pki/root/sign-intermediate" {
capabilities = ["create", "read", "update", "list"]
}
EOF'
