"""The parts of the room `analytics`."""

from student_hub.access.audit.service import Audit
from student_hub.analytics.asking import ClassNodes
from student_hub.analytics.gathering import ClassGatherer
from student_hub.analytics.plans import NoPlans
from student_hub.analytics.service import Classes
from student_hub.analytics.shelf import Shelf
from student_hub.nodes.gateway import Gateway
from student_hub.nodes.logic_engine import LogicEngine
from student_hub.nodes.q_dna import QDna
from student_hub.platform.cache.store import Cache
from student_hub.platform.db.database import Database
from student_hub.platform.parts import Parts
from student_hub.students.service import Students


def build_analytics(parts: Parts) -> ClassGatherer:
    """Shelves the service; what is given back has to be closed."""
    gateway, db = parts.get(Gateway), parts.get(Database)
    nodes, shelf = ClassNodes(LogicEngine(gateway), QDna(gateway)), Shelf(parts.get(Cache))
    gatherer = ClassGatherer(db, parts.get(Students), nodes, NoPlans(), shelf)
    parts.put(Classes(db, gatherer, shelf, parts.get(Audit)))
    return gatherer
