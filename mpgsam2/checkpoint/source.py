"""Where checkpoints come from: a folder of this machine, or a repository of the hub."""

from __future__ import annotations

import errno
import glob
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from huggingface_hub import HfApi, get_hf_file_metadata, hf_hub_url, snapshot_download
from huggingface_hub.constants import HF_HUB_ETAG_TIMEOUT
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    HTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
    SafetensorsParsingError,
)

from mpgsam2.errors import InputError

_MAX_DEPTH = 4  # of folders below the one that is searched
_BYTES_PER_PARAMETER = 4  # unless the file says another number


class NoRepository(InputError):
    """The hub has no repository of that name."""


class HubUnreachable(InputError):
    """The hub does not answer, or a download broke off."""


class Source(Protocol):
    """Files by their relative paths, with slashes."""

    label: str
    """What sentences call it, at their beginning."""

    def files(self) -> list[str]:
        """Return all files."""

    def parameters(self, file: str) -> float:
        """Return about how many numbers a file of weights holds; it is not downloaded for that."""

    def fetch(self, files: Sequence[str]) -> Path:
        """Return a folder on this machine with these files under their paths; those that do not exist are left out."""


class Folder:
    """A folder of this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.label = f"The folder {root.name}"

    def files(self) -> list[str]:
        """Return the files in it and, to some depth, in the folders below; hidden ones are left out."""
        found = []
        for folder, below, names in os.walk(self.root):
            inside = Path(folder).relative_to(self.root)
            below[:] = [name for name in below if not name.startswith(".") and len(inside.parts) < _MAX_DEPTH]
            found += [(inside / name).as_posix() for name in names]
        return found

    def parameters(self, file: str) -> float:
        """See `Source.parameters`."""
        return (self.root / file).stat().st_size / _BYTES_PER_PARAMETER

    def fetch(self, files: Sequence[str]) -> Path:
        """See `Source.fetch`."""
        return self.root


class Repository:
    """A repository of the hub; without a connection, what was downloaded of it before."""

    def __init__(self, name: str, **options: Any) -> None:
        """Take `options` of `huggingface_hub.snapshot_download`, such as `revision` and `token`."""
        self.name, self.options = name, options
        self.label = f"The repository {name}"
        self._access = {key: options[key] for key in ("revision", "token") if key in options}

    def files(self) -> list[str]:
        """See `Source.files`."""
        with self._errors():
            if not self.options.get("local_files_only"):
                try:
                    # Not list_repo_files, which tries for half a minute when there is no connection.
                    info = HfApi().model_info(self.name, timeout=HF_HUB_ETAG_TIMEOUT, **self._access)
                    return [file.rfilename for file in info.siblings or ()]
                except (RepositoryNotFoundError, RevisionNotFoundError):
                    raise
                except (HTTPError, OfflineModeIsEnabled):
                    self.options["local_files_only"] = True
            root = Path(snapshot_download(self.name, allow_patterns=[], **self.options))
            return [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]

    def parameters(self, file: str) -> float:
        """See `Source.parameters`."""
        with self._errors():
            if self.options.get("local_files_only"):
                return (self.fetch([file]) / file).stat().st_size / _BYTES_PER_PARAMETER
            if file.lower().endswith(".safetensors"):
                try:
                    counts = HfApi().parse_safetensors_file_metadata(self.name, file, **self._access).parameter_count
                    return sum(counts.values())
                except (HTTPError, OSError, SafetensorsParsingError):  # the size of the file will do
                    pass
            url = hf_hub_url(self.name, file, revision=self._access.get("revision"))
            return (get_hf_file_metadata(url, token=self._access.get("token")).size or 0) / _BYTES_PER_PARAMETER

    def fetch(self, files: Sequence[str]) -> Path:
        """See `Source.fetch`."""
        with self._errors():
            wanted = [glob.escape(file) for file in files]
            return Path(snapshot_download(self.name, allow_patterns=wanted, **self.options))  # shows progress bars

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn what the hub's client raises into a sentence."""
        try:
            yield
        except GatedRepoError as error:
            raise InputError(
                f"The repository {self.name} is gated: accept its terms on the hub, then log in with `hf auth login`."
            ) from error
        except RevisionNotFoundError as error:
            raise InputError(f"The repository {self.name} has no such revision: check its name.") from error
        except (RepositoryNotFoundError, HFValidationError) as error:
            raise NoRepository(
                f"There is no file or folder here, and no public repository on the hub named {self.name}: check the "
                "name, or log in with `hf auth login` if it is private."
            ) from error
        except (HTTPError, OSError) as error:
            if getattr(error, "errno", None) == errno.ENOSPC:
                raise InputError(f"There is no room on the disk to download the repository {self.name}.") from error
            raise HubUnreachable(
                f"The repository {self.name} could not be downloaded, and is not here from an earlier time: "
                "check the connection and the free disk space."
            ) from error
