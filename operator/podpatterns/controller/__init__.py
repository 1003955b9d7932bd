"""The only part that talks to the cluster: it brings the observed state to the desired one.

The contract of a reconcile (`reconciler.Reconciler.reconcile`, called by `manager.Manager`):

- Level-triggered. An event only puts a key (kind, namespace, name) on the work queue; the event itself is not
  passed on. A reconcile sees the present state alone. So there is no separate path for creation, update and
  deletion, and a lost or doubled event does no harm.
- Idempotent. It may be called at any time and any number of times for any key, never for one key twice at
  once, and for no key before all caches are in sync.
- One round. It observes (caches), decides (`podpatterns.replicas`, pure), acts (one round of writes) and
  reports (the status). It returns a `Result` that says when it is to be called again: `after` so many
  seconds, with `status_pending` as soon as a worker for low-priority keys is free, and never before
  `throttle` seconds. An event calls it earlier than `after`. Without `after` only an event calls it.
- Status comes second. A reconcile with a low priority (`write_status`) writes the status and the history of a
  healthy object; others leave them to it (docs/adr/0012).
- It reads its own writes. The answer to a write enters the caches at once. A write without an answer is
  settled by a second try under the same name or UID (docs/adr/0002).
- Pods come first. Whatever is wrong with the object, its Pods or a write, the Pods are kept at the last good
  revision (docs/adr/0015). A refused write is tried again after a back-off of its own kind of write
  (`refusal.Refusal`), and the status has the reason.
- Errors. It raises ApiError and UnansweredError where the API server as a whole failed: the key comes again
  after its back-off. It raises LeadershipLostError where nothing may be written any more: the process ends.
  Any other error becomes the condition reason InternalError of that one object.

docs/architecture.md follows one event through all of it.
"""
