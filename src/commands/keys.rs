//! `cusp keys`: make keys, list them, revoke them. A key's text is printed by the command that makes it, never again.

use std::collections::BTreeMap;

use clap::{Args, Subcommand, ValueEnum};

use super::Trouble;
use super::accounts;
use super::books::Books;
use super::terminal::{Terminal, cell, table};
use crate::config::{Given, StoreOptions};
use crate::domain::account::{Account, Mode};
use crate::domain::api_key::{Access, ApiKey, KeyKind, Resource};
use crate::domain::ids::AccountId;
use crate::store::Tx;
use crate::{engine, identity, rfc3339};

/// Characters of a key's printable id: hexadecimal digits of its digest, enough to tell any two keys apart.
const ID_LENGTH: usize = 12;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a key and print it, this once; only its digest is kept
    ///
    /// With no account there yet, it makes the first one.
    Create {
        #[command(flatten)]
        wish: Wish,
        #[command(flatten)]
        store: Given<StoreOptions>,
    },
    /// List the keys: everything about them but the keys themselves
    List {
        #[command(flatten)]
        store: Given<StoreOptions>,
    },
    /// Make a key open nothing any more
    Revoke {
        /// The key's id, or the beginning of it, or the last four characters of the key, as `cusp keys list` shows them
        key: String,
        #[command(flatten)]
        store: Given<StoreOptions>,
    },
}

/// Which key to make.
#[derive(Args, Clone, Debug)]
pub struct Wish {
    /// The account that the key opens; not needed when there is only one
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// A key for real records
    #[arg(long, conflicts_with = "test")]
    live: bool,
    /// A key for test records; so it is when nothing is said
    #[arg(long)]
    test: bool,
    /// What sort of key it is
    #[arg(long, value_enum, default_value_t = Kind::Secret)]
    kind: Kind,
    /// What a restricted key may do: account, asset, billing_group, business, coupon, customer, customer_address, event,
    /// order, payment_method, product, promotion_code, rental, rental_payment, setup_intent, source, tax_id, token or
    /// webhook_endpoint = read or write (writing includes reading); repeat it
    #[arg(long, value_name = "RESOURCE=ACCESS", value_parser = permission)]
    allow: Vec<(Resource, Access)>,
    /// Your own name for the key
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// May do everything
    Secret,
    /// May do what --allow says
    Restricted,
    /// For browsers: may create tokens, nothing that shows or changes a record
    Publishable,
}

/// Does one of the commands.
pub fn run(command: Command, terminal: &Terminal) -> Result<(), Trouble> {
    match command {
        Command::Create { wish, store } => {
            let kind = kind(wish.kind, &wish.allow)?;
            let books = Books::open_or_make(store.0)?;
            let mode = if wish.live { Mode::Live } else { Mode::Test };
            let first =
                accounts::fresh(AccountId::mint(&books.ids, books.now), books.now, accounts::Details::default());
            let (ids, now) = (crate::ids::Ids::random(), books.now);
            let (text, key, made) = books.write(move |tx| {
                let owner = owner(&engine::accounts::list(tx)?, wish.account.as_deref())?;
                let made = owner.is_none();
                let account = in_mode(tx, owner.as_ref().unwrap_or(&first), mode)?;
                let (text, key) = identity::fresh_key(&ids, now, &account, kind.clone(), wish.label.clone());
                engine::keys::create(tx, account.space, &key)?;
                Ok((text, key, made))
            })?;
            if made {
                terminal.note(&format!("made the first account, {}", key.account));
            }
            terminal.note(&format!(
                "{} key {} in {} mode of {}; it is shown only now:",
                kind_name(&key.kind),
                short_id(&key),
                key.mode.as_str(),
                key.account
            ));
            terminal.say(&text)
        }
        Command::List { store } => {
            let keys = Books::open(store.0)?.read(|read| engine::keys::list(read))?;
            terminal.say(&listing(&keys))
        }
        Command::Revoke { key, store } => {
            let books = Books::open(store.0)?;
            let now = books.now;
            let (before, after) = books.write(move |tx| {
                let before = pick(&engine::keys::list(tx)?, &key)?.clone();
                let space = identity::space(None, &before.account, before.mode);
                let after = engine::keys::revoke(tx, space, &before, now)?;
                Ok((before, after))
            })?;
            let since = rfc3339::text(after.revoked.expect("it was revoked just now"));
            let word = if before.revoked.is_some() { "was revoked already, at" } else { "is revoked as of" };
            terminal.say(&format!("key {} (…{}) {word} {since}", short_id(&after), after.last4))
        }
    }
}

/// The account that a new key is for; `None` when there is none yet and one has to be made.
fn owner(accounts: &[Account], wanted: Option<&str>) -> Result<Option<Account>, Trouble> {
    let owner = match wanted {
        Some(id) => accounts::find(accounts, id)?,
        None => {
            let mut own = accounts.iter().filter(|account| account.parent.is_none());
            let Some(first) = own.next() else { return Ok(None) };
            if own.any(|other| other.id != first.id) {
                return Err(Trouble::Refused(
                    "there are several accounts: say which with --account ID; `cusp accounts list` shows them".into(),
                ));
            }
            first
        }
    };
    // A key tells its account by its text, and a connected account is found through its parent.
    match &owner.parent {
        None => Ok(Some(owner.clone())),
        Some(parent) => Err(Trouble::Refused(format!(
            "{} is connected to {parent} and has no keys of its own; use a key of {parent} and Stripe-Account: {}",
            owner.id, owner.id
        ))),
    }
}

