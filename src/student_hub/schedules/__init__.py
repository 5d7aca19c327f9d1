"""What runs when: owns `scheduled_tasks` and the runs that came of them.

Doors: /v1/tasks and the tool `schedule_periodic_task`. Rooms above offer types of tasks as data
(`TaskType`: a name, the shape of its config, the job that a run asks for), add tasks in their own
transactions (`Schedules.add`) and wrap their handlers with `recorded`. Every worker process ticks:
it claims what is due and writes the run, its job and the next time in one transaction.
docs/adr/0024 has the rules of time, 0025 those of firing.
"""
