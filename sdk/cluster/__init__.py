"""Work in many processes, on this machine or on the nodes of a Ray cluster.

Needs the extra `cluster`. A piece of work is a task, not an actor: a task that is lost with its
node is submitted again, and a node that joins later gets tasks like the others.
"""
