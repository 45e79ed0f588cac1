package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// agent gets one istiod its CA. It asks for a new one when there is none, when the policy asks for
// another one, when it is time to renew, and when a changed policy finds another CA signing at its
// path. It does not look at Vault otherwise: in which order roots and trust change is for those to
// decide who change the policy, and an agent that was ahead of them would sign with a root that
// others do not trust yet.
type agent struct {
	cluster *cluster
	istiod  istiod
	folder  folder

	held *authority
	// What `held` was asked with, and the state of the policy that was last satisfied.
	asked string
	seen  string
	said  string
}

// once returns when istiod has a CA: each pod begins with one of its own.
func (a *agent) once(ctx context.Context) error {
	for {
		done, err := a.reconcile(ctx)
		if done {
			return nil
		}
		a.say(err)
		if !sleep(ctx) {
			return errors.New("ended before istiod has a CA")
		}
	}
}

func (a *agent) forever(ctx context.Context) error {
	for {
		if done, err := a.reconcile(ctx); done {
			a.said = ""
		} else {
			a.say(err)
		}
		if !sleep(ctx) {
			return nil
		}
	}
}

// resume takes over what the init container, or this container before it was restarted, has left.
func (a *agent) resume() {
	held, asked, err := a.folder.read()
	if err != nil {
		slog.Warn(fmt.Sprintf("%s has no CA that can be used: %v", a.folder, err))
		return
	}
	a.held, a.asked = held, asked
}

// reconcile does what the policy says, and reports it; false while istiod lacks something.
func (a *agent) reconcile(ctx context.Context) (bool, error) {
	policy, err := a.cluster.policyFor(ctx, a.istiod)
	if err != nil {
		return false, err
	}
	request, err := policy.request()
	if errors.Is(err, errOthersSign) {
		return false, err
	}
	if err != nil {
		return false, errors.Join(err, a.cluster.reportPolicy(ctx, policy, stateInvalid))
	}
	err = a.satisfy(ctx, policy, request)
	state := stateAccepted
	if err != nil {
		state = stateFailed
	}
	err = errors.Join(err, a.cluster.reportPolicy(ctx, policy, state))
	return err == nil, err
}

func (a *agent) satisfy(ctx context.Context, policy *policy, request *request) error {
	passive, err := a.cluster.passiveRoots(ctx, request)
	if err == nil {
		err = a.renew(ctx, policy, request)
	}
	if err == nil {
		err = a.write(passive)
	}
	if err != nil {
		return errors.Join(err, a.cluster.reportCertificate(ctx, a.istiod, request, certificateFailed, err))
	}
	a.seen = policy.state()
	return a.cluster.reportCertificate(ctx, a.istiod, request, certificateFinished, nil)
}

func (a *agent) renew(ctx context.Context, policy *policy, request *request) error {
	access, err := a.cluster.vaultAccess(ctx, request)
	if err != nil {
		return err
	}
	reason, err := a.whyNew(ctx, policy, request, access)
	if err != nil || reason == "" {
		return err
	}
	slog.Info(fmt.Sprintf("asking %s for a CA: %s", request.server, reason))
	if err := a.cluster.reportCertificate(ctx, a.istiod, request, certificateRequested, nil); err != nil {
		return err
	}
	held, err := access.issue(ctx, request, a.istiod)
	if err != nil {
		return err
	}
	a.held, a.asked = held, request.content
	slog.Info(fmt.Sprintf("has a CA until %s, below %q", held.certificate.NotAfter.Format(time.RFC3339), held.root.Subject))
	return a.cluster.reportCertificate(ctx, a.istiod, request, certificateIssued, nil)
}

// whyNew says why another CA is needed; nothing, where the one that is there will do.
func (a *agent) whyNew(ctx context.Context, policy *policy, request *request, access *vault) (string, error) {
	switch {
	case a.held == nil:
		return "there is none", nil
	case a.asked != request.content:
		return "the policy asks for another one", nil
	case time.Now().After(a.held.renewal(request.renewalRatio)):
		return "it is time to renew", nil
	case a.seen == policy.state():
		return "", nil
	}
	signing, err := access.signing(ctx, request)
	if err != nil {
		return "", err
	}
	if signing != nil && a.held.certificate.CheckSignatureFrom(signing) != nil {
		return "another CA signs at " + request.caPath, nil
	}
	return "", nil
}

func (a *agent) write(passive []*x509.Certificate) error {
	changed, err := a.folder.write(a.held, a.asked, passive)
	if changed {
		slog.Info(fmt.Sprintf("%s has changed: %d more roots are trusted", a.folder, len(passive)))
	}
	return err
}

// say logs what is new, once.
func (a *agent) say(err error) {
	if err != nil && err.Error() != a.said {
		a.said = err.Error()
		slog.Error(a.said)
	}
}

func sleep(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pause):
		return true
	}
}
