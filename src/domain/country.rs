//! Countries: the names by which people write them, and their codes (ISO 3166-1).

use std::collections::HashMap;
use std::sync::LazyLock;

/// What names a country: its code, and the text by which it was named unless that is its name here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Two-letter code, upper-case, or the text itself when it names no country.
    pub country: Option<String>,
    /// The text, where it says more than the code.
    pub country_name: Option<String>,
}

/// The country that a text names, as an address keeps it. A text of nothing but spaces names none.
pub fn written(text: &str) -> Written {
    let text = text.trim();
    match code(text) {
        None => Written { country: Some(text.to_owned()).filter(|text| !text.is_empty()), country_name: None },
        Some(code) => {
            let as_known = name(code) == Some(text);
            Written { country: Some(code.to_owned()), country_name: (!as_known).then(|| text.to_owned()) }
        }
    }
}

/// The English short name of a country by its two-letter code in upper case, without what only tells it from others by the
/// law: `Netherlands`, not "Netherlands (Kingdom of the)".
pub fn name(code: &str) -> Option<&'static str> {
    if let Some((_, name, _)) = NAMES.iter().find(|(of, ..)| *of == code) {
        return Some(name);
    }
    rust_iso3166::from_alpha2(code).map(|country| country.name)
}

/// The two-letter code of the country that a text names: an English name of it, short or long, or one of its codes. Case,
/// accents, punctuation, "and" and "the" make no difference.
pub fn code(text: &str) -> Option<&'static str> {
    CODES.get(&folded(text)).copied()
}

/// Codes by every text that names a country.
static CODES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let mut codes = HashMap::new();
    for country in rust_iso3166::ALL {
        for text in [country.alpha2, country.alpha3, country.name] {
            codes.insert(folded(text), country.alpha2);
        }
        // As in "Bolivia (Plurinational State of)".
        if let Some((of, state)) = country.name.trim_end_matches(')').split_once(" (") {
            codes.insert(folded(&format!("{state} {of}")), country.alpha2);
        }
    }
    for (code, name, others) in NAMES {
        for text in [*code, *name].into_iter().chain(others.split('|').filter(|other| !other.is_empty())) {
            codes.insert(folded(text), code);
        }
    }
    for (code, official) in OFFICIAL {
        codes.insert(folded(official), code);
    }
    codes
});

/// The text without what makes no difference between names.
fn folded(text: &str) -> String {
    let words: Vec<String> = text
        .split(|letter: char| !letter.is_alphanumeric() && !matches!(letter, '.' | '\'' | '’' | '`'))
        .map(|word| word.chars().flat_map(char::to_lowercase).flat_map(plain).collect())
        .filter(|word: &String| !word.is_empty())
        .collect();
    match words.as_slice() {
        // A code may be such a word too.
        [word] => word.clone(),
        words => words.iter().filter(|word| !matches!(word.as_str(), "and" | "the")).cloned().collect(),
    }
}

/// A small letter without its accent; nothing for what is not a letter or a digit.
fn plain(letter: char) -> Option<char> {
    match letter {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => Some('a'),
        'ç' => Some('c'),
        'è' | 'é' | 'ê' | 'ë' => Some('e'),
        'ì' | 'í' | 'î' | 'ï' => Some('i'),
        'ñ' => Some('n'),
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' => Some('o'),
        'ù' | 'ú' | 'û' | 'ü' => Some('u'),
        letter => Some(letter).filter(|letter| letter.is_alphanumeric()),
    }
}

