//! Rows of a file of products: which column is what, and what a row says. Columns are those of the vendor's guide to imports,
//! `Product SKU` or `12mo_Price`, or the names of the members in JSON, `productSku`; case, blanks and underscores do not count.

use csv::ByteRecord;

use crate::domain::asset::MAX_NOTES;
use crate::domain::ids::Sku;
use crate::domain::money::MAX_AMOUNT;
use crate::domain::patch::Patch;
use crate::domain::product::{
    MAX_DESCRIPTION, MAX_MONTHS, MAX_NAME, MAX_SKU, MAX_TEXT, ProductChange, Tiers, VariantChange,
};
use crate::engine::product_imports::Row;
use crate::http::given::{Unfit, Value};

/// The grade of a variant when nobody says: the guide.
const DEFAULT_GRADE: &str = "A";

/// What a column says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    ProductSku,
    ProductName,
    Category,
    Brand,
    Specification,
    Description,
    VariantSku,
    VariantName,
    Grade,
    Condition,
    Color,
    ListPrice,
    AcquisitionCost,
    /// The months of the price in the next one: a row for each price.
    ContractLength,
    MonthlyPrice,
    /// The price for contracts of so many months.
    Price(u32),
}

/// The columns that there have to be, with their names in the guide.
const NEEDED: [(Column, &str); 6] = [
    (Column::ProductSku, "Product SKU"),
    (Column::ProductName, "Product Name"),
    (Column::Category, "Category"),
    (Column::Brand, "Brand"),
    (Column::Specification, "Specification"),
    (Column::VariantSku, "Variant SKU"),
];

/// The columns of a file.
#[derive(Debug)]
pub struct Columns {
    columns: Vec<(Column, String)>,
    decimals: u32,
}

/// A row that is refused: the SKU of its variant, as far as it is known, and why.
pub type Refused = (Option<String>, String);

impl Columns {
    /// The columns of those names, or what is wrong with them. `decimals` are those of the account's currency.
    pub fn of(names: &ByteRecord, decimals: u32) -> Result<Columns, String> {
        let mut columns: Vec<(Column, String)> = Vec::with_capacity(names.len());
        for name in names {
            let name = String::from_utf8_lossy(name).trim().chars().take(100).collect::<String>();
            let column = Column::named(&name).ok_or_else(|| format!("has a column `{name}`, which is not known"))?;
            if columns.iter().any(|(known, _)| *known == column) {
                return Err(format!("has the column `{name}` twice"));
            }
            columns.push((column, name));
        }
        for (needed, name) in NEEDED {
            if !columns.iter().any(|(known, _)| *known == needed) {
                return Err(format!("has to have a column `{name}`"));
            }
        }
        let has = |wanted| columns.iter().any(|(known, _)| *known == wanted);
        if has(Column::ContractLength) != has(Column::MonthlyPrice) {
            return Err("has to have both of the columns `contractLength` and `monthlyPrice`, or none".into());
        }
        Ok(Columns { columns, decimals })
    }

    /// What a row says, or why it says nothing.
    pub fn row(&self, record: &ByteRecord) -> Result<Row, Refused> {
        let place = self.columns.iter().position(|(column, _)| *column == Column::VariantSku);
        let sku = place.and_then(|place| record.get(place)).map(|cell| String::from_utf8_lossy(cell).trim().to_owned());
        let sku = sku.filter(|sku| !sku.is_empty());
        let shown = sku.as_ref().map(|sku| sku.chars().take(MAX_SKU).collect());
        self.read(record, sku).map_err(|why| (shown, why))
    }

