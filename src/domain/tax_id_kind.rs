//! The kinds of tax ids: which country's they are and what their numbers look like. A form is a shape, not proof: check
//! digits are not worked out, because the documented examples would not pass.

use std::fmt;

/// A kind of tax id.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TaxIdKind(&'static Row);

#[derive(PartialEq, Eq)]
struct Row {
    /// The kind's word, which is also how it is kept.
    word: &'static str,
    country: Country,
    /// What numbers look like. `d` stands for a digit, `l` for a letter, `x` for either, `n` for what Mexican names begin
    /// with; `?` behind one of them says that it may be missing. Anything else stands for itself. Case does not count,
    /// and neither does what people put between the parts.
    forms: &'static [&'static str],
}

#[derive(PartialEq, Eq)]
enum Country {
    /// Every number is of this country.
    Of(&'static str),
    /// The number begins with its country in the European Union's own spelling.
    OfPrefix,
}

impl TaxIdKind {
    /// Every kind, in the order of their words.
    pub fn all() -> impl Iterator<Item = TaxIdKind> {
        KINDS.iter().map(TaxIdKind)
    }

    /// The kind of that word.
    pub fn named(word: &str) -> Option<TaxIdKind> {
        let place = KINDS.binary_search_by(|row| row.word.cmp(word)).ok()?;
        Some(TaxIdKind(&KINDS[place]))
    }

    /// The kind's word.
    pub fn as_str(self) -> &'static str {
        self.0.word
    }

    /// The country whose number that is, as two capital letters, as far as it tells.
    pub fn country(self, value: &str) -> Option<&'static str> {
        match self.0.country {
            Country::Of(country) => Some(country),
            Country::OfPrefix => {
                let prefix = value.trim_start().get(..2)?;
                EU.iter().find(|(known, _)| known.eq_ignore_ascii_case(prefix)).map(|(_, country)| *country)
            }
        }
    }

    /// Whether there are numbers of the kind that begin with these two letters.
    pub fn begins_with(self, letters: &str) -> bool {
        let letters = letters.to_ascii_uppercase();
        letters.len() == 2 && self.0.forms.iter().any(|form| form.starts_with(&letters))
    }

    /// Whether there are offices that Stripe asks about such numbers: docs.stripe.com/billing/customer/tax-ids.
    pub fn is_looked_up(self) -> bool {
        matches!(self.0.word, "au_abn" | "eu_vat" | "gb_vat")
    }

    /// Whether that can be a number of the kind.
    pub fn fits(self, value: &str) -> bool {
        // More than any form has; nothing is worth looking at beyond it.
        let mut letters = Vec::with_capacity(MAX_LETTERS);
        for letter in value.chars().filter(|letter| !is_between(*letter)) {
            if letters.len() == MAX_LETTERS {
                return false;
            }
            letters.push(letter.to_ascii_uppercase());
        }
        self.0.forms.iter().any(|form| {
            let form: Vec<char> = form.chars().filter(|letter| !is_between(*letter)).collect();
            matches(&form, &letters)
        })
    }
}

impl fmt::Debug for TaxIdKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.word)
    }
}

/// The most letters and digits that a number is looked at for.
const MAX_LETTERS: usize = 30;

/// What people put between the parts of a number.
fn is_between(letter: char) -> bool {
    matches!(letter, ' ' | '-' | '.' | '/')
}

