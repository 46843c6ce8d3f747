"""Parrots: instances of an LLM with a character, and their versions."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import DEFAULT_DB_ALIAS, DatabaseError, models, router, transaction
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from polly_htmx.conf import conf
from polly_htmx.llm import LLMConnect, LLMModelType, Reply, fallbacks, parameters
from polly_htmx.llm.attempts import Attempt
from polly_htmx.llm.estimates import estimate, limited
from polly_htmx.llm.model_type import is_known
from polly_htmx.managers import ParrotQuerySet
from polly_htmx.markdown import render
from polly_htmx.models import spending
from polly_htmx.models.base import PublicModel
from polly_htmx.models.caps import Capped
from polly_htmx.statements import Rows

logger = logging.getLogger(__name__)

NAME_CHARS = 100
MODEL_CHARS = 100
OLDEST = 150
"""The oldest parrot on record reached half of this."""

validate_color = RegexValidator(
    r"\A#[0-9a-fA-F]{6}\Z", _("Write the colour as #rrggbb, such as #2f855a.")
)


def default_model() -> str:
    """Return the name of the site's default model."""
    return conf.DEFAULT_MODEL


class Parrot(Capped, PublicModel):
    """An instance of an LLM with a character."""

    name = models.CharField(_("name"), max_length=NAME_CHARS)
    color = models.CharField(
        _("colour"), max_length=7, default="#2f855a", validators=[validate_color]
    )
    age = models.PositiveSmallIntegerField(
        _("age"), default=1, validators=[MaxValueValidator(OLDEST)]
    )
    model = models.CharField(
        _("model"),
        max_length=MODEL_CHARS,
        default=default_model,
        help_text=_("A name, not a choice: a new model needs no migration."),
    )
    system_prompt = models.TextField(
        _("character"),
        blank=True,
        help_text=_(
            "What the Parrot is told before every conversation. Put no secrets here: "
            "a model may repeat what it was told."
        ),
    )
    parameters = models.JSONField(
        _("parameters"),
        default=dict,
        blank=True,
        help_text=_('Sent with every request, such as {"temperature": 0.2}.'),
    )
    # No part of a version: it changes what readers see, not how the Parrot answers.
    shows_thinking = models.BooleanField(
        _("shows its thoughts"),
        default=True,
        help_text=_("Readers may see what the model thinks before it answers."),
    )
    fallbacks = models.JSONField(
        _("fallbacks"),
        default=list,
        blank=True,
        help_text=_(
            "Names of models that answer, in this order, where the Parrot's own can't; "
            "they take the place of those that its model has."
        ),
    )
    greeting = models.TextField(
        _("greeting"),
        blank=True,
        help_text=_("What an empty chat says first, in Markdown."),
    )
    starters = models.JSONField(
        _("starters"),
        default=list,
        blank=True,
        help_text=_("Messages that an empty chat offers to send, one a line."),
    )
    retired_at = models.DateTimeField(
        _("retired"),
        null=True,
        blank=True,
        help_text=_("A retired Parrot keeps its conversations and takes no new ones."),
    )

    objects = ParrotQuerySet.as_manager()

    class Meta:
        verbose_name = _("Parrot")
        verbose_name_plural = _("Parrots")
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and write down a new version if the Parrot now answers otherwise."""
        if isinstance(self.model, LLMModelType):
            self.model = self.model.name  # What is stored is a name, not a member.
        with transaction.atomic(using=kwargs.get("using")):
            super().save(*args, **kwargs)
            self.current_version()

    @property
    def is_retired(self) -> bool:
        """Whether the Parrot takes no new conversations and turns."""
        return self.retired_at is not None

    @property
    def greeting_html(self) -> SafeString:
        """The greeting, rendered."""
        return render(self.greeting)

    def current_version(self) -> ParrotVersion:
        """Return the version that says how the Parrot answers now, made if missing."""
        last = self._last_version()
        if last and last.character == self.character:
            return last
        version, _made = self.versions.get_or_create(
            number=last.number + 1 if last else 1, defaults=self.character
        )
        return version

    def _last_version(self) -> ParrotVersion | None:
        using = router.db_for_read(ParrotVersion, instance=self)
        last = Rows(ParrotVersion, using, {"parrot": self.pk}).last_by("number")
        if last is not None:
            last.parrot = self  # Known, so that nobody needs to read it.
        return last

    @property
    def character(self) -> dict[str, Any]:
        """Everything that decides how the Parrot answers."""
        return {
            "model": self.model,
            "system_prompt": self.system_prompt,
            "parameters": self.parameters,
            "fallbacks": self.fallbacks,
        }

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """Look also at what the model takes; a model that has gone is no fault here."""
        errors: dict[str, Any] = {}
        try:
            super().clean_fields(exclude=exclude)
        except ValidationError as exc:
            errors = exc.update_error_dict(errors)
        for field, found in self._problems().items():
            if found and field not in (exclude or ()):
                errors[field] = [*errors.get(field, []), *found]
        if errors:
            raise ValidationError(errors)

    def _problems(self) -> dict[str, list[ValidationError]]:
        """Return what is wrong with what the model is asked with, by field."""
        model = LLMModelType[self.model] if is_known(self.model) else None
        return {
            "parameters": [
                ValidationError("%(text)s", params={"name": name, "text": text})
                for name, text in parameters.problems(model, self.parameters)
            ],
            "fallbacks": [
                ValidationError("%(text)s", params={"text": text})
                for text in fallbacks.problems(self.model, self.fallbacks)
            ],
        }

    def ask(self, text: str) -> Reply:
        """
        Return the Parrot's answer to one text, outside of any conversation.

        What it took is written down as a ModelCall, unless the Parrot is not saved.
        Raises an exception of polly_htmx.llm.exceptions if the model cannot answer,
        and ParrotsDayUsedUp if the Parrot's daily cap leaves no room for it.
        """
        connect, held = self._connect(text)
        invoker = connect.invoker()
        try:
            return invoker.send_message(text)
        finally:
            self._write_down(invoker.attempts, held)

    async def aask(self, text: str) -> Reply:
        """See ask()."""
        connect, held = await sync_to_async(self._connect)(text)
        invoker = connect.invoker()
        try:
            return await invoker.asend_message(text)
        finally:
            await sync_to_async(self._write_down)(invoker.attempts, held)

    def _connect(self, text: str) -> tuple[LLMConnect, Any]:
        """Return a connection for one text, and what was held for its calls, if any."""
        connect = LLMConnect.for_parrot(self)
        if self._state.adding or not self.has_caps:
            return connect, None
        told = [
            {"role": "system", "content": self.system_prompt},
            {"role": "user", "content": text},
        ]
        about = estimate(connect.model, self.parameters, self.fallbacks, told)
        using = self._state.db or DEFAULT_DB_ALIAS
        with transaction.atomic(using=using):
            if not spending.lock_parrot(self, using):
                return connect, None
            day = spending.day_of(spending.cap_of_parrot(self), using)
            share = spending.share_for(about, [day])
            held = self._calls().hold(
                share.tokens, share.cost, using=using, **self._about_asking()
            )
        params = limited(connect.model, self.parameters, share.output)
        return connect.having(system_prompt=self.system_prompt, **params), held

    def _about_asking(self) -> dict[str, Any]:
        calls, last = self._calls(), self._last_version()
        # A cap must not be got around by an object that is older than its row.
        is_own = last and (self.has_caps or last.character == self.character)
        return {"purpose": calls.Purpose.ASK, "version": last if is_own else None}

    def _calls(self) -> Any:
        return ParrotVersion._meta.get_field("calls").related_model

    def _write_down(self, attempts: Sequence[Attempt], held: Any) -> None:
        """Keep what calls took. An answer that is there is given even if this fails."""
        if self._state.adding or not (attempts or held):
            return
        calls, using = self._calls(), self._state.db or DEFAULT_DB_ALIAS
        try:
            with transaction.atomic(using=using):
                about = self._about_asking()
                rows = [calls.of(each, **about) for each in attempts]
                calls.settle(rows, held, using=using)
        except DatabaseError as exc:
            logger.error(  # noqa: TRY400  (a database's words may hold anything)
                "calls not written down parrot=%s fault=%s",
                self.external_id,
                type(exc).__name__,
            )


class ParrotVersion(models.Model):
    """How a Parrot answered from one moment on. Never changed, never removed."""

    parrot = models.ForeignKey(
        Parrot, on_delete=models.PROTECT, related_name="versions"
    )
    number = models.PositiveIntegerField(_("number"))
    model = models.CharField(_("model"), max_length=MODEL_CHARS)
    system_prompt = models.TextField(_("character"), blank=True)
    parameters = models.JSONField(_("parameters"), default=dict, blank=True)
    fallbacks = models.JSONField(_("fallbacks"), default=list, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("version of a Parrot")
        verbose_name_plural = _("versions of Parrots")
        ordering = ["parrot", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["parrot", "number"], name="polly_version_number"
            )
        ]

    def __str__(self) -> str:
        return f"{self.parrot} {self.number}"

    @property
    def character(self) -> dict[str, Any]:
        """Everything that decides how the Parrot answers."""
        return {
            "model": self.model,
            "system_prompt": self.system_prompt,
            "parameters": self.parameters,
            "fallbacks": self.fallbacks,
        }
