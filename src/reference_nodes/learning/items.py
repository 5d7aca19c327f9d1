"""What is believed about the items: their concepts and their difficulty."""

from reference_nodes.learning.rasch import ITEM_VARIANCE, Surprise, logit


class ItemBelief:
    """An item's difficulty N(d, v) on the logit scale, from `answers` first attempts."""

    __slots__ = ("answers", "concepts", "d", "v")

    def __init__(self, d: float, concepts: tuple[str, ...]) -> None:
        self.d = d
        self.v = ITEM_VARIANCE
        self.concepts = concepts
        self.answers = 0


class _Mean:
    __slots__ = ("count", "total")

    def __init__(self) -> None:
        self.total = 0.0
        self.count = 0


class ItemTable:
    """All items seen so far, and the mean difficulty of each concept's items."""

    def __init__(self) -> None:
        self._items: dict[str, ItemBelief] = {}
        self._by_concept: dict[str, _Mean] = {}
        self._all = _Mean()

    def __len__(self) -> int:
        return len(self._items)

    def get(self, problem_id: str) -> ItemBelief | None:
        """The item, or None when nobody has answered it."""
        return self._items.get(problem_id)

    def meet(
        self, problem_id: str, concepts: tuple[str, ...] | None, difficulty: float | None
    ) -> ItemBelief:
        """The item; a new one starts at its author's difficulty, else at its concepts' mean."""
        item = self._items.get(problem_id)
        if item is None:
            known = concepts or ()
            start = self._prior(known) if difficulty is None else logit(difficulty)
            item = self._items[problem_id] = ItemBelief(start, known)
            self._count(item, self._all, *map(self._mean_of, known))
        elif concepts and not item.concepts:
            item.concepts = concepts
            self._count(item, *map(self._mean_of, concepts))
        return item

    def learn(self, item: ItemBelief, surprise: Surprise) -> None:
        """Move the difficulty by one first attempt: d -= v g, v -= v^2 h."""
        step = -item.v * surprise.g
        item.d += step
        item.v -= item.v * item.v * surprise.h
        item.answers += 1
        self._all.total += step
        for concept in item.concepts:
            self._by_concept[concept].total += step

    def mean_difficulty(self, concept: str) -> float:
        """Mean difficulty of a concept's items; of all items where it has none; 0 without any."""
        mean = self._by_concept.get(concept)
        return mean.total / mean.count if mean else self.mean_of_all()

    def mean_of_all(self) -> float:
        """Mean difficulty of all items, 0 without any."""
        return self._all.total / self._all.count if self._all.count else 0.0

    def _prior(self, concepts: tuple[str, ...]) -> float:
        if not concepts:
            return self.mean_of_all()
        return sum(map(self.mean_difficulty, concepts)) / len(concepts)

    def _mean_of(self, concept: str) -> _Mean:
        return self._by_concept.setdefault(concept, _Mean())

    def _count(self, item: ItemBelief, *means: _Mean) -> None:
        for mean in means:
            mean.total += item.d
            mean.count += 1
