"""Commands that take identity off images, and the vault that it waits in."""

from pathlib import Path
from typing import Annotated

import typer

from isocenter.cli.door import Outcome, door
from isocenter.cli.options import Json, Store
from isocenter.cli.progress import watching
from isocenter.cli.show import privacy as show

VaultFolder = Annotated[Path, typer.Argument(help="The vault's folder.")]
KeyFile = Annotated[
    Path, typer.Option("--key", envvar="ISOCENTER_VAULT_KEY", help="The file with the vault's key, kept elsewhere.")
]
Purpose = Annotated[str, typer.Option("--purpose", help="Why; it is kept with your account and the time.")]


def deid(
    folder: Annotated[Path, typer.Argument(metavar="IN", help="DICOM, pictures and NIfTI files, at any depth.")],
    out: Annotated[Path | None, typer.Argument(metavar="OUT", help="A folder that is not there yet.")] = None,
    *,
    profile: Annotated[
        str, typer.Option("--profile", help="Options beside basic, comma between: clean-pixel-data,clean-descriptors,…")
    ] = "",
    project: Annotated[str, typer.Option("--project", help="Whose pseudonyms to use. Default: OUT's name.")] = "",
    vault: Annotated[
        Path | None, typer.Option("--vault", envvar="ISOCENTER_VAULT", help="Where identities are kept, locked.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", envvar="ISOCENTER_VAULT_KEY", help="The file with the vault's key.")
    ] = None,
    site: Annotated[Path | None, typer.Option("--site", help="A site's own recipe, in TOML.")] = None,
    prove: Annotated[
        bool, typer.Option("--prove", help="Look again at everything that leaves, by other means.")
    ] = False,
    keep_scales: Annotated[
        bool, typer.Option("--keep-scales", help="Lines of scales and callipers stay in the pixels.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done with each element; write nothing.")
    ] = False,
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Take identity off a folder of images, by DICOM PS3.15 annex E.

    OUT appears when everything is done; what is doubtful lies beside it, in OUT-review, with the reasons.

    Example: isocenter deid export/ release/ --profile clean-pixel-data --prove --vault vault --key /media/usb/key

    Example: isocenter deid export/ --dry-run
    """
    from isocenter import pipeline

    with watching() as watch:
        return pipeline.deid(
            folder, out, profile=tuple(word for word in profile.split(",") if word), project=project, vault=vault,
            key=key, site=site, prove=prove, keep_scales=keep_scales, dry_run=dry_run, store=store, progress=watch,
        )  # fmt: skip


def open_vault(
    vault: VaultFolder,
    *,
    key: KeyFile,
    new: Annotated[bool, typer.Option("--new", help="Make it, and write a new key to --key.")] = False,
    cipher: Annotated[str, typer.Option("--cipher", help="Of a new one: aes-256-gcm or sm4-gcm.")] = "aes-256-gcm",
    run: Annotated[str, typer.Option("--run", help="Of deid: say which file had which number there.")] = "",
    found: Annotated[
        Path | None, typer.Option("--found", help="With --run: a new folder for what was blanked, as it was.")
    ] = None,
    json: Json = False,
) -> Outcome:
    """Make a vault, or check one and say what was asked of it.

    Example: isocenter vault open vault --key /media/usb/vault.key --new

    Example: isocenter vault open vault --key /media/usb/vault.key --run 9f3a62c1d04b7e58 --found looked-at/
    """
    from isocenter import pipeline

    return pipeline.open_vault(vault, key=key, new=new, cipher=cipher, run=run, found=found)


def find_person(
    vault: VaultFolder,
    word: Annotated[str, typer.Argument(help="A pseudonym; or a name or number as it was written in the source.")],
    *,
    key: KeyFile,
    purpose: Purpose,
    json: Json = False,
) -> Outcome:
    """Say who stands behind a pseudonym; the question is written down first.

    Example: isocenter vault find vault 2VWU6JOAWPFVVA5K --key vault.key --purpose "a finding the ward must know"
    """
    from isocenter import pipeline

    return pipeline.find_person(vault, word, key=key, purpose=purpose)


def erase_person(
    vault: VaultFolder,
    pseudonym: Annotated[str, typer.Argument(help="Of the person.")],
    *,
    key: KeyFile,
    purpose: Purpose,
    store: Store = None,
    json: Json = False,
) -> Outcome:
    """Forget a person, in the vault and in every data set.

    Models that learnt from them are named; what they learnt cannot be taken out.

    Example: isocenter vault erase vault 2VWU6JOAWPFVVA5K --key vault.key --purpose "consent withdrawn on 2026-11-02"
    """
    from isocenter import pipeline

    return pipeline.erase_person(vault, pseudonym, key=key, purpose=purpose, store=store)


def rotate_vault(
    vault: VaultFolder,
    *,
    key: KeyFile,
    new_key: Annotated[Path, typer.Option("--new-key", help="Where the new key is written.")],
    json: Json = False,
) -> Outcome:
    """Lock a vault with a new key; pseudonyms stay.

    Example: isocenter vault rotate vault --key vault.key --new-key vault-2027.key
    """
    from isocenter import pipeline

    return pipeline.rotate_vault(vault, key=key, new_key=new_key)


vault_app = typer.Typer(
    help="Who stands behind a pseudonym: open, find, erase, rotate.", no_args_is_help=True, rich_markup_mode=None
)
for _name, _command in (("open", open_vault), ("find", find_person), ("erase", erase_person), ("rotate", rotate_vault)):
    vault_app.command(_name)(door(_command, show.vault))
