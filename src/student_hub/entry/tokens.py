"""Who may issue tokens for the hub, as the settings say it."""

from student_hub.access.policy import ceiling
from student_hub.access.tokens.issuer import Issuer
from student_hub.access.tokens.provider import Provider
from student_hub.access.tokens.resource import Resource
from student_hub.access.tokens.roles import OWN_NAMES, Choice, Roles, paths_of
from student_hub.access.tokens.service import Tokens
from student_hub.platform.http.challenges import Challenge
from student_hub.platform.settings import Settings


def resource_of(settings: Settings) -> Resource | None:
    """The hub as a protected resource; None when no issuer is set."""
    if not settings.oidc_issuers or settings.resource_url is None:
        return None
    return Resource(
        settings.resource_url.rstrip("/"),
        tuple(settings.oidc_issuers.values()),
        tuple(settings.oidc_audience),
    )


def challenge_of(settings: Settings) -> Challenge | None:
    """What a refused request is told of how to get a token; None when no issuer is set."""
    resource = resource_of(settings)
    return None if resource is None else Challenge(resource.url, ceiling)


def tokens_of(settings: Settings) -> Tokens | None:
    """What reads tokens; None when no issuer is set. Issuers are asked when the first one comes."""
    resource = resource_of(settings)
    if resource is None:
        return None
    plain = settings.oidc_allow_http
    return Tokens(
        {
            url: Issuer(alias, Provider(url, allow_http=plain))
            for alias, url in settings.oidc_issuers.items()
        },
        audiences=resource.audiences,
        roles=Roles(
            paths_of(settings.oidc_roles_claim, resource.audiences),
            settings.oidc_role_map or OWN_NAMES,
            Choice(settings.oidc_role_choice),
        ),
        ceiling=ceiling,
    )
