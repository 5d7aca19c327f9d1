"""Node 3, Gen: learning paths and problem sets."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from reference_nodes.curriculum.graph import Graph
from reference_nodes.learning.activity import median_minutes_a_day
from reference_nodes.nodes.questions import Answer, Question, Share, StudentAnswer, StudentQuestion
from reference_nodes.paths.planner import UNKNOWN, plan
from reference_nodes.paths.steps import Activity, Goal, Step, Student
from reference_nodes.problems.maker import Problem
from reference_nodes.problems.sets import (
    Wish,
    default_seed,
    has_template,
    make_set,
    set_id,
    suitable_difficulty,
)
from reference_nodes.serving.context import NodeContext, NodeTool

MOST_AREAS = 50
MOST_PROBLEMS = 50
LARGEST_SEED = 2**53 - 1
_HABIT = timedelta(days=90)
_USUAL_MINUTES, _FEWEST_MINUTES = 20.0, 10.0
_SAME_MASTERY = 0.02

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Target = Annotated[float, Field(gt=0, le=1)]


class WeakArea(BaseModel):
    """A concept by code or name; further keys, as node 2 sends them, are passed over."""

    model_config = ConfigDict(extra="ignore")

    code: Name | None = None
    concept: Name | None = None
    current_mastery: Share | None = None
    target_mastery: Target | None = None
    answers: int | None = Field(default=None, ge=0, description="Answers behind the mastery.")
    difficulty: Share | None = Field(default=None, description="Wished difficulty of problems.")

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.code is None and self.concept is None:
            raise ValueError("a weak area needs a code or a concept")
        return self


Areas = Annotated[list[WeakArea | Name], Field(max_length=MOST_AREAS)]


class PathQuestion(StudentQuestion):
    """For whom, what to improve, how far, in how many days."""

    weak_areas: Areas = Field(description="Weak areas of node 2, or names or codes of concepts.")
    target_level: Target = Field(default=0.85, description="Mastery to reach.")
    duration_days: int = Field(default=14, ge=1, le=365)


class PathStep(BaseModel):
    """One step; `estimated_duration` in seconds, `codes` all concepts of a mixed review."""

    step: int
    activity: Activity
    concept: str
    code: str
    codes: list[str]
    estimated_duration: int
    problem_set_id: str | None = Field(
        default=None, description="The set that generate_problem_set makes; null: no template."
    )
    num_problems: int | None = None
    difficulty: Share | None = None
    why: str


class CutStep(BaseModel):
    """A step for which the days do not suffice; `estimated_duration` in seconds."""

    activity: Activity
    concept: str
    code: str
    estimated_duration: int
    why: str


class LearningPath(StudentAnswer):
    """Steps in order, and what was cut."""

    learning_path: list[PathStep]
    cut: list[CutStep]


class ProblemSetQuestion(Question):
    """For which concepts, how many, from which seed."""

    weak_areas: Areas = Field(description="Weak areas, or names or codes of concepts.")
    num_problems: int = Field(default=10, ge=1, le=MOST_PROBLEMS)
    seed: int | None = Field(default=None, ge=0, le=LARGEST_SEED)


class Misconception(BaseModel):
    """What a wrong choice betrays, in Korean."""

    choice: str
    misconception: str


class GivenProblem(BaseModel):
    """A problem with its checked answer; `choices` hold it among answers to be expected."""

    problem_id: str
    code: str
    concept: str
    level: int
    statement: str
    choices: list[str] | None
    misconceptions: list[Misconception]
    answer: str
    difficulty: Share


class GivenSet(Answer):
    """Different problems; `without_template` are wished concepts for which none can be made."""

    problem_set_id: str
    problems: list[GivenProblem]
    without_template: list[str]
    short_by: int = Field(description="How many fewer than wished: the templates know no more.")


def tools(context: NodeContext) -> list[NodeTool]:
    """The tools of node 3."""

    def generate_learning_path(question: PathQuestion) -> LearningPath:
        return _learning_path(context, question)

    def generate_problem_set(question: ProblemSetQuestion) -> GivenSet:
        return _problem_set(context, question)

    return [
        NodeTool(
            name="generate_learning_path",
            title="A learning path for a student",
            description=(
                "Steps towards the weak areas: weak prerequisites first, then the largest gain a "
                "minute, mixed reviews in between, within the days. Each step says why in Korean."
            ),
            arguments=PathQuestion,
            answer=LearningPath,
            run=generate_learning_path,
        ),
        NodeTool(
            name="generate_problem_set",
            title="Problems for weak areas",
            description=(
                "Problems with checked answers and choices that betray misconceptions. The same "
                "arguments give the same set; concepts without a template are named, not invented."
            ),
            arguments=ProblemSetQuestion,
            answer=GivenSet,
            run=generate_problem_set,
        ),
    ]


def _learning_path(context: NodeContext, question: PathQuestion) -> LearningPath:
    graph, areas = context.graph, list(map(_area, question.weak_areas))
    goals = [Goal(_code(a, graph), a.target_mastery or question.target_level) for a in areas]
    student = _student(context, str(question.student_id), areas)
    made = plan(goals, student, graph, question.duration_days)
    return LearningPath(
        student_id=question.student_id,
        learning_path=[_shown(number, step) for number, step in enumerate(made.steps, 1)],
        cut=[_cut(step, made.seconds_available) for step in made.cut],
        generated_at=context.clock(),
    )


def _area(entry: WeakArea | str) -> WeakArea:
    return entry if isinstance(entry, WeakArea) else WeakArea(concept=entry)


def _code(area: WeakArea, graph: Graph) -> str:
    names = [name for name in (area.code, area.concept) if name]
    known = (graph.resolve(name) for name in names)
    return next((code for code in known if code), graph.canonical(names[0]))


def _student(context: NodeContext, student_id: str, areas: list[WeakArea]) -> Student:
    now, graph, model = context.clock(), context.graph, context.model
    known = model.masteries(student_id)
    told = {_code(area, graph): area for area in areas if area.current_mastery is not None}
    mastery = {code: estimate.mean for code, estimate in known.items()}
    events = context.log.of_student(student_id, (now - _HABIT).timestamp())
    minutes = median_minutes_a_day(events) or _USUAL_MINUTES
    return Student(
        mastery=mastery | {code: area.current_mastery or 0.0 for code, area in told.items()},
        answers={code: estimate.answers for code, estimate in known.items()}
        | {code: area.answers for code, area in told.items() if area.answers is not None},
        ability={
            code: model.level(student_id, code)
            for code, mean in mastery.items()
            if code not in told or _agrees(told[code], mean)
        },
        due=model.due(student_id, now),
        minutes_per_day=max(minutes, _FEWEST_MINUTES),
    )


def _agrees(area: WeakArea, own: float) -> bool:
    return area.current_mastery is None or abs(area.current_mastery - own) <= _SAME_MASTERY


def _shown(number: int, step: Step) -> PathStep:
    return PathStep(
        step=number,
        activity=step.activity,
        concept=step.concept,
        code=step.code,
        codes=list(step.codes),
        estimated_duration=step.seconds,
        problem_set_id=_set_of(step),
        num_problems=step.problems,
        difficulty=step.difficulty,
        why=step.why,
    )


def _set_of(step: Step) -> str | None:
    if step.problems is None or not all(map(has_template, step.codes)):
        return None
    usual = suitable_difficulty(UNKNOWN)
    wishes = [
        Wish(code, usual if step.difficulty is None else step.difficulty) for code in step.codes
    ]
    return set_id(wishes, step.problems, default_seed(wishes, step.problems))


def _cut(step: Step, available: int) -> CutStep:
    return CutStep(
        activity=step.activity,
        concept=step.concept,
        code=step.code,
        estimated_duration=step.seconds,
        why=f"기간 안의 학습 시간 {available // 60}분에 들지 않음",
    )


def _problem_set(context: NodeContext, question: ProblemSetQuestion) -> GivenSet:
    graph = context.graph
    wishes = [_wish(area, graph) for area in map(_area, question.weak_areas)]
    made = make_set(wishes, question.num_problems, question.seed)
    return GivenSet(
        problem_set_id=made.set_id,
        problems=[_given(problem, graph) for problem in made.problems],
        without_template=[graph.name_of(code) for code in made.without_template],
        short_by=made.short_by,
        generated_at=context.clock(),
    )


def _wish(area: WeakArea, graph: Graph) -> Wish:
    mastery = UNKNOWN if area.current_mastery is None else area.current_mastery
    difficulty = suitable_difficulty(mastery) if area.difficulty is None else area.difficulty
    return Wish(_code(area, graph), difficulty)


def _given(problem: Problem, graph: Graph) -> GivenProblem:
    return GivenProblem(
        problem_id=problem.problem_id,
        code=problem.code,
        concept=graph.name_of(problem.code),
        level=problem.level,
        statement=problem.statement,
        choices=list(problem.choices) or None,
        misconceptions=[
            Misconception(choice=choice, misconception=label)
            for choice, label in problem.misconceptions.items()
        ],
        answer=problem.answer,
        difficulty=problem.difficulty,
    )
