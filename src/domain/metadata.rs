//! Free key-value data and the rules of its merge.

use std::collections::BTreeMap;

use super::problem::Problem;

/// The most keys that one record may hold.
pub const MAX_KEYS: usize = 50;

/// The most characters that a key may have.
pub const MAX_KEY_CHARACTERS: usize = 40;

/// The most characters that a value may have.
pub const MAX_VALUE_CHARACTERS: usize = 500;

/// Whether an entry can be one of the metadata: Stripe's API takes an empty value for none, and brackets for structure
/// (docs.stripe.com/metadata).
pub fn can_express(key: &str, value: &str) -> bool {
    let fits = |text: &str, most| !text.is_empty() && text.chars().count() <= most;
    fits(key, MAX_KEY_CHARACTERS) && !key.contains(['[', ']']) && fits(value, MAX_VALUE_CHARACTERS)
}

/// Free data of a record, text to text.
pub type Metadata = BTreeMap<String, String>;

/// What a change wants of the free data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MetadataChange {
    /// Leave all of it.
    #[default]
    Keep,
    /// Remove every key.
    Clear,
    /// Set the keys that have a value, remove those that have none, leave the others.
    Merge(Vec<(String, Option<String>)>),
}

impl MetadataChange {
    /// Applies the wish. Refuses a result of more than [`MAX_KEYS`] keys.
    pub fn onto(self, metadata: &mut Metadata) -> Result<(), Problem> {
        match self {
            MetadataChange::Keep => {}
            MetadataChange::Clear => metadata.clear(),
            MetadataChange::Merge(entries) => {
                for (key, value) in entries {
                    match value {
                        Some(value) => metadata.insert(key, value),
                        None => metadata.remove(&key),
                    };
                }
                if metadata.len() > MAX_KEYS {
                    return Err(Problem::TooManyMetadataKeys { count: metadata.len() });
                }
            }
        }
        Ok(())
    }
}
