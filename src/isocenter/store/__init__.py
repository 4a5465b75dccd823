"""The store: data sets, models, runs, evaluations and receipts; with security, the only room that knows bytes at rest.

    store = open_store(place, create_new=True)            a folder, or a URL; `with` closes it
    store.put_volume(volume) -> digest                    get_volume(digest), put_mask(mask), get_mask(digest, table=…)
    store.case(dataset, entry) -> Case                    volumes and masks loaded, every byte checked
    store.hold("run:" + id), store.alone()                context managers; the second process gets a StoreError
    store.keys.pseudonym(identity) -> word                store.keys.public.id is the fingerprint of the signing key

    store.datasets     save(dataset, at=…) -> id · get(name) · find(name) -> DatasetRow · rows() · remove(name)
    store.models       add(folder, run=…, at=…) -> id · folder(name) · find(name) -> ModelRow · rows() · remove(name)
    store.runs         folder(id, dataset=…, recipe=…, at=…) · find(name) -> RunRow · rows() · remove(name)
    store.evaluations  put(document) -> digest · save(digest, model=…, dataset=…, at=…) · of(model) -> pairs
    store.receipts     seal(receipt) -> digest · get(digest) · envelope(digest) · maker(output) · removal(thing)
                       chain(digest) -> digests · export(digest, folder) -> digests · find(prefix) -> digest · key

The order of a step: put the bytes, seal the receipt that names their digests, then save: what is listed is sealed.

A receipt's items are named KIND:NAME. What a walk does with a kind:

    dataset:NAME       digest = Dataset.id; its document and every volume and mask that it lists are hashed again
    model:NAME         digest = Model.id; its folder is read and hashed again
    evaluation:NAME    digest = what evaluations.put returned; hashed again
    run:ID/FILE        digest of a file in the run's folder; hashed again
    file:NAME          digest of a file that lies beside the receipts (prediction, report); hashed again
    anything else      a source that is not kept, such as instance:UID or source:NAME; its digest stands for it

A folder that is handed on (a prediction): write its files aside, prediction.json too; seal the receipt, whose outputs
name each file as file:NAME with its sha256; `store.receipts.export(digest, folder)` puts the chain and the signer's
public key into folder/receipts; then rename the folder. prediction.json lists in `receipts` the chain behind it (the
model's and the data set's); its own receipt is the one in receipts/ that names its sha256, so that no byte of it is
left out. A report written beside it is sealed the same way: its inputs name file:prediction.json with the receipt of
its making. Removing: seal a receipt of the step "remove" whose inputs name what goes, then remove inside `alone()`.

    walk(thing, store=…, key=…) -> Walk                   links (step, says, count, receipt), newest first; key; is_own
"""

from isocenter.store.blobs import Cipher
from isocenter.store.chain import Link, Walk, walk
from isocenter.store.folders import ModelRow, RunRow
from isocenter.store.store import Store, create, open_store
from isocenter.store.versions import DatasetRow

__all__ = ["Cipher", "DatasetRow", "Link", "ModelRow", "RunRow", "Store", "Walk", "create", "open_store", "walk"]
