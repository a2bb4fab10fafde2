//! The shape of a tax id.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Text, Unreadable, word};
use crate::domain::ids::TaxIdId;
use crate::domain::tax_id::{TaxId, Verification};
use crate::domain::tax_id_kind::TaxIdKind;
use crate::domain::time::Time;

/// Shape 1.
#[derive(Serialize, Deserialize)]
pub(super) struct TaxIdShape<'a> {
    id: Text<'a>,
    created: i64,
    kind: Text<'a>,
    value: Text<'a>,
    verification: Text<'a>,
}

impl<'a> From<&'a TaxId> for TaxIdShape<'a> {
    fn from(tax_id: &'a TaxId) -> TaxIdShape<'a> {
        let TaxId { id: TaxIdId(id), created, kind, value, verification } = tax_id;
        TaxIdShape {
            id: Cow::Borrowed(id),
            created: created.0,
            kind: Cow::Borrowed(kind.as_str()),
            value: Cow::Borrowed(value),
            verification: Cow::Borrowed(verification.as_str()),
        }
    }
}

impl TryFrom<TaxIdShape<'_>> for TaxId {
    type Error = Unreadable;

    fn try_from(shape: TaxIdShape<'_>) -> Result<TaxId, Unreadable> {
        let TaxIdShape { id, created, kind, value, verification } = shape;
        Ok(TaxId {
            id: TaxIdId(id.into_owned()),
            created: Time(created),
            kind: word("kind of tax id", &kind, TaxIdKind::named)?,
            value: value.into_owned(),
            verification: word("verification", &verification, Verification::named)?,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::TaxIdShape;
    use crate::domain::ids::TaxIdId;
    use crate::domain::tax_id::{TaxId, Verification};
    use crate::domain::tax_id_kind::TaxIdKind;
    use crate::domain::time::Time;

    /// Tax ids with any facts at all.
    pub(crate) fn tax_ids() -> impl Strategy<Value = TaxId> {
        let kinds = select(TaxIdKind::all().collect::<Vec<_>>());
        (any::<String>(), any::<i64>(), kinds, any::<String>(), select(Verification::ALL)).prop_map(
            |(id, created, kind, value, verification)| TaxId {
                id: TaxIdId(id),
                created: Time(created),
                kind,
                value,
                verification,
            },
        )
    }

    #[test]
    fn a_body_that_was_kept_is_read() {
        let body = r#"{"id":"txi_1","created":5,"kind":"eu_vat","value":"DE123456789","verification":"unavailable"}"#;
        let read: TaxIdShape<'static> = serde_json::from_str(body).unwrap();
        let tax_id = TaxId::try_from(read).unwrap();
        assert_eq!(serde_json::to_string(&TaxIdShape::from(&tax_id)).unwrap(), body);
    }

    #[test]
    fn a_kind_that_is_not_known_is_refused() {
        let body = r#"{"id":"txi_1","created":5,"kind":"xx_vat","value":"1","verification":"pending"}"#;
        let read: TaxIdShape<'static> = serde_json::from_str(body).unwrap();
        assert!(TaxId::try_from(read).is_err());
    }
}
