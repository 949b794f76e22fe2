"""A tree of documents: directories are dicts, documents are bytes.

Source: ec2-api, section 8.1 (listing format).
"""

from typing import Union

Node = Union[bytes, dict[str, "Node"]]  # noqa: UP007 - "|" takes no forward reference


def listing(directory: dict[str, Node]) -> bytes:
    """Return a directory's listing: sorted names, sub-directories with a slash at the end.

    A directory that holds a document under the empty name shows that instead.
    """
    own = directory.get("")
    if isinstance(own, bytes):
        return own
    names = [
        f"{name}/" if isinstance(node, dict) else name for name, node in sorted(directory.items())
    ]
    return "\n".join(names).encode()


def find(root: Node, path: tuple[str, ...]) -> Node | None:
    """Return what stands at a path, or None."""
    node: Node = root
    for name in path:
        if not isinstance(node, dict) or name not in node or name == "":
            return None
        node = node[name]
    return node
