"""URLs of the sandbox."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import include, path
from django.views.generic import RedirectView, TemplateView

urlpatterns = [
    path("", TemplateView.as_view(template_name="home.html"), name="home"),
    path("accounts/login/", auth_views.LoginView.as_view(), name="login"),
    path("accounts/logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    path("polly/", include("polly_htmx.urls")),
    # Browsers ask for it where a page names no icon.
    path("favicon.ico", RedirectView.as_view(url="/static/sandbox/icon.svg")),
]
