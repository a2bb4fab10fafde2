//! Tokens: create, read, and use, which is once.

use std::net::IpAddr;

use super::{Ctx, Done, objects};
use crate::domain::account::Account;
use crate::domain::bank_account::{AccountType, BankAccount, BankFacts, BankStatus, HolderType};
use crate::domain::card::{Card, CardFacts};
use crate::domain::facts::Facts;
use crate::domain::ids::{InstrumentId, TokenId};
use crate::domain::payment_method::BillingDetails;
use crate::domain::problem::Problem;
use crate::domain::token::{Carried, Token};
use crate::store::{Kept, Read, Tx};

/// What a token is to stand for.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// A card.
    Card(Box<NewCard>),
    /// A bank account.
    BankAccount(NewBankAccount),
    /// A number of a person.
    Pii,
    /// A security code.
    CvcUpdate,
}

/// A card that the processor has in its keeping.
#[derive(Clone, Debug, PartialEq)]
pub struct NewCard {
    /// The card itself.
    pub facts: CardFacts,
    /// Who pays with it.
    pub billing: BillingDetails,
}

/// A bank account that the processor has in its keeping.
#[derive(Clone, Debug, PartialEq)]
pub struct NewBankAccount {
    /// The account itself.
    pub facts: BankFacts,
    /// How far it is proven.
    pub status: BankStatus,
    /// The owner's name.
    pub holder_name: Option<String>,
    /// Who owns it.
    pub holder_type: Option<HolderType>,
    /// What sort it is.
    pub account_type: Option<AccountType>,
}

impl NewCard {
    /// The card of the older API, made now.
    pub fn made(self, ctx: &Ctx<'_>) -> Card {
        let NewCard { facts, billing } = self;
        let id = InstrumentId::mint("card", ctx.ids, ctx.now);
        Card { id, created: ctx.now, facts, billing, allow_redisplay: None, metadata: Default::default() }
    }
}

impl NewBankAccount {
    /// The bank account of the older API, made now.
    pub fn made(self, ctx: &Ctx<'_>) -> BankAccount {
        let NewBankAccount { facts, status, holder_name, holder_type, account_type } = self;
        BankAccount {
            id: InstrumentId::mint("ba", ctx.ids, ctx.now),
            created: ctx.now,
            facts,
            holder_name,
            holder_type,
            account_type,
            status,
            failed_verifications: 0,
            metadata: Default::default(),
        }
    }
}

/// Makes a token. Nobody is told: docs.stripe.com/api/events/types has nothing about tokens.
pub fn create(tx: &mut dyn Tx, ctx: &Ctx<'_>, wish: Wish, client_ip: Option<IpAddr>) -> Done<Token> {
    let (beginning, carries) = match wish {
        Wish::Card(card) => ("tok", Carried::Card(Box::new(card.made(ctx)))),
        Wish::BankAccount(account) => ("btok", Carried::BankAccount(Box::new(account.made(ctx)))),
        Wish::Pii => ("pii", Carried::Pii),
        Wish::CvcUpdate => ("cvctok", Carried::CvcUpdate),
    };
    let id = TokenId::mint(beginning, ctx.ids, ctx.now);
    let token = Token { id, created: ctx.now, used: None, client_ip, carries };

    objects::put(tx, ctx, None, &Facts::from(token.clone()))?;
    Ok(token)
}

/// A token, used or not, if there is one of that id.
pub fn find(tx: &mut dyn Read, account: &Account, id: &TokenId) -> Kept<Option<Token>> {
    objects::token(tx, account.space, id)
}

/// A token, used or not.
pub fn read(tx: &mut dyn Read, account: &Account, id: &TokenId) -> Done<Token> {
    match find(tx, account, id)? {
        Some(token) => Ok(token),
        None => {
            let in_other_mode = objects::token(tx, account.other_space, id)?.is_some();
            Err(Problem::NoSuchToken { id: id.clone(), in_other_mode }.into())
        }
    }
}

/// A token that can be used: to be looked up before anything is written, and to be marked as used by [`spend`] then.
pub fn unused(tx: &mut dyn Read, account: &Account, id: &TokenId) -> Done<Token> {
    let token = read(tx, account, id)?;
    match token.used {
        None => Ok(token),
        Some(_) => Err(Problem::TokenUsed { id: token.id }.into()),
    }
}

/// Marks a token that [`unused`] gave in the same transaction as used.
pub fn spend(tx: &mut dyn Tx, ctx: &Ctx<'_>, token: &Token) -> Done<()> {
    let spent = token.spent(ctx.now)?;

    objects::put(tx, ctx, Some(&Facts::from(token.clone())), &Facts::from(spent))?;
    Ok(())
}
