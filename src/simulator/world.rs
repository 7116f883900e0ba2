//! The cloud itself: its VMs, hosts, flavors and images, and what may happen to them. Pure and, by its seed, deterministic.
//!
//! Every change gives the [`Change`] from which its event is made. It knows no clock, no event log and no HTTP.

use super::things::{Change, Flavor, Host, Image, Named, Vm, rfc3339};
use chrono::{DateTime, Utc};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;

/// The cloud.
#[derive(Debug)]
pub struct World {
    /// By number, so that listings keep an order.
    pub vms: BTreeMap<u64, Vm>,
    /// All hosts.
    pub hosts: Vec<Host>,
    /// All flavors.
    pub flavors: Vec<Flavor>,
    /// All images.
    pub images: Vec<Image>,
    rng: StdRng,
    wanted: usize,
    next_vm: u64,
    next_chain: u64,
}

impl World {
    /// A cloud of `vms` VMs on a tenth as many hosts.
    pub fn new(seed: u64, vms: usize, now: DateTime<Utc>) -> Self {
        let hosts = (1..=(vms / 10).max(2))
            .map(|n| Host {
                id: format!("host-{n}"),
                name: format!("node-{n}"),
                state: "up",
                cpus: 64,
                memory_mb: 262_144,
            })
            .collect();
        let flavors = [("small", 1, 2048, 20), ("medium", 2, 4096, 40), ("large", 8, 16_384, 160)];
        let flavor = |(n, (name, cpus, memory_mb, disk_gb)): (usize, (&str, u32, u32, u32))| Flavor {
            id: format!("flavor-{}", n + 1),
            name: name.to_owned(),
            cpus,
            memory_mb,
            disk_gb,
        };
        let images = [("debian-13", "linux"), ("fedora-44", "linux"), ("windows-2025", "windows")];
        let image = |(n, (name, os)): (usize, (&str, &'static str))| Image {
            id: format!("image-{}", n + 1),
            name: name.to_owned(),
            os,
        };
        let mut world = Self {
            vms: BTreeMap::new(),
            hosts,
            flavors: flavors.into_iter().enumerate().map(flavor).collect(),
            images: images.into_iter().enumerate().map(image).collect(),
            rng: StdRng::seed_from_u64(seed),
            wanted: vms,
            next_vm: 1,
            next_chain: 1,
        };
        for _ in 0..vms {
            world.create(None, None, None, now);
        }
        world
    }

    /// Something happens, as chance has it; the number of VMs stays near what was asked for.
    pub fn step(&mut self, now: DateTime<Utc>) -> Change {
        let chosen = self.any_vm();
        let change = match (self.rng.random_range(0..100), chosen) {
            (0..5, _) => Some(self.change("login", None, None, "logged in")),
            (5..12, _) => Some(self.toggle_host()),
            (12..24, Some(vm)) if self.vms.len() >= self.wanted => self.delete(&vm),
            (12..50, Some(vm)) => self.power(&vm, "running", now),
            (50..70, Some(vm)) => self.power(&vm, "stopped", now),
            (70..80, Some(vm)) => self.migrate(&vm, now),
            (80..88, Some(vm)) => {
                let name = format!("web-{}", self.rng.random_range(1..10_000));
                self.rename(&vm, name, now)
            }
            _ => Some(self.create(None, None, None, now).0),
        };
        change.unwrap_or_else(|| self.change("login", None, None, "logged in"))
    }

    /// A new VM.
    pub fn create(
        &mut self,
        name: Option<String>,
        flavor_id: Option<String>,
        image_id: Option<String>,
        now: DateTime<Utc>,
    ) -> (Change, Vm) {
        let number = self.next_vm;
        self.next_vm += 1;
        let flavor = flavor_id.and_then(|id| self.flavors.iter().find(|flavor| flavor.id == id));
        let (flavor, image, host) = (
            flavor.unwrap_or(&self.flavors[self.rng.random_range(0..self.flavors.len())]).clone(),
            self.rng.random_range(0..self.images.len()),
            self.rng.random_range(0..self.hosts.len()),
        );
        let [_, b, c, d] = u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes();
        let vm = Vm {
            id: format!("vm-{number}"),
            name: name.unwrap_or_else(|| format!("web-{number}")),
            state: "running",
            host_id: self.hosts[host].id.clone(),
            flavor_id: flavor.id,
            image_id: image_id.unwrap_or_else(|| self.images[image].id.clone()),
            addresses: vec![format!("10.{b}.{c}.{d}")],
            cpus: flavor.cpus,
            memory_mb: flavor.memory_mb,
            created_at: rfc3339(now),
            updated_at: rfc3339(now),
        };
        self.vms.insert(number, vm.clone());
        (self.vm_change("create", &vm, "created"), vm)
    }

    /// Starts or stops; `None` when there is no such VM.
    pub fn power(&mut self, id: &str, state: &'static str, now: DateTime<Utc>) -> Option<Change> {
        let vm = self.touch(id, now, |vm| vm.state = state)?;
        Some(match state {
            "running" => self.vm_change("start", &vm, "started"),
            _ => self.vm_change("stop", &vm, "stopped"),
        })
    }

    /// Moves a VM to the next host.
    pub fn migrate(&mut self, id: &str, now: DateTime<Utc>) -> Option<Change> {
        let host = self.hosts[self.rng.random_range(0..self.hosts.len())].id.clone();
        let vm = self.touch(id, now, |vm| vm.host_id = host)?;
        Some(self.vm_change("migrate", &vm, "migrated"))
    }

    /// Renames a VM.
    pub fn rename(&mut self, id: &str, name: String, now: DateTime<Utc>) -> Option<Change> {
        let vm = self.touch(id, now, |vm| vm.name = name)?;
        Some(self.vm_change("update", &vm, "renamed"))
    }

    /// Deletes a VM.
    pub fn delete(&mut self, id: &str) -> Option<Change> {
        let vm = self.vms.remove(&number(id)?)?;
        Some(self.vm_change("delete", &vm, "deleted"))
    }

    /// The VM called `id`.
    pub fn vm(&self, id: &str) -> Option<&Vm> {
        self.vms.get(&number(id)?)
    }

    fn any_vm(&mut self) -> Option<String> {
        let (first, last) = (*self.vms.keys().next()?, *self.vms.keys().next_back()?);
        let at = self.rng.random_range(first..=last);
        self.vms.range(at..).next().map(|(_, vm)| vm.id.clone())
    }

    fn toggle_host(&mut self) -> Change {
        let at = self.rng.random_range(0..self.hosts.len());
        let host = &mut self.hosts[at];
        let (state, event, message) = match host.state {
            "up" => ("maintenance", "host.maintenance", "entered maintenance"),
            _ => ("up", "host.resume", "left maintenance"),
        };
        host.state = state;
        let named = Named { id: host.id.clone(), name: host.name.clone() };
        self.change(event, None, Some(named), message)
    }

    fn touch(&mut self, id: &str, now: DateTime<Utc>, change: impl FnOnce(&mut Vm)) -> Option<Vm> {
        let vm = self.vms.get_mut(&number(id)?)?;
        change(vm);
        vm.updated_at = rfc3339(now);
        Some(vm.clone())
    }

    fn vm_change(&mut self, verb: &str, vm: &Vm, message: &'static str) -> Change {
        let host = self.hosts.iter().find(|host| host.id == vm.host_id);
        let host = host.map(|host| Named { id: host.id.clone(), name: host.name.clone() });
        let named = Named { id: vm.id.clone(), name: vm.name.clone() };
        self.change(&format!("vm.{verb}"), Some(named), host, message)
    }

    fn change(
        &mut self,
        name: &str,
        vm: Option<Named>,
        host: Option<Named>,
        message: &'static str,
    ) -> Change {
        self.next_chain += 1;
        let username = ["alice", "bob", "carol"][self.rng.random_range(0..3)];
        let event_name = format!("com.awesome-cloud.{name}");
        Change { event_name, vm, host, chain_id: self.next_chain, username, message }
    }
}

fn number(id: &str) -> Option<u64> {
    id.strip_prefix("vm-")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn happenings(seed: u64) -> Vec<String> {
        let now = DateTime::UNIX_EPOCH;
        let mut world = World::new(seed, 20, now);
        (0..500).map(|_| serde_json::to_string(&world.step(now)).unwrap()).collect()
    }

    #[test]
    fn the_same_seed_makes_the_same_world() {
        assert_eq!(happenings(7), happenings(7));
        assert_ne!(happenings(7), happenings(8));
    }

    #[test]
    fn events_and_inventory_tell_the_same_story() {
        let now = DateTime::UNIX_EPOCH;
        let mut world = World::new(1, 20, now);
        for _ in 0..2000 {
            let change = world.step(now);
            let Some(named) = change.vm else { continue };
            match (change.event_name.as_str(), world.vm(&named.id)) {
                ("com.awesome-cloud.vm.delete", None) => {}
                ("com.awesome-cloud.vm.stop", Some(vm)) => assert_eq!(vm.state, "stopped"),
                (name, Some(vm)) => {
                    assert_ne!(name, "com.awesome-cloud.vm.delete");
                    assert_eq!(
                        (vm.name.as_str(), &vm.host_id),
                        (named.name.as_str(), &change.host.unwrap().id)
                    );
                }
                (name, None) => panic!("{name} of a VM that is not there"),
            }
        }
        assert!((10..40).contains(&world.vms.len()), "{} VMs", world.vms.len());
    }
}
