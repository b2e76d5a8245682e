"""Settings that only the console's server knows."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator

from chassis.http import is_loopback
from chassis.runtime.settings import ServiceSettings, names_of


class ConsoleSettings(ServiceSettings):
    """The built-in issuer answers only where it was given a key; in production an OIDC issuer stands in its place."""

    public_url: str = ""  # how browsers reach the console, where it is not as its requests say (a proxy with TLS)
    local_secret_file: str = ""  # what the built-in issuer asks for: the content of a file that only one user can read
    issuer_key: str = ""
    oidc_client_id: str = (
        ""  # with it, people log in at AUTH_ISSUER, by code and PKCE; the access token is the session's
    )
    oidc_client_secret: str = ""
    oidc_scope: str = "openid"
    web_folder: str = ""  # the built pages; empty: console/web/dist where it was built
    services_urls: dict[str, str] = Field(default_factory=dict)
    ops_urls: dict[str, str] = Field(default_factory=dict)  # of each process, for the page that shows how they stand
    forward_seconds: float = 4.5  # a service that is down is told to the reader within five
    stream_check_seconds: float = 3.0  # how often a stream asks whether its reader's session still holds
    stream_clients_max: int = 2_500
    stream_catch_ups_max: int = 32
    stream_ring_records: int = 20_000
    stream_heartbeat_seconds: float = 3.0  # pages tell within five seconds that the stream broke off
    stream_stall_seconds: float = 30.0  # a reader that takes nothing for so long is let go; it resumes by its last id

    @field_validator("issuer_key")
    @classmethod
    def _built_in_issuer_is_local(cls, value: str, info: ValidationInfo) -> str:
        if not value:
            return value
        told = info.data
        if not told.get("local_secret_file"):
            raise ValueError("the built-in issuer needs LOCAL_SECRET_FILE, a file that only its user can read")
        public = urlsplit(told.get("public_url", "")).hostname
        names = {
            "HTTP_HOST": [told.get("http_host", "")],
            "PUBLIC_URL": [public] if public else [],
            "HOSTS_ALLOWED": names_of(told.get("hosts_allowed", "")),
        }
        for variable, given in names.items() if told.get("world") == "live" else ():
            if far := next((name for name in given if not is_loopback(name)), None):
                raise ValueError(
                    f"in world live the built-in issuer serves this machine only, and {variable} is {far}: "
                    "use a loopback address there, or log people in with OIDC_CLIENT_ID"
                )
        return value

    @property
    def hosts(self) -> frozenset[str]:
        """The names in Host that the console answers to beside loopback ones."""
        public = urlsplit(self.public_url).hostname
        return super().hosts | ({public} if public else set())
