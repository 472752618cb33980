"""A real one-node Kubernetes on a machine that has no container engine.

Every cluster lives in network, mount and process namespaces of its own, as kube-proxy's chains have fixed names and two
of them cannot share a machine's network: what a cluster makes inside vanishes with its first process.
"""
