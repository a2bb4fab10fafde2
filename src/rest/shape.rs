//! Descriptions of JSON values, made when the program is built. A body, a query string, a reply and a document are all read
//! off the same description.

/// What a value is.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A text.
    Text(Text),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number within bounds, both included.
    Whole(i64, i64),
    /// A number with decimals. It is read as so many parts of one.
    Number(Number),
    /// An amount of money in units of the account's currency, of which it may have as many decimals as the currency has;
    /// within bounds in its minor units, both included. It is read as minor units.
    Money(i64, i64),
    /// `true` or `false`.
    Flag,
    /// An object of these members.
    Object(&'static [Member]),
    /// Something that a document names, and refers to by its name.
    Component(&'static Component),
    /// A list of so many items, at least and at most.
    List(&'static Shape, usize, usize),
    /// An object of any keys, whose values are of this shape.
    Map(&'static Shape),
    /// Free data: an object of anything.
    Data(Data),
    /// Any value at all.
    Any(Data),
    /// Any of these. For replies: nothing is read as one.
    AnyOf(&'static [&'static Component]),
    /// It depends on whether the server takes what strict reading refuses.
    Leniently {
        /// Most servers take this.
        strict: &'static Shape,
        /// A lenient one takes this.
        lenient: &'static Shape,
    },
}

/// What a text may be.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    /// The fewest characters.
    pub min: usize,
    /// The most characters.
    pub max: usize,
    /// Spaces around it are left out before it is looked at.
    pub trimmed: bool,
    /// What it has to look like.
    pub format: Option<&'static Format>,
}

/// What a text has to look like.
#[derive(Debug)]
pub struct Format {
    /// How documents name it, where they have a name for it: json-schema.org, validation, section 7.
    pub name: Option<&'static str>,
    /// How documents describe it otherwise: a regular expression of ECMA-262. It never refuses what is taken, unless what
    /// is taken beside is written in another way.
    pub pattern: Option<&'static str>,
    /// All that it can be, where that can be listed.
    pub words: Option<fn() -> Vec<String>>,
    /// What is wanted, for words about it: `an e-mail address`.
    pub wanted: &'static str,
    /// The text as it is kept; `None` when it does not look like that.
    pub read: fn(&str) -> Option<String>,
}

/// What a number with decimals may be.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    /// The least, in parts.
    pub min: i64,
    /// The most, in parts.
    pub max: i64,
    /// How many decimals it has at most: the parts are tenths, hundredths, …
    pub decimals: u32,
}

/// What free data may be.
#[derive(Clone, Copy, Debug)]
pub struct Data {
    /// The most bytes, written without spaces.
    pub max_bytes: usize,
    /// How deep its objects and lists may be in each other, itself included.
    pub max_depth: usize,
}

/// Something that a document names.
#[derive(Debug)]
pub struct Component {
    /// Its name.
    pub name: &'static str,
    /// What it stands for.
    pub doc: &'static str,
    /// What it is.
    pub shape: Shape,
}

/// A member of an object, or a parameter.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Its name. One of a query string may end in `*`: any that begins like that.
    pub name: &'static str,
    /// What it is.
    pub shape: Shape,
    /// It is always there.
    pub needed: bool,
    /// It may be `null`.
    pub nullable: bool,
    /// Only the server says it. A request may repeat it, and the operation looks whether it is true.
    pub read_only: bool,
    /// What it means, for the document.
    pub doc: &'static str,
    /// An example: of a text or a word itself, of anything else as JSON writes it. Objects and lists whose parts have
    /// examples need none.
    pub example: Option<&'static str>,
}

/// A member that may be left out.
pub const fn member(name: &'static str, shape: Shape) -> Member {
    Member { name, shape, needed: false, nullable: false, read_only: false, doc: "", example: None }
}

impl Member {
    /// The same, always there.
    pub const fn needed(self) -> Member {
        Member { needed: true, ..self }
    }

    /// The same, which may be left out.
    pub const fn optional(self) -> Member {
        Member { needed: false, ..self }
    }

    /// The same, which may be `null`.
    pub const fn nullable(self) -> Member {
        Member { nullable: true, ..self }
    }

    /// The same, said by the server only.
    pub const fn read_only(self) -> Member {
        Member { read_only: true, ..self }
    }

    /// The same with what it means.
    pub const fn doc(self, doc: &'static str) -> Member {
        Member { doc, ..self }
    }

    /// The same with an example.
    pub const fn example(self, example: &'static str) -> Member {
        Member { example: Some(example), ..self }
    }
}

impl Shape {
    /// A text of so many characters, at least and at most.
    pub const fn text(min: usize, max: usize) -> Shape {
        Shape::Text(Text { min, max, trimmed: false, format: None })
    }

    /// The same without the spaces around it.
    pub const fn trimmed(min: usize, max: usize) -> Shape {
        Shape::Text(Text { min, max, trimmed: true, format: None })
    }

    /// A text that looks like that, without the spaces around it, of at most so many characters.
    pub const fn of(format: &'static Format, max: usize) -> Shape {
        Shape::Text(Text { min: 0, max, trimmed: true, format: Some(format) })
    }

    /// A number within bounds, both in parts, with so many decimals.
    pub const fn number(min: i64, max: i64, decimals: u32) -> Shape {
        Shape::Number(Number { min, max, decimals })
    }

    /// Its members, where it is an object of known ones.
    pub fn members(&self) -> &'static [Member] {
        match self {
            Shape::Object(members) => members,
            Shape::Component(component) => component.shape.members(),
            Shape::Text(_)
            | Shape::Word(_)
            | Shape::Whole(..)
            | Shape::Number(_)
            | Shape::Money(..)
            | Shape::Flag
            | Shape::List(..)
            | Shape::Map(_)
            | Shape::Data(_)
            | Shape::Any(_)
            | Shape::AnyOf(_)
            | Shape::Leniently { .. } => &[],
        }
    }

    /// What is wanted, for words about it.
    pub fn wanted(&self) -> &'static str {
        match self {
            Shape::Text(_) | Shape::Word(_) => "a string",
            Shape::Whole(..) => "a whole number",
            Shape::Number(_) | Shape::Money(..) => "a number",
            Shape::Flag => "true or false",
            Shape::Object(_) | Shape::Map(_) | Shape::Data(_) | Shape::AnyOf(_) => "an object",
            Shape::Any(_) => "anything",
            Shape::Component(component) => component.shape.wanted(),
            Shape::List(..) => "a list",
            Shape::Leniently { strict, .. } => strict.wanted(),
        }
    }
}
