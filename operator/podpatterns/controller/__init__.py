"""The only part that talks to the cluster: it keeps what is there equal to what is wanted.

The contract of its loop:

- An event only puts a key (kind, namespace, name) on a queue; what happened is not passed on. A reconcile of
  a key sees the present state alone, so there is no separate logic for creation, update and deletion, and a
  lost or doubled event does no harm.
- One key is never worked on twice at once, and no key before all caches are in.
- A write's answer enters the cache at once, so the next reconcile sees it. An answer that never came is
  settled by trying again under the same name or UID.
- The plan comes from `podpatterns.replicas`; here it is carried out.
"""
