"""The register's door: where cases come from, on what ground they are used, and whether a use is still granted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from isocenter.case import Dataset, Grant, Source, Use
from isocenter.errors import NotFoundError, TermsError
from isocenter.intake.issue import Issue
from isocenter.pipeline.ground import Place, now, opened, seal
from isocenter.pipeline.public import document
from isocenter.result import Item
from isocenter.store import Store
from isocenter.store.register import STEP, Registered, grant_item

UNKNOWN = "source unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced:
    """What the register says, or was told.

    Args:
        deed: "added", "listed" or "shown".
        fields: What belongs to that.
    """

    deed: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the public document of a command of `source`."""
        return document("source", deed=self.deed, **self.fields)


def add_source(
    source: str,
    *,
    name: str | None = None,
    origin: str | None = None,
    licence: str | None = None,
    basis: str | None = None,
    scope: tuple[str, ...] | None = None,
    expires: str | None = None,
    withdrawn: str | None = None,
    terms: str | None = None,
    store: Place = None,
) -> Sourced:
    """Note a source of cases, or what has changed about one; the statement is signed, and earlier ones stay.

    What is None stays as it was stated before, or empty.

    Args:
        source: A word for it, such as "ward-3-2026".
        name, origin, licence, basis, scope, expires, withdrawn, terms: See Grant.
        store: Which one; made where there is none.

    Raises:
        InputError: A use that there is not, a day that is none, or nothing on which use could stand.
        StoreError: The store cannot be used.
        SealError: An earlier statement was changed.
    """
    told = {
        "name": name, "origin": origin, "licence": licence, "basis": basis, "scope": scope, "expires": expires,
        "withdrawn": withdrawn, "terms": terms,
    }  # fmt: skip
    with opened(store, create_new=True) as house, house.hold(f"source:{source}"):
        before = house.register.history(source)
        stated = before[0].grant.to_document() if before else {"id": source}
        grant = Grant.from_document(stated | {key: value for key, value in told.items() if value is not None})
        if not before or before[0].grant != grant:
            seal(house, STEP, inputs=(), outputs=(grant_item(grant),), facts=grant.to_document())
        return Sourced(deed="added", fields=_described(house, house.register.get(source)))


def list_sources(*, store: Place = None) -> Sourced:
    """Return every source with what it grants today.

    Raises:
        StoreError: The store cannot be used.
        SealError: A statement was changed.
    """
    with opened(store) as house:
        rows = [_brief(row) for row in house.register.rows()]
    return Sourced(deed="listed", fields={"sources": rows})


def show_source(source: str, *, store: Place = None) -> Sourced:
    """Return what a source grants, what was stated before, and which versions and models hold its cases.

    Raises:
        NotFoundError: It is not in the register.
        StoreError: The store cannot be used.
        SealError: A statement was changed.
    """
    with opened(store) as house:
        return Sourced(deed="shown", fields=_described(house, house.register.get(source)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the cases of a folder come from, as far as the register was named; None where it was not."""

    registered: Registered | None

    @property
    def items(self) -> tuple[Item, ...]:
        """The statement that the folder is taken in on, as a receipt names it."""
        return () if self.registered is None else (self.registered.item,)

    def mark(self, dataset: Dataset) -> Dataset:
        """Return a version whose cases name the source, and whose terms are those of the register."""
        if self.registered is None:
            return dataset
        grant, stated = self.registered.grant, dataset.source
        source = replace(
            stated, name=grant.name or stated.name, licence=grant.licence or stated.licence,
            origin=grant.origin or stated.origin,
        )  # fmt: skip
        entries = tuple(replace(entry, source=grant.id) for entry in dataset.entries)
        return replace(dataset, entries=entries, source=source)

    def issues(self, dataset: Dataset, *, stated: Source) -> Iterator[Issue]:
        """Yield a warning where no source was named, or where the folder itself states another licence."""
        if self.registered is None:
            yield Issue(
                check="source", where=dataset.name, figure=UNKNOWN, limit="a source of the register", severity="warn",
                mend="Note it with `isocenter source add`, and take the folder in with --source: these cases cannot "
                "be published.",
            )  # fmt: skip
        elif stated.licence and self.registered.grant.licence not in ("", stated.licence):
            yield Issue(
                check="source", where=dataset.name, figure=f"the folder states the licence {stated.licence!r}",
                limit=f"that of source {self.registered.grant.id}, {self.registered.grant.licence!r}", severity="warn",
                mend="Ask which one holds; the register's was taken.",
            )  # fmt: skip


def origin_of(house: Store, source: str) -> Origin:
    """Return where cases are said to come from, where that may be taken in today.

    Raises:
        NotFoundError: There is no such source in the register.
        TermsError: It no longer grants anything; or none was named, and the store takes nothing in without one.
    """
    if not source:
        if house.requires_source:
            raise TermsError(
                "This store takes nothing in without a source: name one with --source. Note a new one with "
                "`isocenter source add`."
            )
        return Origin(registered=None)
    row = house.register.get(source)
    state = row.grant.state(now()[:10])
    if state != "in force":
        raise TermsError(f"What source {source!r} granted is {state}; nothing can be taken in from it.")
    return Origin(registered=row)


def granted(house: Store, dataset: Dataset) -> tuple[Grant, ...]:
    """Return what each source of a version grants now; cases of unknown source have none.

    Raises:
        SealError: A statement was changed.
        NotFoundError: A source that a case names is not in this store's register.
    """
    return tuple(house.register.get(id_).grant for id_ in dataset.sources if id_)


def require_use(house: Store, dataset: Dataset, use: Use) -> tuple[Grant, ...]:
    """Return what the sources of a version grant, where each grants this use today.

    Raises:
        TermsError: One does not, or no longer; the message says which and what mends it.
    """
    grants = granted(house, dataset)
    for grant in grants:
        require_granted(grant, use, of=f"{dataset.sources[grant.id]} case(s) of data set {dataset.name!r}")
    return grants


def require_granted(grant: Grant, use: Use, *, of: str) -> None:
    """Do nothing where a source grants a use today.

    Raises:
        TermsError: It does not.
    """
    objection = grant.objection(use, day=now()[:10])
    if objection:
        raise TermsError(
            f"{of}: {objection}. Where that is settled anew, state it with `isocenter source add {grant.id}`; else "
            "use a version without these cases."
        )


def sources_document(house: Store, dataset: Dataset) -> list[dict[str, Any]]:
    """Return the sources of a version, each with its cases, its ground and its state today."""
    rows = []
    for id_, cases in dataset.sources.items():
        try:
            row = _brief(house.register.get(id_)) if id_ else {"id": None, "state": UNKNOWN}
        except NotFoundError:
            row = {"id": id_, "state": "not in this register"}
        rows.append({**row, "cases": cases})
    return rows


def _brief(row: Registered) -> dict[str, Any]:
    return {**row.grant.to_document(), "state": row.grant.state(now()[:10]), "at": row.at, "who": row.who}


def _described(house: Store, row: Registered) -> dict[str, Any]:
    id_ = row.grant.id
    versions = [one for one in house.datasets.rows() if id_ in house.datasets.get(one.id).sources]
    held = {one.id for one in versions}
    return {
        "source": _brief(row),
        "before": [_brief(one) for one in house.register.history(id_)[1:]],
        "versions": [{"name": one.name, "id": one.id} for one in versions],
        "models": [one.id for one in house.models.rows() if one.dataset in held],
        "receipt": row.receipt,
    }
