"""The stack: real servers out of Python wheels, and one supervisor over every process.

Owns the data folder, the embedded PostgreSQL and Valkey, and whoever runs in `student-hub up`.
Doors: `folder.open_folder`, `postgres.EmbeddedPostgres`, `valkey.EmbeddedValkey`, and
`supervisor.Supervisor`, which runs each `program.Program`. Whatever a person can mend is raised as
`errors.StackError`, whose text is one sentence to show. The command line stands above.
"""