/// Countries whose name here is not the one of the standard, or which people know by other names too: code, name, others.
const NAMES: &[(&str, &str, &str)] = &[
    ("BN", "Brunei", ""),
    ("BO", "Bolivia", ""),
    ("BQ", "Bonaire, Sint Eustatius and Saba", "Caribbean Netherlands|Bonaire"),
    ("CC", "Cocos (Keeling) Islands", "Cocos Islands|Keeling Islands"),
    ("CD", "Democratic Republic of the Congo", "DR Congo|DRC|Congo-Kinshasa|Congo (Kinshasa)|Zaire"),
    ("CG", "Congo", "Republic of the Congo|Congo-Brazzaville|Congo (Brazzaville)"),
    ("CI", "Côte d'Ivoire", "Ivory Coast"),
    ("CN", "China", "Mainland China"),
    ("CV", "Cabo Verde", "Cape Verde"),
    ("CZ", "Czechia", "Czech Republic"),
    ("FK", "Falkland Islands", "Malvinas"),
    ("FM", "Micronesia", ""),
    ("GB", "United Kingdom", "UK|U.K.|Great Britain|Britain|England|Scotland|Wales|Northern Ireland|G.B."),
    ("HK", "Hong Kong", "Hong Kong SAR|Hong Kong SAR China"),
    ("IE", "Ireland", "Republic of Ireland|Eire"),
    ("IR", "Iran", ""),
    ("KP", "North Korea", "DPRK|D.P.R.K."),
    ("KR", "South Korea", "Korea|Korea, Republic of|Korea, South"),
    ("LA", "Laos", "Lao PDR"),
    ("MD", "Moldova", ""),
    ("MK", "North Macedonia", "Macedonia"),
    ("MM", "Myanmar", "Burma|Myanmar (Burma)"),
    ("MO", "Macao", "Macau|Macao SAR|Macao SAR China"),
    ("NL", "Netherlands", "Holland|Nederland"),
    ("PN", "Pitcairn", "Pitcairn Islands"),
    ("PS", "Palestine", "Palestinian Territories|Palestinian Territory"),
    ("RU", "Russia", ""),
    ("SH", "Saint Helena, Ascension and Tristan da Cunha", "Saint Helena|St. Helena"),
    ("SX", "Sint Maarten", ""),
    ("SY", "Syria", ""),
    ("SZ", "Eswatini", "Swaziland"),
    ("TL", "Timor-Leste", "East Timor"),
    ("TR", "Türkiye", "Turkey"),
    ("TW", "Taiwan", "Republic of China"),
    ("TZ", "Tanzania", ""),
    ("US", "United States", "U.S.|U.S.A.|America"),
    ("VA", "Vatican City", "Vatican|Vatican City State|Holy See (Vatican City State)"),
    ("VE", "Venezuela", ""),
    ("VG", "British Virgin Islands", "Virgin Islands, British"),
    ("VI", "U.S. Virgin Islands", "United States Virgin Islands|Virgin Islands, U.S."),
    ("VN", "Vietnam", ""),
    // No code of the standard, but one that is in use.
    ("XK", "Kosovo", ""),
    // The same names with a shorter saint.
    ("BL", "Saint Barthélemy", "St. Barthélemy|Saint Barth"),
    ("KN", "Saint Kitts and Nevis", "St. Kitts and Nevis"),
    ("LC", "Saint Lucia", "St. Lucia"),
    ("MF", "Saint Martin", "St. Martin"),
    ("PM", "Saint Pierre and Miquelon", "St. Pierre and Miquelon"),
    ("ST", "Sao Tome and Principe", ""),
    ("VC", "Saint Vincent and the Grenadines", "St. Vincent and the Grenadines|Saint Vincent"),
];

