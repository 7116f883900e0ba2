//! `run-single-worker` as ManageIQ's people write it: `--role=event --ems-id=2 ManageIQ::Providers::…::EventCatcher`.

use crate::cli::CliError;
use crate::settings::Settings;
use crate::supervisor::street::{Chosen, Role};
use clap::Args;

/// Which event catcher to run.
#[derive(Args, Debug, Clone)]
pub struct WorkerArguments {
    /// ManageIQ's role of the worker; event catchers have `event`
    #[arg(long, alias = "roles", default_value = "event")]
    role: String,
    /// Id of the EMS's row (`catchall ems list` shows it)
    #[arg(long, env = "EMS_ID")]
    ems_id: Option<i64>,
    /// Name of the EMS in the settings
    #[arg(long)]
    ems: Option<String>,
    /// ManageIQ's class of the worker, such as ManageIQ::Providers::AwesomeCloud::CloudManager::EventCatcher
    class: Option<String>,
}

impl WorkerArguments {
    /// The EMS that is meant: by name, by id, or the only one of the class.
    pub fn role(&self, settings: &Settings) -> Result<Role, CliError> {
        if self.role != "event" {
            return Err(CliError::Usage(format!(
                "role {} is not known; event catchers have the role event",
                self.role
            )));
        }
        let class = self.class.as_deref().map(|class| class.strip_suffix("::EventCatcher").unwrap_or(class));
        let candidates: Vec<_> = settings
            .ext_management_systems
            .iter()
            .filter(|ems| class.is_none_or(|class| ems.provider.class_name() == class))
            .filter(|ems| self.ems.as_ref().is_none_or(|name| *name == ems.name))
            .filter(|ems| self.ems_id.is_none_or(|id| ems.id.is_none_or(|fixed| fixed == id)))
            .collect();
        // An id that no entry fixes is resolved against the VMDB by the process itself.
        let fixed = candidates.iter().find(|ems| self.ems_id.is_some() && ems.id == self.ems_id);
        match (fixed, candidates.as_slice(), self.ems_id) {
            (Some(ems), ..) => Ok(Role::SingleWorker(Chosen::Name(ems.name.clone()))),
            (None, [ems], None) => Ok(Role::SingleWorker(Chosen::Name(ems.name.clone()))),
            (None, [_, ..], Some(id)) => Ok(Role::SingleWorker(Chosen::Id(id))),
            (None, [], _) => {
                Err(CliError::Usage("no EMS in the settings fits --ems, --ems-id and the class".to_owned()))
            }
            (None, _, None) => {
                Err(CliError::Usage("several EMSs fit: name one with --ems or --ems-id".to_owned()))
            }
        }
    }
}
