//! From files and environment to [`Settings`]: all steps in their order, all errors at once.

use super::Settings;
use super::build::Builder;
use super::errors::{SettingsError, SettingsErrors};
use super::layers::{Layers, LoadOptions};
use super::merged::Merged;
use super::sources::Sources;
use super::substitute::Substitution;
use super::tree::Origin;
use super::validate::Validator;
use crate::provider::Provider;

/// The settings, and the tree they were made of.
pub struct Loaded {
    /// For the house.
    pub settings: Settings,
    /// For `check --print`.
    pub merged: Merged,
}

/// Loads the settings for the providers of this build.
///
/// # Errors
/// Everything that is wrong, with places.
pub fn load(options: &LoadOptions) -> Result<Settings, SettingsErrors> {
    load_for(options, crate::providers::PROVIDERS).map(|loaded| loaded.settings)
}

/// As [`load`], for given providers, and with the merged tree.
///
/// # Errors
/// Everything that is wrong, with places.
pub fn load_for(
    options: &LoadOptions,
    providers: &[&'static dyn Provider],
) -> Result<Loaded, SettingsErrors> {
    let mut layers = Layers::read(options, providers);
    let mut errors = std::mem::take(&mut layers.errors);
    let substitution = Substitution::new(&options.environment, &options.working_directory);
    substitution.apply(&mut layers.root, &layers.sources, &mut errors);

    let mut validator = Validator::new(&layers.sources, providers, &layers.defaults);
    validator.check(&layers.root);
    let mut placed = std::mem::take(&mut validator.errors);
    let mut notices = std::mem::take(&mut layers.notices);
    notices.extend(std::mem::take(&mut validator.notices));

    let mut builder = Builder {
        providers,
        others: &layers.others,
        sources: &layers.sources,
        working_directory: &options.working_directory,
        errors: Vec::new(),
    };
    let mut settings = builder.settings(&layers.root);
    placed.extend(builder.errors);
    errors.extend(in_order(placed, &layers.sources));
    if !errors.is_empty() {
        errors.dedup();
        return Err(SettingsErrors(errors));
    }
    notices.dedup();
    settings.notices = notices;
    Ok(Loaded { settings, merged: Merged::new(layers.root, layers.sources) })
}

/// In the order in which they stand in the files.
fn in_order(mut errors: Vec<(Origin, SettingsError)>, sources: &Sources) -> Vec<SettingsError> {
    errors.sort_by_cached_key(|(origin, _)| sources.order(origin));
    errors.into_iter().map(|(_, error)| error).collect()
}