/// The official long names that are not made of the words of the short one.
const OFFICIAL: &[(&str, &str)] = &[
    ("AD", "Principality of Andorra"),
    ("AF", "Islamic Republic of Afghanistan"),
    ("AL", "Republic of Albania"),
    ("AM", "Republic of Armenia"),
    ("AO", "Republic of Angola"),
    ("AR", "Argentine Republic"),
    ("AT", "Republic of Austria"),
    ("AU", "Commonwealth of Australia"),
    ("AZ", "Republic of Azerbaijan"),
    ("BD", "People's Republic of Bangladesh"),
    ("BE", "Kingdom of Belgium"),
    ("BG", "Republic of Bulgaria"),
    ("BH", "Kingdom of Bahrain"),
    ("BI", "Republic of Burundi"),
    ("BJ", "Republic of Benin"),
    ("BR", "Federative Republic of Brazil"),
    ("BS", "Commonwealth of The Bahamas"),
    ("BT", "Kingdom of Bhutan"),
    ("BW", "Republic of Botswana"),
    ("BY", "Republic of Belarus"),
    ("CF", "The Central African Republic"),
    ("CH", "Swiss Confederation"),
    ("CI", "Republic of Côte d'Ivoire"),
    ("CL", "Republic of Chile"),
    ("CM", "Republic of Cameroon"),
    ("CN", "People's Republic of China"),
    ("CO", "Republic of Colombia"),
    ("CR", "Republic of Costa Rica"),
    ("CU", "Republic of Cuba"),
    ("CV", "Republic of Cabo Verde"),
    ("CY", "Republic of Cyprus"),
    ("DE", "Federal Republic of Germany"),
    ("DJ", "Republic of Djibouti"),
    ("DK", "Kingdom of Denmark"),
    ("DM", "Commonwealth of Dominica"),
    ("DZ", "People's Democratic Republic of Algeria"),
    ("EC", "Republic of Ecuador"),
    ("EE", "Republic of Estonia"),
    ("EG", "Arab Republic of Egypt"),
    ("ER", "State of Eritrea"),
    ("ES", "Kingdom of Spain"),
    ("ET", "Federal Democratic Republic of Ethiopia"),
    ("FI", "Republic of Finland"),
    ("FJ", "Republic of Fiji"),
    ("FR", "French Republic"),
    ("GA", "Gabonese Republic"),
    ("GH", "Republic of Ghana"),
    ("GM", "Republic of The Gambia"),
    ("GN", "Republic of Guinea"),
    ("GQ", "Republic of Equatorial Guinea"),
    ("GR", "Hellenic Republic"),
    ("GT", "Republic of Guatemala"),
    ("GW", "Republic of Guinea-Bissau"),
    ("GY", "Co-operative Republic of Guyana"),
    ("HK", "Hong Kong Special Administrative Region of China"),
    ("HN", "Republic of Honduras"),
    ("HR", "Republic of Croatia"),
    ("HT", "Republic of Haiti"),
    ("ID", "Republic of Indonesia"),
    ("IL", "State of Israel"),
    ("IN", "Republic of India"),
    ("IQ", "Republic of Iraq"),
    ("IS", "Republic of Iceland"),
    ("IT", "Italian Republic"),
    ("JO", "Hashemite Kingdom of Jordan"),
    ("KE", "Republic of Kenya"),
    ("KG", "Kyrgyz Republic"),
    ("KH", "Kingdom of Cambodia"),
    ("KI", "Republic of Kiribati"),
    ("KM", "Union of the Comoros"),
    ("KW", "State of Kuwait"),
    ("KZ", "Republic of Kazakhstan"),
    ("LB", "Lebanese Republic"),
    ("LI", "Principality of Liechtenstein"),
    ("LK", "Democratic Socialist Republic of Sri Lanka"),
    ("LR", "Republic of Liberia"),
    ("LS", "Kingdom of Lesotho"),
    ("LT", "Republic of Lithuania"),
    ("LU", "Grand Duchy of Luxembourg"),
    ("LV", "Republic of Latvia"),
    ("LY", "State of Libya"),
    ("MA", "Kingdom of Morocco"),
    ("MC", "Principality of Monaco"),
    ("MG", "Republic of Madagascar"),
    ("MH", "Republic of the Marshall Islands"),
    ("MK", "Republic of North Macedonia"),
    ("ML", "Republic of Mali"),
    ("MM", "Republic of the Union of Myanmar"),
    ("MO", "Macao Special Administrative Region of China"),
    ("MR", "Islamic Republic of Mauritania"),
    ("MT", "Republic of Malta"),
    ("MU", "Republic of Mauritius"),
    ("MV", "Republic of Maldives"),
    ("MW", "Republic of Malawi"),
    ("MX", "United Mexican States"),
    ("MZ", "Republic of Mozambique"),
    ("NA", "Republic of Namibia"),
    ("NE", "Republic of the Niger"),
    ("NG", "Federal Republic of Nigeria"),
    ("NI", "Republic of Nicaragua"),
    ("NO", "Kingdom of Norway"),
    ("NP", "Federal Democratic Republic of Nepal"),
    ("NR", "Republic of Nauru"),
    ("OM", "Sultanate of Oman"),
    ("PA", "Republic of Panama"),
    ("PE", "Republic of Peru"),
    ("PG", "Independent State of Papua New Guinea"),
    ("PH", "Republic of the Philippines"),
    ("PK", "Islamic Republic of Pakistan"),
    ("PL", "Republic of Poland"),
    ("PT", "Portuguese Republic"),
    ("PW", "Republic of Palau"),
    ("PY", "Republic of Paraguay"),
    ("QA", "State of Qatar"),
    ("RS", "Republic of Serbia"),
    ("RW", "Republic of Rwanda"),
    ("SA", "Kingdom of Saudi Arabia"),
    ("SC", "Republic of Seychelles"),
    ("SD", "Republic of the Sudan"),
    ("SE", "Kingdom of Sweden"),
    ("SG", "Republic of Singapore"),
    ("SI", "Republic of Slovenia"),
    ("SK", "Slovak Republic"),
    ("SL", "Republic of Sierra Leone"),
    ("SM", "Republic of San Marino"),
    ("SN", "Republic of Senegal"),
    ("SO", "Federal Republic of Somalia"),
    ("SR", "Republic of Suriname"),
    ("SS", "Republic of South Sudan"),
    ("ST", "Democratic Republic of Sao Tome and Principe"),
    ("SV", "Republic of El Salvador"),
    ("SZ", "Kingdom of Eswatini"),
    ("TD", "Republic of Chad"),
    ("TG", "Togolese Republic"),
    ("TH", "Kingdom of Thailand"),
    ("TJ", "Republic of Tajikistan"),
    ("TL", "Democratic Republic of Timor-Leste"),
    ("TN", "Republic of Tunisia"),
    ("TO", "Kingdom of Tonga"),
    ("TR", "Republic of Türkiye"),
    ("TR", "Republic of Turkey"),
    ("TT", "Republic of Trinidad and Tobago"),
    ("UG", "Republic of Uganda"),
    ("UY", "Eastern Republic of Uruguay"),
    ("UZ", "Republic of Uzbekistan"),
    ("VN", "Socialist Republic of Viet Nam"),
    ("VU", "Republic of Vanuatu"),
    ("WS", "Independent State of Samoa"),
    ("XK", "Republic of Kosovo"),
    ("YE", "Republic of Yemen"),
    ("ZA", "Republic of South Africa"),
    ("ZM", "Republic of Zambia"),
    ("ZW", "Republic of Zimbabwe"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_known_by_its_names_and_codes() {
        let cases = [
            ("NL", "Netherlands|the netherlands|Holland|NLD|nl|Kingdom of the Netherlands| Netherlands "),
            ("US", "United States|USA|U.S.A.|US|United States of America|The United States of America"),
            ("GB", "United Kingdom|UK|Great Britain|United Kingdom of Great Britain and Northern Ireland"),
            ("VN", "Vietnam|Viet Nam|Socialist Republic of Viet Nam"),
            ("KR", "South Korea|Republic of Korea|Korea (Republic of)|Korea, Republic of"),
            ("KP", "North Korea|Democratic People's Republic of Korea"),
            ("TZ", "Tanzania|United Republic of Tanzania|TZA"),
            ("BO", "Bolivia|Plurinational State of Bolivia"),
            ("RU", "Russia|Russian Federation"),
            ("CZ", "Czech Republic|Czechia"),
            ("TR", "Turkey|Türkiye|Turkiye|Republic of Türkiye"),
            ("CI", "Côte d'Ivoire|Cote d’Ivoire|Ivory Coast"),
            ("CD", "DR Congo|Democratic Republic of the Congo|Congo (Democratic Republic of the)"),
            ("CG", "Congo|Republic of the Congo"),
            ("TW", "Taiwan|Republic of China"),
            ("CN", "China|People's Republic of China"),
            ("TT", "Trinidad & Tobago|Trinidad and Tobago"),
            ("VC", "St. Vincent and the Grenadines"),
            ("DE", "Germany|Federal Republic of Germany"),
            ("XK", "Kosovo"),
        ];
        for (wanted, texts) in cases {
            for text in texts.split('|') {
                assert_eq!(code(text), Some(wanted), "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_country_has_no_code() {
        for text in ["", " ", "the", "Atlantis", "X", "ZZ", "Neverland", "12", "United"] {
            assert_eq!(code(text), None, "{text:?}");
        }
    }

    #[test]
    fn every_code_has_a_name_that_is_its_own() {
        for country in rust_iso3166::ALL {
            let name = name(country.alpha2).unwrap();
            assert_eq!(code(name), Some(country.alpha2), "{name}");
            assert!(!name.contains("of)") && !name.contains("of the)"), "{name}");
        }
        assert_eq!(name("ZZ"), None);
        assert_eq!(name("nl"), None);
    }

    #[test]
    fn no_two_countries_have_the_same_text() {
        let mut texts: HashMap<String, &str> = HashMap::new();
        let names = NAMES
            .iter()
            .flat_map(|(code, name, others)| others.split('|').chain([*name]).map(move |text| (text, *code)));
        let official = OFFICIAL.iter().map(|(code, text)| (*text, *code));
        let standard = rust_iso3166::ALL
            .iter()
            .flat_map(|country| [country.alpha2, country.alpha3, country.name].map(|text| (text, country.alpha2)));
        for (text, code) in names.chain(official).chain(standard).filter(|(text, _)| !text.is_empty()) {
            let known = texts.insert(folded(text), code);
            assert!(known.is_none_or(|known| known == code), "{text} is {known:?} and {code}");
        }
    }

    #[test]
    fn a_text_is_kept_where_it_says_more_than_the_code() {
        let written = |text| {
            let Written { country, country_name } = written(text);
            (country, country_name)
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(written("Netherlands"), (some("NL"), None));
        assert_eq!(written("Holland"), (some("NL"), some("Holland")));
        assert_eq!(written("nl"), (some("NL"), some("nl")));
        assert_eq!(written("Atlantis"), (some("Atlantis"), None));
        assert_eq!(written(" "), (None, None));
    }
}
