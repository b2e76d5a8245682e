"""Settings that only the console's server knows."""

from __future__ import annotations

from pydantic import Field

from chassis.settings import ServiceSettings


class ConsoleSettings(ServiceSettings):
    """The built-in issuer answers only where it was given a key; in production an OIDC issuer stands in its place."""

    issuer_key: str = ""
    public_url: str = ""  # how browsers reach the console, where it is not as its requests say (a proxy with TLS)
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