/// The account in the wanted mode, made where it is missing: a sandbox may have been used in one mode only.
fn in_mode(tx: &mut dyn Tx, account: &Account, mode: Mode) -> Result<Account, Trouble> {
    accounts::create(tx, account)?;
    Ok(if account.mode == mode { account.clone() } else { identity::other_mode(account) })
}

fn kind(kind: Kind, allow: &[(Resource, Access)]) -> Result<KeyKind, Trouble> {
    let permissions: BTreeMap<Resource, Access> = allow.iter().copied().collect();
    match (kind, permissions.len(), allow.len()) {
        (Kind::Restricted, 0, _) => Err(Trouble::Refused(
            "a restricted key needs at least one --allow, as --allow customer=read; without one it could do nothing"
                .into(),
        )),
        (Kind::Restricted, once, said) if once < said => Err(Trouble::Refused("--allow names a resource twice".into())),
        (Kind::Restricted, _, _) => Ok(KeyKind::Restricted(permissions)),
        (Kind::Secret | Kind::Publishable, 1.., _) => {
            Err(Trouble::Refused("--allow is for restricted keys; add --kind restricted".into()))
        }
        (Kind::Secret, 0, _) => Ok(KeyKind::Secret),
        (Kind::Publishable, 0, _) => Ok(KeyKind::Publishable),
    }
}

fn permission(text: &str) -> Result<(Resource, Access), String> {
    let known = text.split_once('=').and_then(|(resource, access)| {
        let access = [Access::Read, Access::Write].into_iter().find(|known| known.as_str() == access)?;
        Some((Resource::named(resource)?, access))
    });
    known.ok_or_else(|| {
        let resources: Vec<&str> = Resource::ALL.iter().map(|resource| resource.as_str()).collect();
        format!("expected one of {}, then =read or =write, as token=write", resources.join(", "))
    })
}

/// The one key that an operator means.
fn pick<'a>(keys: &'a [ApiKey], meant: &str) -> Result<&'a ApiKey, Trouble> {
    let by_id = meant.to_ascii_lowercase();
    let found: Vec<&ApiKey> = keys
        .iter()
        .filter(|key| key.last4 == meant || (by_id.len() >= 4 && short_id(key).starts_with(&by_id)))
        .collect();
    match found[..] {
        [key] => Ok(key),
        [] => Err(Trouble::Refused("there is no such key; `cusp keys list` shows the ids of those there are".into())),
        _ => {
            let ids: Vec<String> = found.into_iter().map(short_id).collect();
            Err(Trouble::Refused(format!("several keys answer to that, say which by its id: {}", ids.join(", "))))
        }
    }
}

/// What a key is called where it must not be shown.
fn short_id(key: &ApiKey) -> String {
    key.digest.iter().take(ID_LENGTH / 2).map(|byte| format!("{byte:02x}")).collect()
}

fn kind_name(kind: &KeyKind) -> &'static str {
    match kind {
        KeyKind::Secret => "secret",
        KeyKind::Restricted(_) => "restricted",
        KeyKind::Publishable => "publishable",
    }
}

fn permissions(kind: &KeyKind) -> String {
    match kind {
        KeyKind::Secret => "everything".into(),
        KeyKind::Publishable => "for browsers".into(),
        KeyKind::Restricted(permissions) => {
            let each: Vec<String> = permissions
                .iter()
                .map(|(resource, access)| format!("{}={}", resource.as_str(), access.as_str()))
                .collect();
            each.join(",")
        }
    }
}

