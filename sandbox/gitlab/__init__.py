"""A stand-in GitLab over real HTTP, for the demo and the tests: it behaves as GitLab's Free tier does, its traps included.

Rule: production code never imports it; a difference from a real GitLab is a fault of the stand-in.
"""

from sandbox.gitlab.deliveries import Delivery
from sandbox.gitlab.entities import Level, Project, User
from sandbox.gitlab.forge import GitLab
from sandbox.gitlab.person import Person
from sandbox.gitlab.server import Request

__all__ = ["Delivery", "GitLab", "Level", "Person", "Project", "Request", "User"]
