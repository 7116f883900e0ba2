//! Webhooks: what is posted, tried again, given up and refused, with a real receiver, on SQLite and on PostgreSQL.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod giving_up;
mod house;
mod receiver;
mod sending;

#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../vmdb/support.rs"]
#[allow(dead_code, unused_imports, unused_macros, reason = "shared with the tests of the VMDB")]
mod support;

/// Makes one test for each database of `async fn NAME(fresh: Fresh)`, within an actix system.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[actix_rt::test] async fn $name() {
                if let Some(fresh) = crate::support::Fresh::sqlite().await { super::$name(fresh).await }
            })*
        }
        mod postgres {
            $(#[actix_rt::test] async fn $name() {
                if let Some(fresh) = crate::support::Fresh::postgres().await { super::$name(fresh).await }
            })*
        }
    };
}
pub(crate) use on_both;
