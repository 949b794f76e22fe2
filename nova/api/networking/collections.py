"""Collections as clients of the Networking API ask for them: filters, order, pages, fields.

A filter is any field of the view: equality, and any of the values when it is given several
times.  Unknown keys are ignored, as clients send keys of extensions.  Source: client-calls
section 5.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from nova import exception
from nova.api.openstack.call import Call
from nova.api.openstack.schema import Json, Param, Query
from nova.api.openstack.schema_types import TEXT255
from nova.api.openstack.validation import QueryValues
from nova.api.openstack.versions import MINIMUM
from nova.api.openstack.views import View

Document = dict[str, Any]

_LIMIT: Json = {"type": "string", "pattern": r"^[0-9]{1,9}\Z"}
_FLAG: Json = {"type": "string", "maxLength": 5}
_PAGE = ("limit", "marker", "page_reverse", "sort_key", "sort_dir", "fields")
_TRUE = ("true", "1", "yes", "on")

FIELDS = Query(Param("fields", TEXT255, repeat=True))


def query_of(view: View[Any]) -> Query:
    """Return the query of a list: the view's fields, and what makes pages."""
    names: Any = view.at(MINIMUM)["properties"]
    return Query(
        *(Param(name, TEXT255, repeat=True) for name in names),
        Param("limit", _LIMIT),
        Param("marker", TEXT255),
        Param("page_reverse", _FLAG),
        Param("sort_key", TEXT255, repeat=True),
        Param("sort_dir", TEXT255, repeat=True),
        Param("fields", TEXT255, repeat=True),
    )


def filters(query: QueryValues) -> dict[str, tuple[str, ...]]:
    """Return the filters of a query by the name of the field."""
    return {name: query.all(name) for name in query.names() if name not in _PAGE}


def is_true(text: str | None) -> bool:
    """Tell whether a query value stands for true."""
    return (text or "").lower() in _TRUE


def whole(
    call: Call, name: str, documents: Iterable[Document], key: str = "id"
) -> dict[str, object]:
    """Return the answer of a list of which all documents are known.

    key: the field that markers are values of.  Raises: InvalidQuery, MarkerNotFound.
    """
    found = _ordered(call.query, _matching(call.query, documents))
    page, more = _page(call.query, found, key)
    answer: dict[str, object] = {name: [shown(call, document) for document in page]}
    if more and page:
        answer[f"{name}_links"] = call.links.next_page(page[-1][key])
    return answer


def shown(call: Call, document: Document) -> Document:
    """Return the fields of a document that the caller asks for."""
    wanted = {name for text in call.query.all("fields") for name in text.split(",") if name}
    if not wanted:
        return document
    return {name: value for name, value in document.items() if name in wanted}


def _matching(query: QueryValues, documents: Iterable[Document]) -> list[Document]:
    wanted = {name: {_plain(text) for text in values} for name, values in filters(query).items()}
    return [
        document
        for document in documents
        if all(
            # What the caller may not see can not be asked for either.
            name not in document or _texts(document[name]) & values
            for name, values in wanted.items()
        )
    ]


def _plain(text: str) -> str:
    return text.lower() if text.lower() in ("true", "false") else text


def _texts(value: object) -> set[str]:
    """Return the texts of a filter that a value fits; parts of objects are written key=value."""
    match value:
        case None:
            return {""}
        case bool():
            return {str(value).lower(), str(int(value))}
        case dict():
            return {f"{key}={part}" for key, part in value.items()}
        case list():
            return {text for part in value for text in _texts(part)}
        case _:
            return {str(value)}


def _ordered(query: QueryValues, documents: list[Document]) -> list[Document]:
    keys, directions = query.all("sort_key"), query.all("sort_dir")
    # The last key first: sorting is stable.
    for index, key in reversed(list(enumerate(keys))):
        direction = directions[index] if index < len(directions) else "asc"
        if direction not in ("asc", "desc"):
            raise exception.InvalidQuery(name="sort_dir", reason="It must be asc or desc.")
        if documents and key not in documents[0]:
            raise exception.InvalidQuery(name="sort_key", reason="There is no such field.")
        documents = sorted(documents, key=_order_of(key), reverse=direction == "desc")
    return documents


def _order_of(key: str) -> Callable[[Document], tuple[bool, object]]:
    def order(document: Document) -> tuple[bool, object]:
        value = document[key]
        return value is not None, value if isinstance(value, int) else str(value)

    return order


def _page(
    query: QueryValues, documents: Sequence[Document], key: str
) -> tuple[list[Document], bool]:
    """Return one page, and whether there is more behind it."""
    found = list(documents)
    backwards = is_true(query.get("page_reverse"))
    if backwards:
        found.reverse()
    marker, limit = query.get("marker"), int(query.get("limit") or 0)
    if marker is not None:
        places = [index for index, document in enumerate(found) if document[key] == marker]
        if not places:
            raise exception.MarkerNotFound(marker=marker)
        found = found[places[0] + 1 :]
    more = 0 < limit < len(found)
    if limit:
        found = found[:limit]
    return (found[::-1] if backwards else found), more
