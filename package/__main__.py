"""Serves the components to programs in any language, as `pulumi package add` wants them."""

import sys

from pulumi.provider import main

from mesh_trust.package import provider

main(provider(), sys.argv[1:])
