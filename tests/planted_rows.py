"""Rows of a student in the tables of rooms above, as the rooms would write them."""

TASK = """
    INSERT INTO scheduled_tasks (id, student_id, task_type, schedule_type, run_at, timezone, config,
        next_run_at, status, created_by, created_at)
    VALUES (gen_random_uuid(), $1, 'progress_check', 'one_time', now() + interval '7 days',
        'Asia/Seoul', '{}', now() + interval '7 days', 'active', 'teacher:kim', now())
"""
NOTICE = """
    INSERT INTO notices (id, event, template, student_id, recipients, facts, critical, created_at)
    VALUES (gen_random_uuid(), 'planted:' || $1::uuid, 'intervention_created', $1,
        '{student}', '{}', false, now())
"""
MESSAGE = """
    INSERT INTO notifications (id, notice_id, student_id, reader, recipient, channel, state,
        created_at, due_at)
    SELECT gen_random_uuid(), id, student_id, 'student', 'student:kim', 'in_app', 'sent', now(),
        now()
    FROM notices WHERE student_id = $1
"""
PLAN = """
    INSERT INTO interventions (id, student_id, type, target_level, duration_days, weak_areas,
        learning_path, marks, progress, tasks, status, version, created_by, created_at, started_at,
        ends_at)
    VALUES (gen_random_uuid(), $1, 'auto', 0.85, 14, '[]', '[]', '{}',
        '{"completed": 0, "total": 0}', '[]', 'active', 1, 'teacher:kim', now(), now(),
        now() + interval '14 days')
"""
NOTE = """
    INSERT INTO intervention_notes (id, intervention_id, student_id, kind, at, content)
    SELECT gen_random_uuid(), id, student_id, 'decision', now(), jsonb_build_object(
        'at', now(), 'by', 'teacher:kim', 'decision', 'approved', 'reason', NULL)
    FROM interventions WHERE student_id = $1
"""
ABILITY = """
    INSERT INTO intervention_abilities (intervention_id, student_id, phase, treated, ability, at)
    SELECT id, student_id, 'start', true, 0.4, now() FROM interventions WHERE student_id = $1
"""
EVERYTHING = (TASK, NOTICE, MESSAGE, PLAN, NOTE, ABILITY)
