"""What this Manager is, in UPnP's words: for network views such as that of Windows."""

from __future__ import annotations

import re
from typing import Any
from xml.sax.saxutils import escape

from litestar import Controller, get

from flamenco_core import __version__
from flamenco_core.builtin.ssdp_answer import DESCRIPTION
from flamenco_core.builtin.ssdp_search import DEVICE, SERVICE
from flamenco_core.errors import NotFound
from flamenco_core.manager.http.plumbing import Answer, Request, manager_of
from flamenco_core.offers.operations import Raw, operation

__all__ = ["DescriptionController"]

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class DescriptionController(Controller):
    """The document that answers to SSDP searches point at; Workers do not read it."""

    path = f"/{DESCRIPTION}"
    tags = ["system"]

    @get("/", opt=operation("describeForUpnp", Raw("text/xml"), refuses=[404]))
    async def describe(self, request: Request[Any, Any, Any]) -> Answer:
        """Describe the Manager, if it may be found."""
        settings = manager_of(request).settings
        if not settings.autodiscoverable:
            raise NotFound("this Manager is not to be found by UPnP (autodiscoverable: false)")
        body = _document(f"{settings.manager_name} (Flamenco {__version__})")
        return Answer(body.encode(), media_type="text/xml; charset=utf-8")


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
