//! What a record of the API is: a typed JSON object, the columns that it is read from, and the records it is related to.
//!
//! [`record!`] makes all of it of one list, so that what can be asked for, what is sent and what is described are the same.

use super::values::Kind;
use crate::vmdb::Fields;
use serde::Serialize;
use utoipa::ToSchema;

/// A column of a record of type `R`.
pub(super) struct Column<R: 'static> {
    /// Its name, in the VMDB and in JSON.
    pub(super) name: &'static str,
    /// What it holds.
    pub(super) kind: Kind,
    /// Large: only sent when `attributes` names it.
    pub(super) on_request: bool,
    /// Takes its value from a row.
    pub(super) set: fn(&mut R, &Fields, usize),
}

/// An attribute that is computed.
pub(super) struct Computed<R: 'static> {
    /// Its name in JSON.
    pub(super) name: &'static str,
    /// Takes its value.
    pub(super) set: fn(&mut R, &str),
}

/// A record that can be shown within another.
pub(super) struct Association<R: 'static> {
    /// Its name in JSON.
    pub(super) name: &'static str,
    /// The column that holds its id.
    pub(super) column: &'static str,
    /// What it is.
    pub(super) target: Target,
    /// Takes it.
    pub(super) set: fn(&mut R, Related),
}

/// What other records refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    /// `vms`
    Vm,
    /// `hosts`
    Host,
    /// `ext_management_systems`
    Provider,
}

/// One of those.
#[derive(Clone)]
pub(super) enum Related {
    /// `vms`
    Vm(Box<super::records::Vm>),
    /// `hosts`
    Host(Box<super::records::Host>),
    /// `ext_management_systems`
    Provider(Box<super::records::Provider>),
}

/// A record of one collection.
pub(super) trait Record: Serialize + ToSchema + Default + Send + 'static {
    /// The collection, as in `/api/COLLECTION`.
    const COLLECTION: &'static str;
    /// The table of the VMDB.
    const TABLE: &'static str;
    /// ManageIQ's name for one of them.
    const NOUN: &'static str;
    /// Columns that may be asked for; the first is `id`, which is always sent.
    const COLUMNS: &'static [Column<Self>];
    /// Attributes that are computed.
    const COMPUTED: &'static [Computed<Self>];
    /// Records that may be asked for.
    const ASSOCIATIONS: &'static [Association<Self>];

    /// Takes its address.
    fn set_href(&mut self, href: String);

    /// The column of this name.
    fn column(name: &str) -> Option<&'static Column<Self>> {
        Self::COLUMNS.iter().find(|column| column.name == name)
    }

    /// Every name that `attributes` knows.
    fn attribute_names() -> Vec<&'static str> {
        let columns = Self::COLUMNS.iter().map(|column| column.name);
        let computed = Self::COMPUTED.iter().map(|computed| computed.name);
        let associations = Self::ASSOCIATIONS.iter().map(|association| association.name);
        std::iter::once("href").chain(columns).chain(computed).chain(associations).collect()
    }
}

/// The name of a field, which may be written as `r#type`.
pub(super) const fn plain(name: &'static str) -> &'static str {
    let bytes = name.as_bytes();
    if bytes.len() > 2 && bytes[0] == b'r' && bytes[1] == b'#' { name.split_at(2).1 } else { name }
}

/// A record and its list of columns.
macro_rules! record {
    (
        $(#[$about:meta])*
        $name:ident: $noun:literal in $collection:literal of $table:literal {
            $($column:ident: $kind:ident,)*
        }
        on_request { $($large:ident: $large_kind:ident,)* }
        computed { $($computed:ident,)* }
        related { $($association:ident: $target:ident by $key:literal,)* }
    ) => {
        $(#[$about])*
        #[derive(Clone, Default, serde::Serialize, utoipa::ToSchema)]
        pub(in crate::http::api) struct $name {
            /// Where it is found.
            href: String,
            /// The row's id.
            #[serde(skip_serializing_if = "Option::is_none")]
            #[schema(inline)]
            id: Option<Id>,
            $(
                #[serde(skip_serializing_if = "Option::is_none")]
                #[schema(inline)]
                $column: Option<$kind>,
            )*
            $(
                #[serde(skip_serializing_if = "Option::is_none")]
                #[schema(inline)]
                $large: Option<$large_kind>,
            )*
            $(
                #[serde(skip_serializing_if = "Option::is_none")]
                $computed: Option<String>,
            )*
            $(
                #[serde(skip_serializing_if = "Option::is_none")]
                $association: Option<Box<$target>>,
            )*
        }

        impl Record for $name {
            const COLLECTION: &'static str = $collection;
            const TABLE: &'static str = $table;
            const NOUN: &'static str = $noun;
            const COLUMNS: &'static [Column<Self>] = &[
                record!(@column false, id: Id),
                $(record!(@column false, $column: $kind),)*
                $(record!(@column true, $large: $large_kind),)*
            ];
            const COMPUTED: &'static [Computed<Self>] = &[
                $(Computed {
                    name: stringify!($computed),
                    set: |record: &mut Self, value| record.$computed = Some(value.to_owned()),
                },)*
            ];
            const ASSOCIATIONS: &'static [Association<Self>] = &[
                $(Association {
                    name: stringify!($association),
                    column: $key,
                    target: Target::$target,
                    set: |record: &mut Self, related| {
                        if let Related::$target(it) = related {
                            record.$association = Some(it);
                        }
                    },
                },)*
            ];

            fn set_href(&mut self, href: String) {
                self.href = href;
            }
        }
    };
    (@column $on_request:literal, $column:ident: $kind:ident) => {
        Column {
            name: plain(stringify!($column)),
            kind: <$kind as Attribute>::KIND,
            on_request: $on_request,
            set: |record: &mut Self, row, index| record.$column = <$kind as Attribute>::read(row, index),
        }
    };
}
pub(super) use record;
