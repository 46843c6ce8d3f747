"""Settings that a check complains of, and settings that it is content with."""

from __future__ import annotations

from typing import Any

from polly_htmx.consumers import SmartGPTConsumer

REQUEST = "django.template.context_processors.request"
SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"
AUTH = "django.contrib.auth.middleware.AuthenticationMiddleware"
# The other app of unfold would put a new, empty admin site in the place of ours.
UNFOLD = "unfold.apps.BasicAppConfig"
APPS = [
    "daphne",
    UNFOLD,
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "django_htmx",
    "polly_htmx",
]


class OwnConsumer(SmartGPTConsumer):
    """A consumer as a site writes it."""


application = object()
"""An ASGI application that does not say what it routes."""


class OnlyHttp:
    """An ASGI application without sockets."""

    application_mapping = {"http": application}


only_http = OnlyHttp()

Settings = dict[str, Any]


def without(name: str) -> Settings:
    return {"INSTALLED_APPS": [each for each in APPS if each != name]}


def moved_to_the_end(name: str) -> Settings:
    return {"INSTALLED_APPS": [*without(name)["INSTALLED_APPS"], name]}


def polly(**keys: Any) -> Settings:
    return {"POLLY": {"DEFAULT_MODEL": "DUMMY", **keys}}


def entry(**keys: Any) -> Settings:
    return polly(MODELS={"OURS": {"model": "openai/x", **keys}})


def layer(backend: str) -> Settings:
    return {"CHANNEL_LAYERS": {"default": {"BACKEND": backend}}}


def templates(*processors: str) -> Settings:
    backend = "django.template.backends.django.DjangoTemplates"
    options = {"context_processors": list(processors)}
    return {"TEMPLATES": [{"BACKEND": backend, "OPTIONS": options}]}


ALL_APPS = {"INSTALLED_APPS": APPS}
MEMORY = "channels.layers.InMemoryChannelLayer"
REDIS_CORE = "channels_redis.core.RedisChannelLayer"
REDIS = "channels_redis.pubsub.RedisPubSubChannelLayer"
SCRIPTED = "polly_htmx.llm.scripted.ScriptedInvoker"
LIMITS = {"MESSAGES_PER_MINUTE": 5, "MAX_RUNNING_REPLIES": 1}
LOCAL = "http://127.0.0.1:11434/v1"