    fn read(&self, record: &ByteRecord, sku: Option<String>) -> Result<Row, String> {
        if record.len() != self.columns.len() {
            let (cells, columns) = (record.len(), self.columns.len());
            return Err(format!("The row has {cells} cells, and there are {columns} columns."));
        }
        let sku = sku.ok_or("`Variant SKU` cannot be empty.")?;
        let (mut product, mut variant) = (ProductChange::default(), VariantChange::of(Sku(sku)));
        let (mut prices, mut length, mut price) = (Vec::new(), None, None);
        for ((column, name), cell) in self.columns.iter().zip(record) {
            let cell =
                Cell { name, text: std::str::from_utf8(cell).map_err(|_| format!("`{name}` is not UTF-8."))?.trim() };
            if cell.text.is_empty() {
                continue;
            }
            match column {
                Column::ProductSku => product.sku = Some(Sku(cell.text(MAX_SKU)?)),
                Column::ProductName => product.name = Some(cell.text(MAX_NAME)?),
                Column::Category => product.category = Some(cell.text(MAX_NAME)?),
                Column::Brand => product.brand = Some(cell.text(MAX_NAME)?),
                Column::Specification => product.specification = Some(cell.text(MAX_TEXT)?),
                Column::Description => product.description = Patch::Set(cell.text(MAX_DESCRIPTION)?),
                Column::VariantSku => drop(cell.text(MAX_SKU)?),
                Column::VariantName => variant.name = Some(cell.text(MAX_NAME)?),
                Column::Grade => variant.grade = Some(cell.text(MAX_NAME)?),
                Column::Condition => variant.condition = Patch::Set(cell.text(MAX_NOTES)?),
                Column::Color => variant.color = Patch::Set(cell.text(MAX_NAME)?),
                Column::ListPrice => variant.list_price = Some(cell.money(self.decimals)?),
                Column::AcquisitionCost => variant.acquisition_cost = Some(cell.money(self.decimals)?),
                Column::ContractLength => length = Some(cell.months()?),
                Column::MonthlyPrice => price = Some(cell.money(self.decimals)?),
                Column::Price(months) => prices.push((*months, cell.money(self.decimals)?)),
            }
        }
        match (length, price) {
            (Some(length), Some(price)) => prices.push((length, price)),
            (None, None) => {}
            (Some(_), None) | (None, Some(_)) => {
                return Err("`contractLength` and `monthlyPrice` go together.".into());
            }
        }
        if product.sku.is_none() {
            return Err("`Product SKU` cannot be empty.".into());
        }
        if !prices.is_empty() {
            variant.tiers = Tiers::Merge(prices);
        }
        // The guide has no column for the name of a variant, and the specification of each row is its variant's.
        let name_otherwise = product.specification.clone().or_else(|| product.name.clone());
        Ok(Row { product, variant, name_otherwise, grade_otherwise: DEFAULT_GRADE.to_owned() })
    }
}

impl Column {
    fn named(name: &str) -> Option<Column> {
        let plain: String = name.chars().filter(|letter| !matches!(letter, ' ' | '_' | '-')).collect();
        let plain = plain.to_ascii_lowercase();
        if let Some(months) = plain.strip_suffix("moprice") {
            let months = months.parse().ok().filter(|months| (1..=MAX_MONTHS).contains(months));
            return months.map(Column::Price);
        }
        Some(match plain.as_str() {
            "productsku" => Column::ProductSku,
            "productname" | "name" => Column::ProductName,
            "category" => Column::Category,
            "brand" => Column::Brand,
            "specification" => Column::Specification,
            "description" => Column::Description,
            "variantsku" => Column::VariantSku,
            "variantname" => Column::VariantName,
            "grade" => Column::Grade,
            "condition" => Column::Condition,
            "color" | "colorname" => Column::Color,
            "listprice" => Column::ListPrice,
            "acquisitioncost" => Column::AcquisitionCost,
            "contractlength" => Column::ContractLength,
            "monthlyprice" => Column::MonthlyPrice,
            _ => return None,
        })
    }
}

/// A cell that is not empty.
struct Cell<'a> {
    name: &'a str,
    text: &'a str,
}

impl Cell<'_> {
    fn text(&self, most: usize) -> Result<String, String> {
        let Cell { name, text } = self;
        if text.chars().count() > most {
            return Err(format!("`{name}` can have at most {most} characters."));
        }
        if text.contains('\0') {
            return Err(format!("`{name}` cannot have a NUL character in it."));
        }
        Ok((*text).to_owned())
    }

    /// An amount, in minor units.
    fn money(&self, decimals: u32) -> Result<i64, String> {
        let Cell { name, text } = self;
        let number = Value::of_json(text.as_bytes()).unwrap_or(Value::Null);
        match number.parts(decimals) {
            Ok(minor) if (0..=MAX_AMOUNT).contains(&minor) => Ok(minor),
            Ok(_) | Err(Unfit::TooLarge) => Err(format!("`{name}` is no amount that there can be.")),
            Err(Unfit::NoNumber) => Err(format!("`{name}` has to be a number, as 129.90.")),
            Err(Unfit::TooPrecise) => Err(format!("`{name}` can have at most {decimals} decimals.")),
        }
    }

    fn months(&self) -> Result<u32, String> {
        let Cell { name, text } = self;
        let months = text.parse().ok().filter(|months| (1..=MAX_MONTHS).contains(months));
        months.ok_or_else(|| format!("`{name}` has to be a number of months from 1 to {MAX_MONTHS}."))
    }
}
