"""The application: every operation of one model behind the shield."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from twin.serve import act, hook, look, manage, partner, work
from twin.serve.house import House
from twin.serve.problem import ProblemDocument, handle_problems
from twin.serve.shield import Shield

_ABOUT = """The verbs of the twin of one supply chain: look, try, decide.

Send `Authorization: Bearer TOKEN`. Every refusal is a problem document (RFC 9457). Streams are
server-sent events and go on after a break with `Last-Event-ID`."""


def make_app(house: House) -> FastAPI:
    """The application of a house, without the shield."""
    app = FastAPI(title="The twin of a supply chain", version=version("twin"), description=_ABOUT,
                  docs_url=None, redoc_url=None)
    app.state.house = house
    for room in (look, act, work, manage, partner, hook):
        app.include_router(room.routes)
    handle_problems(app)
    page, policy = _page()

    @app.get("/", include_in_schema=False)
    async def _inbox() -> HTMLResponse:
        return HTMLResponse(page, headers={"Content-Security-Policy": policy})

    @app.get("/health", tags=["look"], operation_id="health")
    async def _health() -> dict[str, str]:
        """Whether the server answers; needs no token and says nothing else."""
        return {"status": "ok"}

    _describe(app)
    return app


def shielded(app: FastAPI, *, tls: bool = False) -> Shield:
    """The application as it is served."""
    house: House = app.state.house
    return Shield(app, house.addresses, most_bytes=house.limits.body_bytes, tls=tls)


def _describe(app: FastAPI) -> None:
    """Add the problem document to the description of the API, and take FastAPI's own out."""
    describe = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = describe()
            schemas = found["components"]["schemas"]
            problem = ProblemDocument.model_json_schema(
                ref_template="#/components/schemas/{model}")
            schemas.update(problem.pop("$defs", {}))
            schemas["ProblemDocument"] = problem
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
        return app.openapi_schema or {}

    app.openapi = described  # type: ignore[method-assign]


def _page() -> tuple[str, str]:
    """The page of the inbox, and the policy that lets its own script and style run and no other."""
    text = (Path(__file__).parent / "page.html").read_text(encoding="utf-8")

    def marks(tag: str) -> str:
        return " ".join(
            f"'sha256-{base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()}'"
            for part in re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL))

    return text, (f"default-src 'none'; script-src {marks('script')}; style-src {marks('style')}; "
                  "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
                  "frame-ancestors 'none'")
