"""What refused permission looks like over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control

from polly_htmx import access, fragments
from polly_htmx.exceptions import AccessDenied, NotAllowed, NotFound, SignInRequired

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def person_required(view: View[P]) -> View[P]:
    """
    Let only people in who may chat, and keep their pages out of every cache.

    Nobody is sent to the site's sign-in page, and back from there. What is not
    this person's own is a 404, as if it did not exist.
    """

    @wraps(view)
    def wrapped(
        request: HttpRequest, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse:
        try:
            access.require_person(access.who(request))
            response = view(request, *args, **kwargs)
        except (SignInRequired, NotFound) as exc:
            return _refusal(request, exc, kwargs.get("conversation"))
        except NotAllowed as exc:
            raise PermissionDenied(str(exc.user_message)) from None
        patch_cache_control(response, private=True, no_store=True)
        return response

    return cast("View[P]", wrapped)


def _refusal(request: HttpRequest, exc: AccessDenied, key: object) -> HttpResponse:
    if request.headers.get("HX-Request") and key is not None:
        # htmx would follow a redirect and show nothing of where it leads.
        return HttpResponse(fragments.refused(str(key), exc))
    if isinstance(exc, SignInRequired):
        return redirect_to_login(_way_back(request))
    raise Http404


def _way_back(request: HttpRequest) -> str:
    """Return where to go after signing in: a form's address shows nothing by itself."""
    if request.method == "GET":
        return request.get_full_path()
    return request.headers.get("Referer", "/")