CASES: list[tuple[str, Settings, Settings]] = [
    ("E001", {"ASGI_APPLICATION": None}, {"ASGI_APPLICATION": "tests.asgi.x"}),
    ("E002", without("channels"), ALL_APPS),
    ("E003", without("daphne"), ALL_APPS),
    ("E004", moved_to_the_end("daphne"), ALL_APPS),
    ("E005", without("django_htmx"), ALL_APPS),
    ("E006", {"CHANNEL_LAYERS": {}}, layer(MEMORY)),
    ("E006", {"CHANNEL_LAYERS": {"other": {"BACKEND": MEMORY}}}, layer(REDIS)),
    ("E007", {"MIDDLEWARE": [AUTH]}, {"MIDDLEWARE": [SESSIONS, AUTH]}),
    ("E007", {"MIDDLEWARE": [SESSIONS, "no.such"]}, {"MIDDLEWARE": [SESSIONS, AUTH]}),
    ("E008", templates(), templates(REQUEST)),
    ("E010", {"POLLY": ["DEFAULT_MODEL"]}, {"POLLY": {}}),
    ("E011", polly(DEFAULT_MODLE="DUMMY"), polly()),
    ("E011", {"POLLY": {1: 2}}, polly()),
    ("E012", polly(MAX_MESSAGE_CHARS="many"), polly(MAX_MESSAGE_CHARS=10)),
    ("E012", polly(MAX_MESSAGE_CHARS=True), polly(GAP_TIMEOUT=1)),
    ("E012", polly(MAX_MESSAGE_CHARS=1.5), polly(GAP_TIMEOUT=1.5)),
    ("E012", polly(ALLOW_ANONYMOUS=1), polly(ALLOW_ANONYMOUS=False)),
    ("E012", polly(IMAGE_HOSTS="img.example"), polly(IMAGE_HOSTS=("img.example",))),
    ("E012", polly(IMAGE_HOSTS=[1]), polly(IMAGE_HOSTS=[])),
    ("E012", polly(MODELS=["OURS"]), polly(MODELS={})),
    ("E012", polly(AI_MODELS_PATH=5), polly(AI_MODELS_PATH="models")),
    ("E012", polly(CONSUMER=OwnConsumer), polly()),
    ("E012", {"POLLY": {"DEFAULT_MODEL": ["DUMMY"]}}, polly()),
    ("E013", polly(DAILY_TOKENS=-1), polly(DAILY_TOKENS=0)),
    ("E013", polly(DAILY_COST=-0.01), polly(DAILY_COST=0.01)),
    ("E013", polly(GAP_TIMEOUT=0), polly(GAP_TIMEOUT=0.1)),
    ("E013", polly(MAX_RUNNING_REPLIES=-1), polly(MAX_RUNNING_REPLIES=1)),
    ("E013", polly(GAP_TIMEOUT=float("nan")), polly()),
    ("E013", polly(GAP_TIMEOUT=float("inf")), polly()),
    ("E014", polly(HTMX_VERSION=3), polly(HTMX_VERSION=4)),
    ("E015", polly(REPLIES="thread"), polly(REPLIES="web")),
    (
        "E016",
        polly(REPLIES="worker") | layer(MEMORY),
        polly(REPLIES="worker") | layer(REDIS),
    ),
    ("E016", polly(REPLIES="worker") | layer(MEMORY), polly() | layer(MEMORY)),
    (
        "W009",
        polly(REPLIES="worker") | layer(REDIS_CORE),
        polly(REPLIES="worker") | layer(REDIS),
    ),
    (
        "E017",
        polly(ALLOWED_ORIGINS=["example.org"]),
        polly(ALLOWED_ORIGINS=["https://example.org", "http://localhost:3000"]),
    ),
    ("E017", polly(ALLOWED_ORIGINS=["https://example.org/chat"]), polly()),
    ("E017", polly(ALLOWED_ORIGINS=["https://me@example.org"]), polly()),
    ("E017", polly(ALLOWED_ORIGINS=["ftp://example.org", "*"]), polly()),
    ("E017", polly(ALLOWED_ORIGINS=["http://[broken"]), polly()),
    ("E020", polly(DEFAULT_MODEL="DUMY"), polly(DEFAULT_MODEL="DUMMY")),
    ("E020", polly(DEFAULT_MODEL="OURS"), entry() | {}),
    ("E021", entry(fallbacks=["NOBODY"]), entry(fallbacks=["DUMMY", "OURS"])),
    ("E022", polly(MODELS={"OURS": "openai/x"}), entry()),
    ("E022", entry(params=[1]), entry(params={"temperature": 0.2})),
    ("E022", entry(fallbacks="DUMMY"), entry(fallbacks=["DUMMY"])),
    ("E023", entry(api_keys="x"), entry(label="Ours")),
    ("E024", polly(MODELS={"OURS": {"label": "Ours"}}), entry()),
    ("E026", entry(backend="no.such.Invoker"), entry(backend=SCRIPTED)),
    ("E026", entry(backend="Invoker"), entry(backend=SCRIPTED)),
    ("E022", entry(context_window="8k"), entry(context_window=8192)),
    ("E022", entry(context_window=0), entry(context_window=1)),
    ("E022", entry(takes=["images"]), entry(takes={"images": True})),
    ("E022", entry(takes={"images": 1}), entry(takes={})),
    ("E022", entry(price={"input": "0.4"}), entry(price={"input": 0.4, "output": 2})),
    ("E022", entry(price={"input": -1}), entry(price={"cached_input": 0})),
    ("E022", entry(price=0.4), entry(price={})),
    ("E023", entry(takes={"image": True}), entry(takes={"tools": False})),
    ("E023", entry(price={"inputs": 1}), entry(price={"input": 1})),
    ("E027", entry(params={"temperatures": 1}), entry(params={"min_tokens": 1})),
    ("E027", entry(params={"temperature": 3}), entry(params={"temperature": None})),
    (
        "E027",
        entry(takes={"reasoning": False}, params={"reasoning_effort": "low"}),
        entry(params={"reasoning_effort": "low"}),
    ),
    (
        "E027",
        entry(model="openai/gpt-5.4-mini", params={"max_tokens": 10**7}),
        entry(model="openai/gpt-5.4-mini", params={"max_tokens": 10**3}),
    ),
    (
        "E027",
        entry(params={"temperatures": 1}),
        entry(backend=SCRIPTED, params={"x": 1}),
    ),
    ("E028", entry(api_base="127.0.0.1:8080"), entry(api_base=LOCAL)),
    ("E028", entry(api_base="ftp://x.example"), entry(api_base="https://x.example")),
    ("E028", entry(api_base="file:///etc/passwd"), entry(api_base=LOCAL)),
    ("E028", entry(api_base="gopher://127.0.0.1:6379/_"), entry(api_base=LOCAL)),
    ("E027", entry(params={"base_url": LOCAL}), entry(api_base=LOCAL)),
    ("E028", entry(api_base="http://x:port/"), entry(api_base="http://[::1]/v1")),
    ("E030", polly(CONSUMER="tests.checks.sites.Nobody"), polly()),
    ("E031", polly(CONSUMER="pathlib.Path"), polly()),
    (
        "E031",
        polly(CONSUMER="tests.checks.sites.application"),
        polly(CONSUMER="tests.checks.sites.OwnConsumer"),
    ),
    ("E032", polly(HOOKS=["tests.checks.sites.Nobody"]), polly(HOOKS=[])),
    ("E033", polly(HOOKS=["pathlib.Path"]), polly(HOOKS=["polly_htmx.hooks.Hook"])),
    ("E033", polly(HOOKS=["tests.checks.sites.application"]), polly()),
    ("W001", layer(MEMORY) | {"DEBUG": False}, layer(MEMORY) | {"DEBUG": True}),
    ("W001", layer(MEMORY) | {"DEBUG": False}, layer(REDIS) | {"DEBUG": False}),
    ("W002", {"ROOT_URLCONF": "tests.checks.urls"}, {"ROOT_URLCONF": "tests.urls"}),
    ("W003", {"ALLOWED_HOSTS": ["*"]}, {"ALLOWED_HOSTS": [".example.org"]}),
    (
        "W005",
        {"SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies"},
        {"SESSION_ENGINE": "django.contrib.sessions.backends.db"},
    ),
    ("W006", polly(ALLOW_ANONYMOUS=True), polly(ALLOW_ANONYMOUS=True, **LIMITS)),
    (
        "W006",
        polly(ALLOW_ANONYMOUS=True, **(LIMITS | {"MESSAGES_PER_MINUTE": 1000})),
        polly(),
    ),
    ("W007", moved_to_the_end(UNFOLD), ALL_APPS),
    (
        "W008",
        {"ASGI_APPLICATION": "tests.checks.sites.only_http"},
        {"ASGI_APPLICATION": "tests.asgi.application"},
    ),
    (
        "W008",
        {"ASGI_APPLICATION": "tests.checks.sites.only_http"},
        {"ASGI_APPLICATION": "tests.checks.sites.application"},
    ),
    ("W021", entry(api_key="env:POLLY_NO_SUCH"), entry(api_key="env:PATH")),
    (
        "W022",
        entry(api_base="http://llm.example.org/v1"),
        entry(api_base="https://llm.example.org/v1"),
    ),
    ("W022", entry(api_base="HTTP://8.8.8.8/v1"), entry(api_base=LOCAL)),
    ("W022", entry(api_base="http://[broken"), entry(api_base="http://[::1]:80/")),
    ("W022", entry(api_base="http://x.example"), entry(api_base="http://ollama:80")),
    ("W023", entry(api_key="sk-1"), entry(api_key="env:PATH")),
    ("W024", entry(model="opnai/x"), entry(model="azure/mine")),
    ("W024", entry(model="nobody-knows-this"), entry(model="gpt-5.4-mini")),
    ("W023", entry(api_key="os.environ/KEY"), entry(api_key="none", api_base=LOCAL)),
]
"""Number of the check, settings that fail it, settings that pass it."""
