"""The errand service of one worker, made from the settings."""

from __future__ import annotations

from esl_controller.database.pool import Pool
from esl_controller.errands.embedding import EmbeddingDesk
from esl_controller.errands.kinds import KINDS
from esl_controller.errands.means import MeansReader
from esl_controller.errands.purse import Purse
from esl_controller.errands.service import ErrandService
from esl_controller.settings.table import Settings
from esl_controller.tenants.config import config_source
from esl_controller.tenants.source import ConfigSource

CONNECTIONS = 2
"""To the database, of their own: a crowd of errands takes none from the calls."""


def errands_of(
    settings: Settings, dsn: str, source: ConfigSource, worker: str, purse: Purse
) -> tuple[ErrandService, EmbeddingDesk]:
    """With who asks for vectors of documents.

    Reads the CA file of the services, and the key file. Raises OSError, SecretError.
    """
    at = settings.database
    pool = Pool(
        dsn,
        size=CONNECTIONS,
        connect_timeout_s=at.connect_timeout_s,
        statement_timeout_s=at.statement_timeout_s,
    )
    own = config_source(settings, pool)
    own.secret_store = source.secret_store
    means = MeansReader.of(settings, pool, own, purse)
    service = ErrandService(pool, KINDS, means, worker, on_stop=means.close)
    return service, EmbeddingDesk(pool, means.embeddings)
