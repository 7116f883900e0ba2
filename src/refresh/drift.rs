//! Counts what a full refresh after the first had to correct. That it cannot be counted fails no refresh.

use super::Refreshing;
use crate::vmdb::drift;
use crate::vmdb::inventory_save::CountsByAssociation;
use crate::vmdb::refresh_work::RefreshWork;

/// Counts and tells what `written` corrected, where no event had asked for it in `work`.
pub(super) async fn count(refreshing: &Refreshing, work: Vec<RefreshWork>, written: CountsByAssociation) {
    let Refreshing { ems, vmdb, observe, .. } = refreshing;
    let ems_id = ems.id;
    match vmdb.read(move |connection| drift::corrected(connection, ems_id, &work, &written)).await {
        Ok(corrected) => {
            for (association, rows) in corrected {
                log::info!("{}: {rows} rows of {association} were not as events had told", ems.name);
                observe.ems(&ems.name).drifted(association, rows);
            }
        }
        Err(error) => log::debug!("{}: counting what was corrected: {error}", ems.name),
    }
}