fn listing(keys: &[ApiKey]) -> String {
    let rows: Vec<_> = keys
        .iter()
        .map(|key| {
            let ApiKey { digest: _, account, mode, kind, label, last4, created, revoked } = key;
            [
                short_id(key),
                account.to_string(),
                mode.as_str().into(),
                kind_name(kind).into(),
                permissions(kind),
                format!("…{last4}"),
                rfc3339::text(*created),
                revoked.map_or("-".into(), rfc3339::text),
                cell(label.as_deref()),
            ]
        })
        .collect();
    table(["KEY", "ACCOUNT", "MODE", "KIND", "MAY DO", "LAST4", "CREATED", "REVOKED", "LABEL"], &rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Time;
    use crate::ids::Ids;

    fn account(id: &str, parent: Option<&Account>) -> Account {
        let account = accounts::fresh(AccountId(id.into()), Time(5), accounts::Details::default());
        Account { parent: parent.map(|parent| parent.id.clone()), ..account }
    }

    fn key(first: u8, last4: &str) -> ApiKey {
        let (_, key) = identity::fresh_key(&Ids::seeded(1), Time(7), &account("acct_1", None), KeyKind::Secret, None);
        let mut digest = [0x11; 32];
        digest[0] = first;
        ApiKey { digest, last4: last4.into(), ..key }
    }

    fn refusal<T: std::fmt::Debug>(outcome: Result<T, Trouble>) -> String {
        outcome.expect_err("it is refused").to_string()
    }

    #[test]
    fn the_only_account_needs_no_naming_and_the_first_is_made() {
        let one = account("acct_1", None);
        let child = account("acct_2", Some(&one));
        let both_modes = [one.clone(), identity::other_mode(&one), child.clone()];
        assert_eq!(owner(&[], None).expect("none is fine"), None);
        assert_eq!(owner(&both_modes, None).expect("there is one"), Some(one.clone()));
        assert_eq!(owner(&both_modes, Some(one.id.as_str())).expect("there is one"), Some(one.clone()));
        assert!(refusal(owner(&[one.clone(), account("acct_3", None)], None)).contains("--account ID"));
        assert!(refusal(owner(&both_modes, Some("acct_none"))).contains("no account acct_none"));
        assert!(refusal(owner(&both_modes, Some(child.id.as_str()))).contains(&format!("use a key of {}", one.id)));
    }

    #[test]
    fn permissions_belong_to_restricted_keys() {
        let allow = [(Resource::Customer, Access::Write), (Resource::Event, Access::Read)];
        assert_eq!(kind(Kind::Restricted, &allow).expect("fine"), KeyKind::Restricted(allow.into()));
        assert_eq!(kind(Kind::Secret, &[]).expect("fine"), KeyKind::Secret);
        assert_eq!(kind(Kind::Publishable, &[]).expect("fine"), KeyKind::Publishable);
        assert!(refusal(kind(Kind::Secret, &allow)).contains("--kind restricted"));
        assert!(refusal(kind(Kind::Restricted, &[])).contains("at least one --allow"));
        let twice = [(Resource::Customer, Access::Write), (Resource::Customer, Access::Read)];
        assert!(refusal(kind(Kind::Restricted, &twice)).contains("twice"));
    }

    #[test]
    fn a_permission_is_a_resource_and_an_access() {
        assert_eq!(permission("customer=write"), Ok((Resource::Customer, Access::Write)));
        for resource in Resource::ALL.iter().copied() {
            assert_eq!(permission(&format!("{}=read", resource.as_str())), Ok((resource, Access::Read)));
        }
        for wrong in ["customer", "customer=", "customers=read", "customer=none", "customer=admin"] {
            let told = permission(wrong).expect_err(wrong);
            assert!(Resource::ALL.iter().all(|resource| told.contains(resource.as_str())), "{told}");
        }
    }

    #[test]
    fn every_resource_is_told_of() {
        let help = Wish::augment_args(clap::Command::new("create")).render_long_help().to_string();
        let (operations, compatibility) =
            (include_str!("../../docs/OPERATIONS.md"), include_str!("../../docs/COMPATIBILITY.md"));
        for (text, before) in [
            (help.as_str(), "What a restricted key may do: "),
            (operations, "A restricted key may do what `--allow` says and nothing else: "),
            (compatibility, "The resources of restricted keys: "),
        ] {
            let list = text.split_once(before).and_then(|(_, after)| after.split(['.', ';']).next()).expect(before);
            let told: Vec<&str> = list.split(|letter: char| letter != '_' && !letter.is_ascii_lowercase()).collect();
            let missing: Vec<&str> =
                Resource::ALL.iter().map(|one| one.as_str()).filter(|word| !told.contains(word)).collect();
            assert!(missing.is_empty(), "{before:?} leaves out {missing:?}");
        }
    }

    #[test]
    fn a_key_is_meant_by_its_id_or_its_last_characters() {
        let keys = [key(0xab, "wxyz"), key(0xcd, "ab11"), key(0xce, "same"), key(0xcf, "same")];
        assert_eq!(pick(&keys, "wxyz").expect("its last four"), &keys[0]);
        assert_eq!(pick(&keys, "CD111111").expect("the beginning of its id"), &keys[1]);
        assert_eq!(pick(&keys, "cf1111111111").expect("its id"), &keys[3]);
        assert!(refusal(pick(&keys, "ab11")).contains("ab1111111111, cd1111111111"));
        assert!(refusal(pick(&keys, "same")).contains("ce1111111111, cf1111111111"));
        assert!(refusal(pick(&keys, "c")).contains("no such key"));
        assert!(refusal(pick(&keys, "")).contains("no such key"));
    }

    #[test]
    fn the_list_tells_all_but_the_key() {
        let kind = KeyKind::Restricted([(Resource::Customer, Access::Read)].into());
        let (text, key) =
            identity::fresh_key(&Ids::seeded(1), Time(7), &account("acct_1", None), kind, Some("till".into()));
        let list = listing(&[ApiKey { revoked: Some(Time(9)), ..key.clone() }]);
        for told in
            ["restricted", "customer=read", "test", "till", &key.last4, "1970-01-01T00:00:00.009Z", &short_id(&key)]
        {
            assert!(list.contains(told), "no `{told}` in\n{list}");
        }
        assert!(!list.contains(&text[text.len() - 8..]));
    }
}
