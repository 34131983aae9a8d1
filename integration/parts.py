"""What every process of the service is built from, made once from the settings; the edge and the worker add their own.

Nothing here talks to anybody: the database is opened with the first question, the broker with the first ring.
"""

from dataclasses import dataclass

from integration import procedures as procedure_files
from integration.clock import Clock, utc_now
from integration.doorbell import Broker, Doorbell, Embedded, celery_app
from integration.files import FileStore
from integration.organisation import InForce
from integration.procedure.definition import Procedure
from integration.procedure.offices import Organisation
from integration.rotation import Rotation
from integration.settings import Settings
from integration.store import Store
from integration.vacancies import office_roles


@dataclass(frozen=True, slots=True)
class Parts:
    """One set per process: none survives a fork.

    `settings`: as they were at the start; what is secret is asked of `rotation`. `procedures`: every revision shipped, the newest of each
    last.
    """

    settings: Settings
    clock: Clock
    store: Store
    files: FileStore
    procedures: tuple[Procedure, ...]
    in_force: InForce
    bell: Doorbell
    rotation: Rotation

    @property
    def organisation(self) -> Organisation:
        """The organisation in force now; take it once for what must not change half way. Raises OrganisationFaults where `unproved`."""
        return self.in_force.now

    @classmethod
    def of(cls, settings: Settings, clock: Clock = utc_now) -> "Parts":
        """The parts these settings describe. Raises InvalidProcedure and OrganisationFaults with every fault of the files."""
        parts = cls.unproved(settings, clock)
        _ = parts.organisation  # whoever starts is told at once of a file that cannot be used
        return parts

    @classmethod
    def unproved(cls, settings: Settings, clock: Clock = utc_now) -> "Parts":
        """The same where the organisation file may have faults: only what needs the organisation fails then. Raises InvalidProcedure."""
        procedures = tuple(procedure_files.load(path) for path in procedure_files.shipped().values())
        store = Store.of(settings, clock)
        return cls(
            settings=settings,
            clock=clock,
            store=store,
            files=FileStore(settings.data_dir, store.key),
            procedures=procedures,
            in_force=InForce(settings.organisation, office_roles(procedures)),
            rotation=Rotation(settings),
            bell=Embedded() if settings.broker_url is None else Broker(celery_app(settings.broker_url.get_secret_value())),
        )
