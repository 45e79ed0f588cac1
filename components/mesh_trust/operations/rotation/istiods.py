"""Whether istiods are ready for a step of the root's rotation, by what they are seen to have."""

from collections.abc import Iterator, Sequence

from mesh_trust.agent_containers import AGENT, MULTIROOT

from ..finding import State
from ..generations import Generation, named_after
from ..istiod_chain import IstiodChain
from .next_step import NextStep, Step
from .proxies import Found
from .survey import described


def takes_several_roots(istiod: str, value: str | None) -> Found:
    """Whether `istiod`, as a sentence calls it, does by the value of its variable; None: none."""
    name, wanted = MULTIROOT
    if value == wanted:
        return State.OK, f"{istiod} has {name}={wanted}", None
    return (
        State.FAILED,
        f"{istiod} lacks {name}={wanted}, without which it takes no further root",
        "let the program put the agent there (istiodAgent), or set it in Istio's own values "
        "(pilot.env)",
    )


def judged_chains(
    chains: Sequence[IstiodChain],
    generations: tuple[Generation, ...],
    step: NextStep,
    cluster: str,
    context: str,
) -> Iterator[Found]:
    """Whether each of a cluster's istiods signs below a root of the stack, and may do so.

    Before a root is retired, it has to be the one that signs. `context` is that of the cluster, for
    kubectl.
    """
    if not chains:
        seen = "no istiod has a pod, so that nobody signs certificates there"
        yield State.WARNING, seen, "see whether that is meant"
    for chain in chains:
        seen = f"istiod's pod {chain.pod} has {described(chain, generations)}"
        if chain.root is None:
            namespace, _, pod = chain.pod.partition("/")
            logs = f"kubectl --context {context} logs -n {namespace} {pod} -c {AGENT}"
            yield State.FAILED, seen, f"see what its agent says: `{logs}`"
        elif step.step is Step.RETIRE and chain.root != step.signing.certificate:
            name = named_after(step.signing.certificate, generations)
            command = f"mesh-trust rotate intermediates --cluster {cluster}"
            yield State.FAILED, seen, f"have istiod ask for one below {name}: `{command}`"
        else:
            yield State.OK, seen, None
