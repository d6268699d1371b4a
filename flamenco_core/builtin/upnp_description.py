"""What this Manager is, in UPnP's words: for network views such as that of Windows."""

from __future__ import annotations

import re
from typing import Any
from xml.sax.saxutils import escape

from litestar import Response, get

from flamenco_core import __version__
from flamenco_core.builtin.ssdp_answer import DESCRIPTION
from flamenco_core.builtin.ssdp_search import DEVICE, SERVICE
from flamenco_core.offers.operations import Raw, operation

__all__ = ["describe_as"]

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def describe_as(name: str) -> Any:
    """Return the route of the document that answers to SSDP searches point at.

    Workers do not read it.
    """
    body = _document(f"{name} (Flamenco {__version__})").encode()

    opt = operation("describeForUpnp", Raw("text/xml"))

    @get(f"/{DESCRIPTION}", opt=opt, tags=["system"], sync_to_thread=False)
    def describe() -> Response[bytes]:
        """Describe the Manager to network views."""
        return Response(body, media_type="text/xml; charset=utf-8")

    return describe


def _document(name: str) -> str:
    device = {
        "deviceType": SERVICE,
        "friendlyName": _NOT_XML.sub("", name),
        "manufacturer": "Flamenco",
        "modelName": "Flamenco Manager",
        "modelNumber": __version__,
        "modelDescription": "Manager of a render farm",
        "UDN": f"uuid:{DEVICE}",
        "presentationURL": "/",
    }
    inside = "".join(f"<{key}>{escape(text)}</{key}>" for key, text in device.items())
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<root xmlns="urn:schemas-upnp-org:device-1-0">'
        "<specVersion><major>1</major><minor>0</minor></specVersion>"
        f"<URLBase>/</URLBase><device>{inside}<serviceList/></device></root>"
    )
