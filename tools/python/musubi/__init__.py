"""Client of a musubi server.

>>> import musubi
>>> client = musubi.Client.from_folder("op")          # certificates as `musubi init` made them
>>> run = client.link(progress=True)                   # starts a run and waits for its end
>>> client.entities().to_pandas()                      # source, record_ref, entity
>>> client.pseudonyms("dementia-2026").to_parquet("pseudonyms.parquet")
"""

from .aio import AsyncClient
from .client import Client
from .errors import MusubiError, NotAllowed, NotFound, TryAgain
from .models import Project, Run, Source
from .rows import Rows

__all__ = [
    "AsyncClient",
    "Client",
    "MusubiError",
    "NotAllowed",
    "NotFound",
    "Project",
    "Rows",
    "Run",
    "Source",
    "TryAgain",
]
