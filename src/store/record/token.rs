//! The shape of a token.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::instrument::{BankAccountShape, CardShape};
use super::{Text, Unreadable};
use crate::domain::ids::TokenId;
use crate::domain::time::Time;
use crate::domain::token::{Carried, Token};

/// Shape 1.
#[derive(Serialize, Deserialize)]
pub(super) struct TokenShape<'a> {
    id: Text<'a>,
    created: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_ip: Option<Text<'a>>,
    carries: CarriedShape<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CarriedShape<'a> {
    Card(Box<CardShape<'a>>),
    BankAccount(Box<BankAccountShape<'a>>),
    Pii,
    CvcUpdate,
}

impl<'a> From<&'a Token> for TokenShape<'a> {
    fn from(token: &'a Token) -> TokenShape<'a> {
        let Token { id: TokenId(id), created, used, client_ip, carries } = token;
        TokenShape {
            id: Cow::Borrowed(id),
            created: created.0,
            used: used.map(|used| used.0),
            client_ip: client_ip.map(|address| address.to_string().into()),
            carries: match carries {
                Carried::Card(card) => CarriedShape::Card(Box::new((&**card).into())),
                Carried::BankAccount(account) => CarriedShape::BankAccount(Box::new((&**account).into())),
                Carried::Pii => CarriedShape::Pii,
                Carried::CvcUpdate => CarriedShape::CvcUpdate,
            },
        }
    }
}

impl TryFrom<TokenShape<'_>> for Token {
    type Error = Unreadable;

    fn try_from(shape: TokenShape<'_>) -> Result<Token, Unreadable> {
        let TokenShape { id, created, used, client_ip, carries } = shape;
        let client_ip = client_ip.map(|address| address.parse()).transpose();
        Ok(Token {
            id: TokenId(id.into_owned()),
            created: Time(created),
            used: used.map(Time),
            client_ip: client_ip.map_err(|_| Unreadable::UnknownWord("client address"))?,
            carries: match carries {
                CarriedShape::Card(card) => Carried::Card(Box::new((*card).try_into()?)),
                CarriedShape::BankAccount(account) => Carried::BankAccount(Box::new((*account).try_into()?)),
                CarriedShape::Pii => Carried::Pii,
                CarriedShape::CvcUpdate => Carried::CvcUpdate,
            },
        })
    }
}
