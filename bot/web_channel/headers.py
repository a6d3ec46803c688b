"""The security headers of every response (trust A4.6)."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders

SOURCES = "default-src 'none'; " + "; ".join(
    f"{kind} 'self'" for kind in ("script-src", "style-src", "img-src", "media-src", "connect-src", "form-action")
)
TRUSTED_TYPES = "require-trusted-types-for 'script'; trusted-types 'none'"
OFF = (
    "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen",
    "geolocation", "gyroscope", "hid", "identity-credentials-get", "idle-detection", "local-fonts", "magnetometer",
    "microphone", "midi", "payment", "picture-in-picture", "publickey-credentials-get", "screen-wake-lock", "serial",
    "usb", "xr-spatial-tracking",
)  # fmt: skip
YEAR = 365 * 24 * 3600


def security_headers(https: bool, demo: bool) -> dict[str, str]:
    """The headers; the demo alone may show its own pages in frames."""
    frames = "frame-src 'self'; frame-ancestors 'self'" if demo else "frame-ancestors 'none'"
    found = {
        "content-security-policy": f"{SOURCES}; base-uri 'none'; {frames}; {TRUSTED_TYPES}",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": ", ".join(f"{feature}=()" for feature in OFF),
        "x-robots-tag": "noindex, nofollow",
        "x-frame-options": "SAMEORIGIN" if demo else "DENY",
    }
    return found | ({"strict-transport-security": f"max-age={YEAR}"} if https else {})


def add_headers(headers: MutableHeaders, security: dict[str, str]) -> None:
    for name, value in security.items():
        headers[name] = value
    headers.setdefault("content-language", "en")
    if "server" in headers:
        del headers["server"]
