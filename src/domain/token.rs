//! Tokens: docs.stripe.com/api/tokens. One stands for what somebody stated, until it is used for the first and last time.

use std::net::IpAddr;

use super::bank_account::BankAccount;
use super::card::Card;
use super::ids::TokenId;
use super::problem::Problem;
use super::time::Time;

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// Its id, `tok_…` or `btok_…`.
    pub id: TokenId,
    /// When it was made.
    pub created: Time,
    /// When it was used.
    pub used: Option<Time>,
    /// Where the connection came from on which it was made.
    pub client_ip: Option<IpAddr>,
    /// What it stands for.
    pub carries: Carried,
}

/// What a token stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Carried {
    /// A card, under the id that it will have where it is attached.
    Card(Box<Card>),
    /// A bank account, under the id that it will have where it is attached.
    BankAccount(Box<BankAccount>),
    /// A number of a person: it is secret, so nothing is kept of it.
    Pii,
    /// A security code: it is secret, so nothing is kept of it.
    CvcUpdate,
}

impl Token {
    /// The token as it is when it has been used. A token is used once.
    pub fn spent(&self, now: Time) -> Result<Token, Problem> {
        match self.used {
            None => Ok(Token { used: Some(now), ..self.clone() }),
            Some(_) => Err(Problem::TokenUsed { id: self.id.clone() }),
        }
    }
}
