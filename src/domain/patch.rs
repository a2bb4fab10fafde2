//! The only way to say "leave it, empty it, or set it".

/// What a change wants of one optional fact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// The caller did not mention it: the fact stays.
    #[default]
    Keep,
    /// The caller emptied it.
    Clear,
    /// The caller gave a new value.
    Set(T),
}

impl<T> Patch<T> {
    /// The same wish of what is made of the value.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Patch::Keep => Patch::Keep,
            Patch::Clear => Patch::Clear,
            Patch::Set(value) => Patch::Set(make(value)),
        }
    }

    /// Applies the wish to a stored fact.
    pub fn onto(self, fact: &mut Option<T>) {
        match self {
            Patch::Keep => {}
            Patch::Clear => *fact = None,
            Patch::Set(value) => *fact = Some(value),
        }
    }
}
