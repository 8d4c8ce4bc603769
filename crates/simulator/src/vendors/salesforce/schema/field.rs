//! One field of an object.

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The record's own id.
    Id,
    /// One line of text.
    Text,
    /// Several lines of text.
    LongText,
    /// An e-mail address.
    Email,
    /// A telephone number: any text.
    Phone,
    /// A web address: any text.
    Url,
    /// One of these values, or any text while the field is not restricted.
    Picklist(&'static [&'static str]),
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// A number.
    Double,
    /// An amount of money.
    Currency,
    /// A percentage.
    Percent,
    /// A day: `2026-11-20`.
    Date,
    /// A moment: `2026-11-20T10:15:30.000+0000`.
    DateTime,
    /// The id of a record of one of these objects.
    Reference(&'static [&'static str]),
}

impl Kind {
    /// The name that a describe gives to the type.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Text => "string",
            Self::LongText => "textarea",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Url => "url",
            Self::Picklist(_) => "picklist",
            Self::Boolean => "boolean",
            Self::Integer => "int",
            Self::Double => "double",
            Self::Currency => "currency",
            Self::Percent => "percent",
            Self::Date => "date",
            Self::DateTime => "datetime",
            Self::Reference(_) => "reference",
        }
    }

    /// Whether values are text to a query, and compared without regard to case.
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(
            self,
            Self::Id
                | Self::Text
                | Self::LongText
                | Self::Email
                | Self::Phone
                | Self::Url
                | Self::Picklist(_)
                | Self::Reference(_)
        )
    }

    /// Whether values are numbers.
    #[must_use]
    pub fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Double | Self::Currency | Self::Percent)
    }
}

/// When a caller may write a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Always.
    Write,
    /// Only when the record is made.
    Create,
    /// Never.
    Read,
}

/// One field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Field {
    /// The API name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// The most characters of a text; 0 for other kinds.
    pub length: usize,
    /// Whether a record needs it and has no default for it.
    pub required: bool,
    /// When it may be written.
    pub access: Access,
    /// What a new record has when the caller says nothing.
    pub default: Option<&'static str>,
    /// Whether a picklist refuses other values than its own.
    pub restricted: bool,
    /// Whether it is an external id, usable for upserts.
    pub external: bool,
    /// Whether no two records may share a value.
    pub unique: bool,
}

impl Field {
    /// A field that may be written and left out.
    #[must_use]
    pub const fn new(name: &'static str, kind: Kind, length: usize) -> Self {
        Self {
            name,
            kind,
            length,
            required: false,
            access: Access::Write,
            default: None,
            restricted: false,
            external: false,
            unique: false,
        }
    }

    /// The custom field of the set-up guide.
    #[must_use]
    pub const fn external_id(unique: bool) -> Self {
        let mut field = Self::new("HubExternalId__c", Kind::Text, 255);
        field.external = true;
        field.unique = unique;
        field
    }

    /// The same, needed in every record.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The same, set by Salesforce alone.
    #[must_use]
    pub const fn read_only(mut self) -> Self {
        self.access = Access::Read;
        self
    }

    /// The same, fixed once the record is made.
    #[must_use]
    pub const fn create_only(mut self) -> Self {
        self.access = Access::Create;
        self
    }

    /// The same with a value that new records have.
    #[must_use]
    pub const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    /// The same, refusing values beside its own.
    #[must_use]
    pub const fn restricted(mut self) -> Self {
        self.restricted = true;
        self
    }
}
