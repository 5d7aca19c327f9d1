"""The promises of the product, each with an id that tests name: `@pytest.mark.requirement("id")`.

`tests/house/test_requirements.py` fails for a promise without a test, for a test that names an
unknown promise, and for a gap that a test has meanwhile closed.
"""

PROMISES: dict[str, str] = {
    # the house
    "house-imports": "Imports go downwards; every breach of a rule is caught.",
    "house-settings": "Every setting is documented and in .env.example.",
    "house-errors": "Every kind of error has its status and code at every door.",
    # running it
    "up-one-command": "`up` starts everything, says what to do next, stops without a trace.",
    "up-data-survives": "A second start finds its data, also after kill -9 of everything.",
    "up-clear-refusals": "Taken ports, a held or broken folder: one clear sentence.",
    "embedded-servers": "Real PostgreSQL and Valkey run as child processes, as root or not.",
    "supervisor-no-orphans": "No process outlives the supervisor, even one killed with -9.",
    "cli-env-status": "`env` and `status` tell scripts and people about the running stack.",
    "import-interactions": "A real answer log is imported whole, resumably, refusing broken rows.",
    "import-ndjson": "Students and events are imported from JSON lines.",
    # students and history
    "students-crud": "Students are created, read, listed, changed and deleted.",
    "students-import": "Many students at once: good rows stored, others refused by row and field.",
    "students-input": "Bad fields are named; Korean text in NFD is stored as NFC.",
    "students-sealed": "Name, email and parent contact are encrypted with a key per student.",
    "students-search": "Searching by name goes through a keyed blind index.",
    "history-once": "An event is stored once however often it is sent.",
    "history-conflict": "An event sent again with other content is refused as a conflict.",
    "history-void": "An event can be voided, and stays so.",
    "history-batch": "Of a batch, good events are stored, others refused by field.",
    "history-partitions": "The product makes monthly partitions; nothing is lost without one.",
    "history-forwarded": "New events reach node 4 by a job of the same transaction.",
    "history-read": "A student's history can be read, newest first, page by page.",
    "migrations": "Migrations go up, down and up again, and agree with the models.",
    # profiles
    "profile-sections": "A profile has every section of the contract.",
    "profile-sources": "Every node's state, age and time are told.",
    "profile-cache": "A good section is served from the cache for 300 seconds.",
    "profile-invalidation": "A change makes exactly that student's profile stale.",
    "profile-without-history": "include_history and days shape the answer and are part of the key.",
    "profile-node-failure": "A failing node costs only its own section.",
    "profile-failures-not-cached": "Failures are never cached, good sections are.",
    "profile-deadline": "All nodes hanging, the profile still comes, labelled.",
    "profile-unknown-student": "Only a student who is absent or hidden is an error.",
    "profile-of-real-student": "An imported real student's profile agrees with figures made apart.",
    "event-to-profile": "An event posted to the hub changes the profile.",
    "policy-before-cache": "Who may see is decided before the cache is read and on every hit.",
    "cache-sealed": "Nothing personal is readable in the cache store.",
    "cache-away": "Without the cache store the hub is slower, not wrong.",
    # nodes
    "node-dialects": "MCP of both eras and bare JSON-RPC nodes are understood.",
    "node-failure-reasons": "Every way of failing has a reason code.",
    "node-text-bounded": "Text from nodes is bounded and free of hidden characters.",
    "node-never-in-transaction": "No node is called inside a transaction.",
    "nodes-configurable": "URLs, tool names and argument names of nodes are settings.",
    # jobs
    "transactions": "A transaction is whole or not at all; what follows it runs after it.",
    "ledger-exactly-once": "A job's effect happens once, whoever dies when.",
    "ledger-retries": "A failing job is retried later and at last set aside.",
    # doors
    "mcp-both-eras": "One endpoint serves revision 2026-07-28 and the older ones.",
    "mcp-official-clients": "The official Python and TypeScript clients list and call the tool.",
    "mcp-conformance": "The conformance suite passes but for listed failures with reasons.",
    "mcp-tool-contract": "Tools have schemas, titles, hints; failures are isError results.",
    "rpc": "Bare JSON-RPC 2.0, single and batch, with the platform's codes.",
    "rest-problems": "REST errors are RFC 9457 problem details that name the field.",
    "bad-input": "Bad input gets a clear error at every door, and nothing half-done.",
    "body-limit": "A body over the limit is refused with 413 before it is read whole.",
    "authentication": "Every path but the stated public ones needs a key, mounted apps included.",
    "api-keys": "Keys are hashed, scoped, expire, and are revoked from the next request on.",
    "health": "Health tells degraded from dead; liveness asks nothing.",
    "logs-without-persons": "Logs are structured and hold no personal data.",
    "metrics": "Prometheus metrics count calls by node, tool and status.",
    # reference nodes
    "nodes-real-models": "Reference nodes compute answers from events with the stated models.",
    "nodes-curriculum": "An own concept graph of the curriculum, checked against official codes.",
    "nodes-paths": "Learning paths follow prerequisites and gain.",
    "nodes-problems": "Generated problems pass independent checks.",
    "nodes-answers-safe": "Answers are read without executing them.",
    "nodes-serving": "Reference nodes are MCP servers of both eras that start and stop cleanly.",
    "nodes-faults": "Reference nodes can be slow or failing on purpose.",
    "nodes-demo-school": "The demo school's learners have a stated truth that the model finds.",
}

GAPS: dict[str, str] = {
    "interventions": "create_learning_intervention is not built yet.",
    "schedules": "schedule_periodic_task is not built yet.",
    "class-analytics": "get_class_analytics and the L3 cache are not built yet.",
    "breaker-and-retries": "The gateway has deadlines and validation, no breaker or retries yet.",
    "single-flight": "Concurrent misses for one student each ask the nodes.",
    "rate-limit": "No rate limits yet (-32004 is never sent).",
    "roles-and-grants": "Keys have scopes; teachers, parents and students have no roles yet.",
    "row-level-security": "The database has no row-level security yet.",
    "audit-log": "Reads and writes are logged, not yet audited in the database.",
    "consent": "Consent and stop of processing are not kept yet.",
    "oauth": "API keys only; no OAuth resource server yet.",
    "traces": "No OpenTelemetry traces yet; request ids link log lines.",
}
