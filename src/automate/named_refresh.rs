//! What the names of `event_action_refresh?target=…` mean: which of an event's references is refreshed, and what instead when
//! the event does not have it. Pure.

use crate::provider::{EmsEvent, Target};

/// The `ems_ref`s that an event has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// Of the VM.
    pub vm: Option<String>,
    /// Of the VM that comes of it.
    pub dest_vm: Option<String>,
    /// Of the host.
    pub host: Option<String>,
    /// Of the host to which something goes.
    pub dest_host: Option<String>,
}

impl From<&EmsEvent> for References {
    fn from(event: &EmsEvent) -> Self {
        Self {
            vm: event.vm_ems_ref.clone(),
            dest_vm: event.dest_vm_ems_ref.clone(),
            host: event.host_ems_ref.clone(),
            dest_host: event.dest_host_ems_ref.clone(),
        }
    }
}

/// One of [`References`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reference {
    Vm,
    DestVm,
    Host,
    DestHost,
}

/// What a name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshTarget {
    /// It is looked up in the first event of the chain, if there is a chain.
    pub first_chained: bool,
    /// The first that there is; without any the whole EMS.
    order: &'static [Reference],
}

/// ManageIQ's `X_refresh_target` of the event called `X`; `None` when nothing is called so.
pub fn refresh_target(name: &str) -> Option<RefreshTarget> {
    use Reference::{DestHost, DestVm, Host, Vm};
    let (first_chained, name) =
        name.strip_prefix("first_chained_").map_or((false, name), |name| (true, name));
    let order: &[Reference] = match name {
        "ems" | "ems_cluster" | "src_ems_cluster" => &[],
        "vm" | "src_vm" => &[Vm, Host],
        "host" | "src_host" => &[Host],
        "dest_vm" => &[DestVm, DestHost],
        "dest_host" => &[DestHost],
        "src_vm_or_dest_host" => &[Vm, DestHost],
        _ => return None,
    };
    Some(RefreshTarget { first_chained, order })
}

impl RefreshTarget {
    /// Whether it is the EMS as a whole, whatever the event's references.
    pub fn is_whole(self) -> bool {
        self.order.is_empty()
    }

    /// What to refresh of an event with these references; `None`: there is no such reference.
    pub fn of(self, references: &References) -> Option<Target> {
        self.order.iter().find_map(|reference| {
            let (association, ems_ref) = match reference {
                Reference::Vm => ("vms", &references.vm),
                Reference::DestVm => ("vms", &references.dest_vm),
                Reference::Host => ("hosts", &references.host),
                Reference::DestHost => ("hosts", &references.dest_host),
            };
            Some(Target::by_ems_ref(association, ems_ref.as_deref().filter(|ems_ref| !ems_ref.is_empty())?))
        })
    }
}
