//! `catchall prove`: shows on the user's own machine that nothing is lost, doubled, stale or left undone, whatever goes wrong.
//!
//! One run is one seed is one schedule (`schedule`). A run starts a simulated cloud and Catchall as processes of their own
//! (`cloud`, `process`, `postgres`), kills Catchall again and again (`run`), heals, reads what is true and what is stored
//! (`facts`), and compares them (`judge`). It has folder, settings and VMDB of its own, and touches no other.

mod cloud;
mod error;
pub mod facts;
pub mod judge;
mod postgres;
mod process;
pub mod report;
mod run;
pub mod schedule;

pub use cloud::{Cloud, Ledger};
pub use error::ProveError;

use crate::fail_points;
use crate::provider::Secret;
use crate::settings::VmdbSettings;
use crate::vmdb::schemas::{OF_A_PROOF, drop_schema};
use crate::vmdb::{Access, Vmdb};
use postgres::Postgres;
use report::RunReport;
use schedule::{Means, Schedule, Style};
use std::path::PathBuf;
use std::time::Duration;

/// How long all may take to settle after healing, on a slow machine; what stands still is given up long before.
const SETTLES_WITHIN: Duration = Duration::from_secs(300);

/// Where the VMDBs of the proof are.
#[derive(Clone, Debug)]
pub enum Database {
    /// Files in the proof's folder.
    Sqlite,
    /// Schemas of a server that the proof starts, and crashes.
    OwnPostgres,
    /// Schemas of the proof's own in the user's database, which is never restarted.
    Postgres(Secret),
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct ProveOptions {
    /// The binary that is started as simulator and as Catchall.
    pub program: PathBuf,
    /// In it the proof makes a folder of its own.
    pub folder: PathBuf,
    /// Where its VMDBs are.
    pub database: Database,
    /// What the runs are like.
    pub style: Style,
}

/// A proof that is under way. Its processes die with it.
pub struct Prover {
    options: ProveOptions,
    // Before the folder that it lives in.
    postgres: Option<Postgres>,
    folder: OwnFolder,
    /// Schemas in the user's database that are not removed yet.
    schemas: Vec<String>,
    runs: usize,
}

/// A folder that goes when it is dropped, unless somebody is to look into it.
struct OwnFolder {
    path: PathBuf,
    is_kept: bool,
}

impl Drop for OwnFolder {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

impl Prover {
    /// Makes the folder, and the server if it is to be one of its own.
    ///
    /// # Errors
    /// See [`ProveError`].
    pub async fn start(options: ProveOptions) -> Result<Self, ProveError> {
        let name = format!("catchall-prove-{}", &uuid::Uuid::new_v4().simple().to_string()[..12]);
        let path = std::path::absolute(options.folder.join(name))
            .map_err(|error| ProveError::unable("the folder of the proof", error))?;
        std::fs::create_dir_all(&path).map_err(|error| {
            ProveError::Usage(format!("{}: {error}; choose another --folder", path.display()))
        })?;
        let folder = OwnFolder { path, is_kept: false };
        let postgres = match options.database {
            Database::OwnPostgres => Some(Postgres::start(&folder.path.join("postgresql")).await?),
            Database::Sqlite | Database::Postgres(_) => None,
        };
        Ok(Self { options, postgres, folder, schemas: Vec::new(), runs: 0 })
    }

    /// What a run of `seed` will do.
    pub fn schedule(&self, seed: u64) -> Schedule {
        let points = if fail_points::compiled_in() { fail_points::NAMES } else { &[] };
        schedule::draw(
            seed,
            &Means { style: self.options.style, points, own_server: self.postgres.is_some() },
        )
    }

    /// Makes one run. Its folder and schema are removed when it is proven.
    ///
    /// # Errors
    /// See [`ProveError`]; a run that is not proven is none.
    pub async fn run(&mut self, seed: u64, tell: &dyn Fn(&str)) -> Result<RunReport, ProveError> {
        let schedule = self.schedule(seed);
        self.runs += 1;
        let folder = self.folder.path.join(format!("run-{}-seed-{seed}", self.runs));
        std::fs::create_dir(&folder)
            .map_err(|error| ProveError::unable(&folder.display().to_string(), error))?;
        let vmdb = self.vmdb(&folder);
        let mut ground = run::Ground {
            program: &self.options.program,
            folder: &folder,
            vmdb: vmdb.clone(),
            postgres: self.postgres.as_mut(),
            settles_within: SETTLES_WITHIN,
            tell,
        };
        let made = run::run(&mut ground, &schedule).await;
        self.folder.is_kept |= !made.as_ref().is_ok_and(RunReport::is_proven);
        let mut report = made?;
        if report.is_proven() {
            self.forget().await?;
            let _ = std::fs::remove_dir_all(&folder);
        } else {
            report.folder = Some(folder);
            report.schema = self.schemas.pop();
        }
        Ok(report)
    }

    /// Removes the schemas that are left in the user's database; for a proof that is given up.
    ///
    /// # Errors
    /// See [`ProveError`].
    pub async fn forget(&mut self) -> Result<(), ProveError> {
        let Database::Postgres(url) = &self.options.database else { return Ok(()) };
        while let Some(schema) = self.schemas.pop() {
            let settings = VmdbSettings { url: url.clone(), schema: schema.clone() };
            let vmdb = Vmdb::open(&settings, Access::Worker).await?;
            vmdb.write(move |connection| drop_schema(connection, &schema)).await?;
            vmdb.close().await;
        }
        Ok(())
    }

    fn vmdb(&mut self, folder: &std::path::Path) -> VmdbSettings {
        let unique = uuid::Uuid::new_v4().simple().to_string();
        let schema = format!("{OF_A_PROOF}{}", &unique[..16]);
        let url = match (&self.options.database, &self.postgres) {
            (Database::Postgres(url), _) => {
                self.schemas.push(schema.clone());
                url.clone()
            }
            (_, Some(server)) => Secret::new(server.url()),
            (_, None) => Secret::new(format!("sqlite://{}", folder.join("catchall.db").display())),
        };
        VmdbSettings { url, schema }
    }
}
