"""What an EPCIS identifier names: product, lot, place, shipment, asset or order.

The same thing may be written as an EPC URN or as a GS1 Digital Link. Both are brought to one key,
the path of application identifiers (``01/09521141012345/21/2017``), which a table of names can
turn into the words of a model. URIs outside GS1 stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

#: Primary key of a GS1 path -> (what it names, digits of the fixed part; 0 is free).
_PRIMARY = {
    "01": ("product", 14), "00": ("shipment", 18), "401": ("shipment", 0), "402": ("shipment", 17),
    "414": ("site", 13), "417": ("site", 13), "8003": ("asset", 0), "8004": ("asset", 0),
    "8010": ("product", 0), "8017": ("asset", 18), "8018": ("asset", 18), "253": ("order", 0),
    "255": ("lot", 0), "8006": ("product", 18),
}
_OWN = ("product", "lot", "shipment", "site", "asset", "order", "area", "sensor")
_TRANSACTION = "urn:epcglobal:cbv:bt:"


@dataclass(frozen=True, slots=True)
class Identity:
    """What an identifier names.

    Parameters
    ----------
    what
        product, lot, site, shipment, asset or order; blank where the URI does not say.
    name
        Its key, or its name in the model.
    product
        Of a lot: what it is of.
    """

    what: str
    name: str
    product: str = ""


def check_digit(digits: str) -> str:
    """The check digit of a GS1 key (GS1 General Specifications, 7.9).

    Examples
    --------
    >>> check_digit("0952114101234")
    '5'
    """
    total = sum(int(digit) * (3 if place % 2 == 0 else 1)
                for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def identify(uri: str, names: Mapping[str, str] | None = None, base: str = "") -> Identity:
    """What a URI names.

    Parameters
    ----------
    uri
        An EPC URN, a GS1 Digital Link, or any other.
    names
        Key (a GS1 path or a URI) -> the model's name for it.
    base
        Where the model's own identifiers live: ``BASE/product/tea/lot/17``.

    Examples
    --------
    >>> identify("urn:epc:id:sgtin:9521141.001234.2017")
    Identity(what='lot', name='01/09521141012345/21/2017', product='01/09521141012345')
    >>> identify("https://id.gs1.org/414/4012345000054", {"414/4012345000054": "harbour"})
    Identity(what='site', name='harbour', product='')
    >>> identify("https://id.example.org/product/tea/lot/17", base="https://id.example.org")
    Identity(what='lot', name='17', product='tea')
    """
    names = names or {}
    if base and uri.startswith(base.rstrip("/") + "/"):
        own = _own(uri[len(base.rstrip("/")) + 1:])
        if own is not None:
            return own
    path = _path_of_urn(uri) if uri.startswith("urn:epc:") else _path_of_link(uri)
    if not path:
        key = uri.removeprefix(_TRANSACTION)
        return Identity("", names.get(uri, names.get(key, key)))
    parts = path.split("/")
    what, whole = _PRIMARY[parts[0]][0], "/".join(parts[:2])
    if len(parts) == 2 or what != "product":
        return Identity(what, names.get(path, path))
    return Identity("lot", names.get(path, path), names.get(whole, whole))


def _own(rest: str) -> Identity | None:
    parts = [unquote(part) for part in rest.split("/")]
    if len(parts) == 4 and (parts[0], parts[2]) == ("product", "lot"):
        return Identity("lot", parts[3], parts[1])
    if len(parts) == 2 and parts[0] in _OWN:
        return Identity(parts[0], parts[1])
    return None


def own_uri(base: str, what: str, name: str, product: str = "") -> str:
    """The URI of a thing of the model; a GS1 path becomes a Digital Link.

    Examples
    --------
    >>> own_uri("https://id.example.org", "lot", "17", "green tea")
    'https://id.example.org/product/green%20tea/lot/17'
    >>> own_uri("https://id.example.org", "site", "414/4012345000054")
    'https://id.gs1.org/414/4012345000054'
    """
    if _path_of_link(f"https://id.gs1.org/{name}") == name:
        return f"https://id.gs1.org/{name}"
    if re.match(r"(https?://|urn:)\S+$", name):
        return name
    root = base.rstrip("/")
    if what == "lot" and product:
        return f"{root}/product/{quote(product, safe='')}/lot/{quote(name, safe='')}"
    return f"{root}/{what}/{quote(name, safe='')}"


def _path_of_link(uri: str) -> str:
    """The application identifiers in a Digital Link; blank if it is none."""
    if not uri.startswith(("https://", "http://")):
        return ""
    try:
        parts = [part for part in urlsplit(uri).path.split("/") if part]
    except ValueError:
        return ""
    for start in range(len(parts) - 1):
        found = _PRIMARY.get(parts[start])
        value = parts[start + 1]
        if found and (len(value) == found[1] if found[1] else len(value) > 2) \
                and (value.isdigit() or not found[1]) and len(parts[start:]) % 2 == 0:
            return "/".join(parts[start:])
    return ""


def _path_of_urn(uri: str) -> str:
    """The application identifiers of an EPC URN; blank where it has none."""
    _, _, form, scheme, rest = uri.split(":", 4)
    parts = rest.split(".")
    if form == "idpat" and parts[-1] == "*":
        parts = [*parts[:-1], ""]
    try:
        path = _from_parts(scheme, parts)
    except (IndexError, ValueError):
        return ""
    return path.removesuffix("/21/").removesuffix("/8011/")


def _from_parts(scheme: str, p: list[str]) -> str:
    if scheme in ("sgtin", "lgtin", "upui"):
        qualifier = {"sgtin": "21", "lgtin": "10", "upui": "235"}[scheme]
        return f"01/{_gtin(p[0], p[1])}/{qualifier}/{'.'.join(p[2:])}"
    if scheme == "itip":
        return f"8006/{_gtin(p[0], p[1])}{p[2]}{p[3]}/21/{'.'.join(p[4:])}"
    if scheme == "sscc":
        return f"00/{_checked(p[1][0] + p[0] + p[1][1:], 17)}"
    if scheme in ("sgln", "pgln"):
        place = f"{'414' if scheme == 'sgln' else '417'}/{_checked(p[0] + p[1], 12)}"
        extension = ".".join(p[2:])
        return place if extension in ("", "0") else f"{place}/254/{extension}"
    if scheme in ("grai", "gdti", "sgcn"):
        lead = {"grai": "8003/0", "gdti": "253/", "sgcn": "255/"}[scheme]
        return lead + _checked(p[0] + p[1], 12) + ".".join(p[2:])
    if scheme in ("giai", "ginc"):
        return f"{'8004' if scheme == 'giai' else '401'}/{p[0]}{'.'.join(p[1:])}"
    if scheme in ("gsrn", "gsrnp"):
        return f"{'8018' if scheme == 'gsrn' else '8017'}/{_checked(p[0] + p[1], 17)}"
    if scheme == "gsin":
        return f"402/{_checked(p[0] + p[1], 16)}"
    if scheme == "cpi":
        return f"8010/{p[0]}{p[1]}/8011/{'.'.join(p[2:])}"
    raise ValueError(scheme)


def _gtin(company: str, item: str) -> str:
    return _checked(item[0] + company + item[1:], 13)


def _checked(digits: str, length: int) -> str:
    if len(digits) != length or not (digits.isascii() and digits.isdigit()):
        raise ValueError(digits)
    return digits + check_digit(digits)


#: Keys of a GS1 path that tell a thing apart, beside its primary key.
_QUALIFIERS = {"01": ("21", "10", "235"), "414": ("254",), "8006": ("21", "10"), "8010": ("8011",)}
#: Words that older Digital Links may have in the place of a key.
_ALIASES = {"gtin": "01", "sscc": "00", "gln": "414", "grai": "8003", "giai": "8004", "ser": "21",
            "lot": "10"}
_ALIAS = re.compile(rf"/({'|'.join(_ALIASES)})/")


def canonical_uri(uri: str) -> str:
    """A GS1 identifier as GS1's own Digital Link, with nothing that does not identify; else as is.

    Examples
    --------
    >>> canonical_uri("urn:epc:id:sgln:4012345.00005.0")
    'https://id.gs1.org/414/4012345000054'
    >>> canonical_uri("https://shop.example/01/04012345111118/22/A/21/9876?17=261231")
    'https://id.gs1.org/01/04012345111118/21/9876'
    """
    path = _path_of_urn(uri) if uri.startswith("urn:epc:") else _path_of_link(
        _ALIAS.sub(lambda found: f"/{_ALIASES[found[1]]}/", uri))
    if not path:
        return uri
    parts = path.split("/")
    kept = parts[:2]
    pairs = dict(zip(parts[2::2], parts[3::2], strict=False))
    for key in _QUALIFIERS.get(parts[0], ()):
        if key in pairs:
            kept += [key, pairs[key]]
            break
    return "https://id.gs1.org/" + "/".join(quote(unquote(part), safe="'") for part in kept)