fn matches(form: &[char], letters: &[char]) -> bool {
    let [wanted, rest @ ..] = form else { return letters.is_empty() };
    let (optional, rest) = match rest {
        ['?', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let is_wanted = |letter: &char| match wanted {
        'd' => letter.is_ascii_digit(),
        'l' => letter.is_ascii_alphabetic(),
        'x' => letter.is_ascii_alphanumeric(),
        'n' => letter.is_ascii_alphabetic() || matches!(letter, '&' | 'Ñ' | 'ñ'),
        exact => letter == exact,
    };
    let taken = letters.split_first().filter(|(letter, _)| is_wanted(letter));
    taken.is_some_and(|(_, others)| matches(rest, others)) || (optional && matches(rest, letters))
}

const fn kind(word: &'static str, country: &'static str, forms: &'static [&'static str]) -> Row {
    Row { word, country: Country::Of(country), forms }
}

/// The beginnings of European VAT numbers and the countries that they stand for; Greece and Northern Ireland are spelt
/// in a way of their own.
const EU: [(&str, &str); 28] = [
    ("AT", "AT"),
    ("BE", "BE"),
    ("BG", "BG"),
    ("CY", "CY"),
    ("CZ", "CZ"),
    ("DE", "DE"),
    ("DK", "DK"),
    ("EE", "EE"),
    ("EL", "GR"),
    ("ES", "ES"),
    ("FI", "FI"),
    ("FR", "FR"),
    ("HR", "HR"),
    ("HU", "HU"),
    ("IE", "IE"),
    ("IT", "IT"),
    ("LT", "LT"),
    ("LU", "LU"),
    ("LV", "LV"),
    ("MT", "MT"),
    ("NL", "NL"),
    ("PL", "PL"),
    ("PT", "PT"),
    ("RO", "RO"),
    ("SE", "SE"),
    ("SI", "SI"),
    ("SK", "SK"),
    ("XI", "GB"),
];

/// The forms of the member states: ec.europa.eu/taxation_customs/vies, question 11.
const EU_VAT: &[&str] = &[
    "ATU dddddddd",
    "BE dddddddddd",
    "BG dddddddddd?",
    "CY ddddddddl",
    "CZ ddddddddd?d?",
    "DE ddddddddd",
    "DK dddddddd",
    "EE ddddddddd",
    "EL ddddddddd",
    "ES xdddddddx",
    "FI dddddddd",
    "FR xxddddddddd",
    "HR ddddddddddd",
    // The documents once showed the longer national number here.
    "HU dddddddd",
    "HU ddddddddddd",
    "IE dddddddll?",
    "IE dlddddd l",
    "IT ddddddddddd",
    "LT ddddddddd",
    "LT dddddddddddd",
    "LU dddddddd",
    "LV ddddddddddd",
    "MT dddddddd",
    "NL dddddddddBdd",
    "PL dddddddddd",
    "PT ddddddddd",
    "RO ddd?d?d?d?d?d?d?d?",
    "SE dddddddddddd",
    "SI dddddddd",
    "SK dddddddddd",
    "XI ddddddddd",
    "XI dddddddddddd",
    "XI GDddd",
    "XI HAddd",
];

/// For kinds whose numbers are documented nowhere that could be relied on.
const ANY: &[&str] = &["xxxxxx?x?x?x?x?x?x?x?x?x?x?x?x?x?x?"];

/// The forms that docs.stripe.com/billing/customer/tax-ids shows an example of, and what the tax offices say where their
/// numbers come in more than one. In the order of the words.
static KINDS: [Row; 135] = [
    kind("ad_nrt", "AD", &["l-dddddd-l"]),
    kind("ae_trn", "AE", &["ddddddddddddddd"]),
    kind("al_tin", "AL", &["lddddddddl"]),
    kind("am_tin", "AM", &["dddddddd"]),
    kind("ao_tin", "AO", &["dddddddddd", "dddddddddllddd"]),
    kind("ar_cuit", "AR", &["dd-dddddddd-d"]),
    kind("au_abn", "AU", &["dd ddd ddd ddd"]),
    kind("au_acn", "AU", &["ddd ddd ddd"]),
    kind("au_arn", "AU", &["dddd dddd dddd"]),
    kind("au_wpn", "AU", &["dddddddd?d?d?d?"]),
    kind("aw_tin", "AW", &["dddddddd"]),
    kind("az_tin", "AZ", &["dddddddddd"]),
    kind("ba_tin", "BA", &["ddddddddddddd?"]),
    kind("bb_tin", "BB", &["ddddddddddddd"]),
    kind("bd_bin", "BD", &["ddddddddd-dddd"]),
    kind("bf_ifu", "BF", &["ddddddddl"]),
    kind("bg_uic", "BG", &["ddddddddd", "ddddddddddddd"]),
    kind("bh_vat", "BH", &["ddddddddddddddd"]),
    kind("bj_ifu", "BJ", &["ddddddddddddd"]),
    kind("bo_tin", "BO", &["dddddddd?d?d?d?d?"]),
    // New businesses have letters in theirs since July 2026.
    kind("br_cnpj", "BR", &["xx.xxx.xxx/xxxx-dd"]),
    kind("br_cpf", "BR", &["ddd.ddd.ddd-dd"]),
    kind("bs_tin", "BS", &["ddd.ddd.ddd"]),
    kind("bw_vat", "BW", ANY),
    kind("by_tin", "BY", &["xxddddddd"]),
    kind("ca_bn", "CA", &["ddddddddd"]),
    kind("ca_gst_hst", "CA", &["ddddddddd RT dddd"]),
    kind("ca_pst_bc", "CA", &["PST-dddd-dddd"]),
    kind("ca_pst_mb", "CA", &["dddddd-d"]),
    kind("ca_pst_sk", "CA", &["ddddddd"]),
    kind("ca_qst", "CA", &["dddddddddd TQ dddd"]),
    kind("cd_nif", "CD", &["ldddddddl"]),
    kind("ch_uid", "CH", &["CHE-ddd.ddd.ddd", "CHE-ddd.ddd.ddd HR"]),
    kind("ch_vat", "CH", &["CHE-ddd.ddd.ddd", "CHE-ddd.ddd.ddd MWST", "CHE-ddd.ddd.ddd TVA", "CHE-ddd.ddd.ddd IVA"]),
    kind("ci_vat", "CI", ANY),
    kind("cl_tin", "CL", &["d?d.ddd.ddd-d", "d?d.ddd.ddd-K"]),
    kind("cm_niu", "CM", &["lddddddddddddl"]),
    kind("cn_tin", "CN", &["xxxxxxxxxxxxxxx", "xxxxxxxxxxxxxxxxxx", "xxxxxxxxxxxxxxxxxxxx"]),
    kind("co_nit", "CO", &["d?ddd.ddd.ddd"]),
    kind("cr_tin", "CR", &["d-ddd-dddddd?d?d?"]),
    kind("cv_nif", "CV", &["ddddddddd"]),
    kind("cz_dic", "CZ", &["ddddddddd?d?", "CZ ddddddddd?d?"]),
    kind("de_stn", "DE", &["dddddddddd", "ddddddddddd", "ddddddddddddd"]),
    kind("do_rcn", "DO", &["ddddddddd", "ddd-ddddddd-d"]),
    kind("ec_ruc", "EC", &["ddddddddddddd"]),
    kind("eg_tin", "EG", &["ddddddddd"]),
    kind("es_cif", "ES", &["xdddddddx"]),
    kind("et_tin", "ET", &["dddddddddd"]),
    // Of no member state: the scheme is for businesses outside of the union.
    kind("eu_oss_vat", "EU", &["EU ddddddddd"]),
    Row { word: "eu_vat", country: Country::OfPrefix, forms: EU_VAT },
    kind("fo_vat", "FO", &["dddddd"]),
    kind("fr_siren", "FR", &["ddd ddd ddd"]),
    kind("fr_siret", "FR", &["ddd ddd ddd ddddd"]),
    kind("fr_spi", "FR", &["ddddddddddddd"]),
    kind("gb_vat", "GB", &["GB ddddddddd", "GB dddddddddddd", "GB GDddd", "GB HAddd"]),
    kind("ge_vat", "GE", &["ddddddddd", "ddddddddddd"]),
    kind("gh_tin", "GH", ANY),
    kind("gi_tin", "GI", ANY),
    kind("gn_nif", "GN", &["ddddddddd"]),
    kind("hk_br", "HK", &["dddddddd", "dddddddd-ddd"]),
    kind("hr_oib", "HR", &["ddddddddddd"]),
    kind("hu_tin", "HU", &["dddddddd-d-dd"]),
    // The Canary Islands are a part of Spain.
    kind("ic_nif", "ES", &["xdddddddx"]),
    kind("id_npwp", "ID", &["dd.ddd.ddd.d-ddd.ddd", "ddd.ddd.ddd.d-ddd.ddd"]),
    kind("il_vat", "IL", &["ddddddddd"]),
    kind("in_gst", "IN", &["dd lllll dddd l x Z x"]),
    kind("is_kt", "IS", &["dddddd-dddd"]),
    kind("is_vat", "IS", &["dddddd?"]),
    // Digits of a personal one turn into letters where two people would have the same.
    kind("it_cf", "IT", &["ddddddddddd", "llllllxxlxxlxxxl"]),
    kind("jp_cn", "JP", &["ddddddddddddd"]),
    kind("jp_rn", "JP", &["ddddd"]),
    kind("jp_trn", "JP", &["T ddddddddddddd"]),
    kind("ke_pin", "KE", &["ldddddddddl"]),
    kind("kg_tin", "KG", &["dddddddddddddd"]),
    kind("kh_tin", "KH", &["xddd-ddddddddd"]),
    kind("kr_brn", "KR", &["ddd-dd-ddddd"]),
    kind("kz_bin", "KZ", &["dddddddddddd"]),
    kind("la_tin", "LA", &["ddddddddd-ddd"]),
    kind("li_uid", "LI", &["CHE-ddd.ddd.ddd"]),
    kind("li_vat", "LI", &["ddddd"]),
    kind("lk_vat", "LK", &["ddddddddd", "ddddddddd-dddd"]),
    kind("ma_vat", "MA", &["dddddddd"]),
    kind("md_cf", "MD", &["ddddddddddddd"]),
    kind("md_vat", "MD", &["ddddddd"]),
    kind("me_pib", "ME", &["dddddddd"]),
    kind("mk_vat", "MK", &["MK ddddddddddddd"]),
    kind("mr_nif", "MR", &["dddddddd"]),
    kind("mu_vat", "MU", ANY),
    kind("mx_rfc", "MX", &["n?nnn dddddd xxx"]),
    kind("my_frp", "MY", &["dddddddd"]),
    kind("my_itn", "MY", &["l?l dddddddddd?d?"]),
    kind("my_sst", "MY", &["ldd-dddd-dddddddd"]),
    kind("mz_nuit", "MZ", &["ddddddddd"]),
    kind("ng_tin", "NG", &["dddddddd-dddd", "dddddddddd", "ddddddddddddd"]),
    kind("no_vat", "NO", &["ddd ddd ddd MVA"]),
    kind("no_voec", "NO", &["ddddddd"]),
    kind("np_pan", "NP", &["ddddddddd"]),
    kind("nz_bn", "NZ", &["ddddddddddddd"]),
    kind("nz_gst", "NZ", &["d?dd-ddd-ddd"]),
    kind("om_vat", "OM", &["OM dddddddddd"]),
    kind("pe_ruc", "PE", &["ddddddddddd"]),
    kind("ph_tin", "PH", &["ddd-ddd-ddd", "ddd-ddd-ddd-dddd?d?"]),
    kind("pl_nip", "PL", &["ddd-ddd-dd-dd"]),
    kind("pt_nif", "PT", &["ddddddddd"]),
    kind("py_ruc", "PY", &["dddddd?d?d?-d"]),
    kind("ro_tin", "RO", &["ddd?d?d?d?d?d?d?d?", "ddddddddddddd"]),
    kind("rs_pib", "RS", &["ddddddddd"]),
    kind("ru_inn", "RU", &["dddddddddd", "dddddddddddd"]),
    kind("ru_kpp", "RU", &["ddddxxddd"]),
    kind("sa_vat", "SA", &["ddddddddddddddd"]),
    kind("sg_gst", "SG", &["lddddddddl", "ll-ddddddd-x", "ddddddddd?l", "ldd ll dddd l"]),
    kind("sg_uen", "SG", &["ddddddddd?l", "ldd ll dddd l"]),
    kind("si_tin", "SI", &["dddddddd"]),
    kind("sm_coe", "SM", ANY),
    kind("sn_ninea", "SN", &["d?d?ddddddd dld"]),
    kind("sr_fin", "SR", &["dddddddddd"]),
    kind("sv_nit", "SV", &["dddd-dddddd-ddd-d"]),
    kind("th_vat", "TH", &["ddddddddddddd"]),
    kind("tj_tin", "TJ", &["ddddddddd"]),
    kind("tr_tin", "TR", &["ddddddddddd?"]),
    kind("tt_bir", "TT", ANY),
    kind("tt_vat", "TT", ANY),
    kind("tw_vat", "TW", &["dddddddd"]),
    kind("tz_vat", "TZ", &["dd-ddddddd?-l"]),
    kind("ua_vat", "UA", &["ddddddddd", "dddddddddd", "dddddddddddd"]),
    kind("ug_tin", "UG", &["dddddddddd"]),
    kind("us_ein", "US", &["dd-ddddddd"]),
    kind("uy_ruc", "UY", &["dddddddddddd"]),
    kind("uz_tin", "UZ", &["ddddddddd"]),
    kind("uz_vat", "UZ", &["dddddddddddd"]),
    kind("ve_rif", "VE", &["l-dddddddd-d"]),
    kind("vn_tin", "VN", &["dddddddddd", "dddddddddd-ddd", "dddddddddddd"]),
    kind("za_vat", "ZA", &["4ddddddddd"]),
    kind("zm_tin", "ZM", &["dddddddddd"]),
    kind("zw_tin", "ZW", &["dddddddddd"]),
];

#[cfg(test)]
mod tests;
