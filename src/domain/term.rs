//! Words that a customer can be found by exactly. A store keeps their digests in an index; whoever finds by digest
//! compares the record itself afterwards, so equal digests of different words do no harm.

use super::customer::Customer;

/// A word of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term<'a> {
    /// E-mail address, compared without case.
    Email(&'a str),
    /// Full name, compared without case.
    Name(&'a str),
    /// Phone, compared without case.
    Phone(&'a str),
    /// A key of the free data with its value, the value compared without case.
    Metadata(&'a str, &'a str),
    /// A key of the free data that is there.
    MetadataKey(&'a str),
    /// The prefix of invoice numbers; stays reserved when the customer is deleted.
    InvoicePrefix(&'a str),
    /// The id of something that the customer holds.
    Holding(&'a str),
}

/// A word that no two customers of an account have, so that it finds the one that does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// The prefix of invoice numbers; a deleted customer still has it.
    InvoicePrefix(String),
    /// The id of something that the customer holds: a card, a tax id.
    Holding(String),
}

impl Mark {
    /// The digest of the term that it is.
    pub fn digest(&self) -> i64 {
        match self {
            Mark::InvoicePrefix(prefix) => Term::InvoicePrefix(prefix).digest(),
            Mark::Holding(id) => Term::Holding(id).digest(),
        }
    }
}

impl Term<'_> {
    /// The term's digest: over a kind letter and the folded word.
    pub fn digest(&self) -> i64 {
        let mut digest = Fnv::new();
        match self {
            Term::Email(word) => digest.letter(b'e').folded(word),
            Term::Name(word) => digest.letter(b'n').folded(word),
            Term::Phone(word) => digest.letter(b'p').folded(word),
            Term::Metadata(key, value) => digest.letter(b'm').exact(key).letter(0).folded(value),
            Term::MetadataKey(key) => digest.letter(b'k').exact(key),
            Term::InvoicePrefix(word) => digest.letter(b'i').exact(word),
            Term::Holding(id) => digest.letter(b'h').exact(id),
        };
        digest.value()
    }
}

impl Customer {
    /// Whether the other state of the customer has the same terms at the same place in lists.
    pub fn is_found_like(&self, other: &Customer) -> bool {
        self.name == other.name
            && self.email == other.email
            && self.phone == other.phone
            && self.metadata == other.metadata
            && self.invoice_prefix == other.invoice_prefix
            && self.holding_ids().eq(other.holding_ids())
            && self.created == other.created
            && self.deleted.is_some() == other.deleted.is_some()
    }

    /// Whether it is the one that has the mark.
    pub fn has(&self, mark: &Mark) -> bool {
        match mark {
            Mark::InvoicePrefix(prefix) => self.invoice_prefix == *prefix,
            Mark::Holding(id) => self.holding_ids().any(|held| held == id),
        }
    }

    /// All its marks.
    pub fn marks(&self) -> impl Iterator<Item = Mark> + '_ {
        let holdings = self.holding_ids().map(|id| Mark::Holding(id.to_owned()));
        std::iter::once(Mark::InvoicePrefix(self.invoice_prefix.clone())).chain(holdings)
    }

    /// The digests of every term of the customer, sorted, each once.
    pub fn term_digests(&self) -> Vec<i64> {
        let mut digests = vec![Term::InvoicePrefix(&self.invoice_prefix).digest()];
        if self.deleted.is_none() {
            digests.extend(self.email.as_deref().map(|word| Term::Email(word).digest()));
            digests.extend(self.name.as_deref().map(|word| Term::Name(word).digest()));
            digests.extend(self.phone.as_deref().map(|word| Term::Phone(word).digest()));
            for (key, value) in &self.metadata {
                digests.push(Term::Metadata(key, value).digest());
                digests.push(Term::MetadataKey(key).digest());
            }
            digests.extend(self.holding_ids().map(|id| Term::Holding(id).digest()));
        }
        digests.sort_unstable();
        digests.dedup();
        digests
    }
}

/// The word without case: the one rule for what "the same word" is, in the index and in the comparison after it. Each
/// letter is folded by itself, so that what is part of a word stays part of it, and the two small sigmas are one;
/// `str::to_lowercase` would choose between them by their neighbours.
pub fn letters_without_case(word: &str) -> impl Iterator<Item = char> + '_ {
    word.chars().flat_map(char::to_lowercase).map(|letter| if letter == 'ς' { 'σ' } else { letter })
}

/// FNV-1a, 64 bits, over what is put in. Digests are stored, so it never changes.
pub(super) struct Fnv(u64);

impl Fnv {
    pub fn new() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }

    /// The digest of what was put in so far.
    pub fn value(&self) -> i64 {
        self.0 as i64
    }

    pub fn letter(&mut self, byte: u8) -> &mut Fnv {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        self
    }

    pub fn exact(&mut self, word: &str) -> &mut Fnv {
        for byte in word.bytes() {
            self.letter(byte);
        }
        self
    }

    fn folded(&mut self, word: &str) -> &mut Fnv {
        let mut bytes = [0; 4];
        for letter in letters_without_case(word) {
            self.exact(letter.encode_utf8(&mut bytes));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::Term;

    #[test]
    fn digests_ignore_case_but_not_kind() {
        assert_eq!(Term::Email("A@b.CO").digest(), Term::Email("a@B.co").digest());
        assert_eq!(Term::Name("ÄRA").digest(), Term::Name("ära").digest());
        assert_eq!(Term::Name("ΟΔΟΣ").digest(), Term::Name("οδος").digest());
        assert_eq!(Term::Name("\u{212a}elvin").digest(), Term::Name("kelvin").digest());
        assert_ne!(Term::Name("x").digest(), Term::Phone("x").digest());
        assert_ne!(Term::Metadata("k", "v").digest(), Term::Metadata("K", "v").digest());
    }

    #[test]
    fn digests_never_change_because_they_are_stored() {
        assert_eq!(Term::Email("jenny@example.com").digest(), Term::Email("JENNY@example.com").digest());
        assert_eq!(Term::Email("jenny@example.com").digest(), -8_837_690_722_956_412_387);
        assert_eq!(Term::InvoicePrefix("A1B2C3D4").digest(), -6_226_286_445_989_034_732);
    }
}
