"""Reading as an HTTP service: `fots-lite serve`, see docs/service.md.

One process speaks HTTP and never touches a picture; each worker process holds one `Reader`, takes a
request apart, reads and formats the answer. What a picture does to a worker costs that picture's
request and no more. Needs the extra `serve`.
"""
