"""Typed settings: the keys of the POLLY dict, read from Django when they are used."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_type_hints

from django.conf import settings


class Conf:
    """
    The keys of ``settings.POLLY`` with their types and defaults.

    Nothing is copied at import, so ``override_settings`` works. A key that is
    missing has the default below. Whether the values make sense is the business
    of the system checks, not of every reader.
    """

    DEFAULT_MODEL: str = "SMOLLM2_135M_INSTRUCT"
    """Name of a member of LLMModelType, or a key of MODELS."""
    MODELS: dict[str, dict[str, Any]] = {}
    """Models that the site adds: NAME: {"label", "model", "api_base", "api_key",
    "params", "fallbacks", "backend"}."""
    AI_MODELS_PATH: Path = Path("ai_models")
    """Folder of GGUF files."""
    LOCAL_SLOTS: int = 4
    """Answers that one local model writes at a time; more wait for their turn."""
    LOCAL_CONTEXT: int = 0
    """Tokens that all slots share; 0: what suits small models on small machines."""
    LOCAL_THREADS: int = 0
    """Threads that a local model computes on; 0: all cores but one, at most four."""
    LOCAL_IDLE_SECONDS: int = 0
    """Seconds without a question after which a local model gives its memory back; 0:
    never."""
    WEBSOCKET_PREFIX: str = "polly/ws/"
    """Path prefix of the sockets; read when polly_htmx.routing is imported."""
    HTMX_VERSION: int = 2
    """Major version of the htmx that the pages load: 2 or 4."""
    ALLOW_ANONYMOUS: bool = False
    """Whether visitors without an account may chat, bound to their session."""
    MAX_MESSAGE_CHARS: int = 16_000
    """Longer messages are refused, never cut."""
    MESSAGES_PER_MINUTE: int = 20
    """Per user or visitor."""
    MAX_RUNNING_REPLIES: int = 3
    """Per user or visitor."""
    MAX_QUEUED: int = 5
    """Messages that wait in a conversation for a reply to end; 0: none, they are
    refused."""
    DAILY_TOKENS: int = 0
    """Per user or visitor, from midnight to midnight of TIME_ZONE: what all questions,
    with all that is sent along, and answers may have; 0: no cap. A reply begins if what
    it may take at the most fits into what is left, its answer cut to that; so the cap
    is never passed. Where one is set, here or at a Parrot, an answer that no max_tokens
    of its Parrot limits has at most 4,096 tokens besides thoughts."""
    DAILY_COST: float = 0
    """The same in US dollars. A model whose price is not known counts nothing."""
    MAX_SOCKETS: int = 100
    """Per user or visitor: pages that are open at once."""
    CONNECT_TIMEOUT: float = 10
    """Seconds until a model's server must have taken the call."""
    FIRST_TOKEN_TIMEOUT: float = 60
    """Seconds until the first piece of an answer must be there."""
    GAP_TIMEOUT: float = 60
    """Seconds that may pass between two pieces of an answer."""
    REPLY_MAX_SECONDS: float = 900
    """Seconds that a whole answer may take."""
    RETRIES: int = 2
    """How often a model is asked again that failed before its first word."""
    BREAKER_SECONDS: float = 30
    """How long a model is left alone that has failed five times in a row; 0: never."""
    REPLY_LEASE: float = 20
    """Seconds after which a runner that gives no sign of life counts as dead."""
    MAX_ANSWER_CHARS: int = 200_000
    """Longer answers are cut, kept and marked."""
    REPLIES: str = "web"
    """Where replies run: "web" or "worker"."""
    FLUSH_INTERVAL: float = 0.04
    """Least number of seconds between two frames of one reply."""
    SHUTDOWN_GRACE: float = 8
    """Seconds that running replies get on SIGTERM."""
    ALLOWED_ORIGINS: list[str] = []
    """Origins besides the site's own that may open sockets."""
    CONSUMER: str = "polly_htmx.consumers.SmartGPTConsumer"
    """Dotted path of the consumer that routing, forms and tags use."""
    TITLES: bool | str = True
    """Whether a model names chats after their first exchange: True for the model that
    answered, or the name of a cheaper one; False: the first words stand for a title."""
    HOOKS: list[str] = []
    """Dotted paths of subclasses of polly_htmx.hooks.Hook, in the order of asking."""
    SHOW_USAGE: bool = False
    """Whether people see the tokens and the cost of the answers that they got."""
    IMAGE_HOSTS: list[str] = []
    """Hosts from which images in Markdown may load; others become links."""

    def __getattribute__(self, name: str) -> Any:
        default = object.__getattribute__(self, name)
        if not name.isupper():
            return default
        given = getattr(settings, "POLLY", {})
        if name == "AI_MODELS_PATH":
            return Path(given.get(name, _models_path(default)))
        return given.get(name, default)

    def login_url(self) -> str:
        """Return the site's own sign-in page: a path or the name of a URL."""
        return settings.LOGIN_URL

    def types(self) -> dict[str, Any]:
        """Return the name of every key with its annotation, for the checks."""
        return get_type_hints(type(self))


def _models_path(default: Path) -> Path:
    """Return the site's AI_MODELS_PATH, else a folder beside its manage.py."""
    base = Path(getattr(settings, "BASE_DIR", "."))
    return Path(getattr(settings, "AI_MODELS_PATH", base / default))


conf = Conf()
