"""Errors whose message is written for the person at the screen.

Doors (the pages, the command line) show ``str(error)`` as it is and nothing else.
"""


class LeukemiaError(Exception):
    """Something that a user can understand and put right; the message says what and where."""


class SettingError(LeukemiaError):
    """A setting in the environment is not what it must be."""


class AccessError(LeukemiaError):
    """Whoever asks is not signed in, or may not do this."""


class SessionEndedError(AccessError):
    """Whoever asks must sign in first, or again: the same may succeed then."""


class ImageError(LeukemiaError):
    """One image cannot be answered; the message says why in a clinician's words."""


class OutputError(LeukemiaError):
    """What a user named for the result may not be written: it is something else, or cannot be."""


class ArchiveError(LeukemiaError):
    """A source folder or zip cannot be imported as a C-NMC 2019 set."""


class DatasetError(LeukemiaError):
    """A prepared data set is missing, damaged or too small for what was asked."""


class BundleError(LeukemiaError):
    """A model bundle is missing, incomplete or altered."""


class RecipeError(LeukemiaError):
    """A recipe is unknown or its settings are out of bounds."""


class JobError(LeukemiaError):
    """A background job cannot be started, or is not there."""


class ClusterError(LeukemiaError):
    """Ray, which spreads work over cores and machines, is not installed, not there, or was lost."""


class BusyError(JobError):
    """Another job is running on the same data folder."""


class CorrectionError(LeukemiaError):
    """A label cannot be corrected or a correction cannot be undone as asked."""


class RecordsError(LeukemiaError):
    """The records (cases, verdicts, the trail) cannot be used, or cannot hold what was asked."""


class RecordsUnavailableError(RecordsError):
    """The records cannot be read or written at the moment: the same may succeed later."""


class RegistryError(LeukemiaError):
    """The registry of model versions cannot be read, or cannot do what was asked."""


class SendingError(LeukemiaError):
    """Another system did not take what was sent; the message says why."""
