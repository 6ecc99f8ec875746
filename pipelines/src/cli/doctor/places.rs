//! Warehouse, platform and landing folder: there, and good for what we do with them.

use futures::future::join_all;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStoreExt, PutMode, PutOptions, PutPayload};
use yaojia_connectors::export::ExportSource;
use yaojia_connectors::platform::{PlatformSource, Window};
use yaojia_models::contract::{Dataset, Registry, SourceKind};
use yaojia_warehouse::{Root, WarehouseError};

use super::super::CliError;
use super::Report;
use crate::config::Config;

/// Writers that try at the same time.
const RIVALS: usize = 8;

pub(super) async fn warehouse(report: &mut Report<'_>, config: &Config) {
    let opened = config.storage_options().map_err(CliError::from).and_then(|options| Ok(Root::open(&config.warehouse.location, options)?));
    let root = match opened {
        Ok(root) => root,
        Err(error) => {
            report.note::<()>("warehouse", Err(error));
            return;
        }
    };
    let written = round_trip(&root).await;
    let fine = report.note("warehouse", written.map(|()| ((), format!("{} can be read and written", root.url())))).is_some();
    if fine {
        report.note("region", region(&root, config).await.map(|detail| ((), detail)));
        report.note("commits", conditional(&root).await.map(|()| ((), format!("of {RIVALS} writers of one object exactly one wins"))));
    } else {
        report.skip("region", "the warehouse cannot be written");
        report.skip("commits", "the warehouse cannot be written");
    }
}

/// Whose warehouse it is.
async fn region(root: &Root, config: &Config) -> Result<String, CliError> {
    match crate::run::region_of(root).await? {
        Some(held) if held != config.region.code => Err(CliError::usage(
            format!("the warehouse is of region {held}, and the configuration says {}", config.region.code),
            "put `region.code` back, or give the other region a warehouse of its own (`warehouse.location`)",
        )),
        Some(held) => Ok(format!("the warehouse is of region {held}")),
        None => Ok("the warehouse is new".to_owned()),
    }
}

fn probe(name: &str) -> String {
    format!("_ops/doctor/{name}-{:016x}", rand::random::<u64>())
}

fn failed(path: &str) -> impl FnOnce(object_store::Error) -> CliError {
    let path = path.to_owned();
    move |source| WarehouseError::Store { path, source }.into()
}

/// Writes, reads and removes an object.
async fn round_trip(root: &Root) -> Result<(), CliError> {
    let path = probe("probe");
    root.put(&path, "probe".into()).await?;
    let back = root.get_opt(&path).await?;
    root.store().delete(&ObjectPath::from(path.as_str())).await.map_err(failed(&path))?;
    if back.as_deref() == Some(b"probe".as_slice()) {
        return Ok(());
    }
    Err(CliError::missing(format!("`{path}` was written but does not read back"), "the storage is not consistent: use another"))
}

/// Several writers create one object at once: exactly one may succeed, or two runs could commit over each other.
async fn conditional(root: &Root) -> Result<(), CliError> {
    let path = probe("rivals");
    let object = ObjectPath::from(path.as_str());
    let tries = join_all((0..RIVALS).map(|rival| {
        let (store, object) = (root.store().clone(), object.clone());
        async move {
            let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
            store.put_opts(&object, PutPayload::from(rival.to_string()), options).await
        }
    }))
    .await;
    let won = tries.iter().filter(|result| result.is_ok()).count();
    let odd = tries
        .into_iter()
        .filter_map(Result::err)
        .find(|error| !matches!(error, object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }));
    root.store().delete(&object).await.map_err(failed(&path))?;
    match (won, odd) {
        (1, None) => Ok(()),
        (_, Some(error)) => Err(failed(&path)(error)),
        (won, None) => Err(CliError::missing(
            format!("{won} of {RIVALS} rival writers of one object won"),
            "the storage has no conditional put: two runs could lose commits; use another",
        )),
    }
}

/// Gets a token and asks for one second of one message.
pub(super) async fn platform(report: &mut Report<'_>, config: &Config, registry: Option<&Registry>, offline: bool) {
    let (Some(mut platform), Some(registry), false) = (config.platform(), registry, offline) else {
        return report.skip("platform", if offline { "--offline" } else { "not configured" });
    };
    // A person waits for the answer.
    platform.retry.tries = platform.retry.tries.min(2);
    platform.retry.window_tries = platform.retry.window_tries.min(2);
    let url = platform.base_url.clone();
    let asked = async {
        let since = platform.since.and_time(chrono::NaiveTime::MIN);
        let source = PlatformSource::connect(platform)?;
        let messages = source.messages();
        let dataset = registry.datasets().iter().find(|d| d.source == SourceKind::Platform && messages.contains_key(&d.name));
        let Some(dataset) = dataset else {
            return Err(CliError::usage("`platform.messages` names no dataset", "leave the section out for the default table"));
        };
        let read = source.read_window(dataset, Window::new(since, since)).await?;
        Ok(format!(
            "{url} gives a token and answers {} ({} of {} datasets have a message)",
            read.messages.iter().map(|read| read.infno.as_str()).collect::<Vec<_>>().join("+"),
            messages.len(),
            registry.datasets().iter().filter(|d| d.source == SourceKind::Platform).count()
        ))
    };
    let found = asked.await;
    report.note("platform", found.map(|detail| ((), detail)));
}

/// Lists the landing folder.
pub(super) async fn landing(report: &mut Report<'_>, config: &Config, datasets: &[Dataset]) {
    let Some(export) = config.export() else { return report.skip("landing", "not configured") };
    let place = export.root.clone();
    let listed = async {
        let profiles = crate::profiles::load(&config.profiles.paths, datasets)?;
        let landing = ExportSource::open(export)?.with_profiles(profiles)?.list().await?;
        let files = &landing.files;
        let controls: std::collections::BTreeSet<&str> =
            files.iter().filter(|file| file.control.is_some()).map(|file| file.path.as_str()).collect();
        let controls = controls.len();
        let (mapped, plain): (Vec<_>, Vec<_>) = files.iter().partition(|file| file.profile.is_some());
        let mapped: std::collections::BTreeSet<&str> = mapped.iter().map(|file| file.path.as_str()).collect();
        let by_profile = if mapped.is_empty() { String::new() } else { format!(", {} mapped by a profile", mapped.len()) };
        let aside = match (landing.passed.len(), landing.announced.len(), landing.failed.len()) {
            (0, 0, 0) => String::new(),
            (passed, announced, failed) => {
                format!("; {passed} entries are passed over, {announced} announced files are not there, {failed} places cannot be read")
            }
        };
        Ok::<_, CliError>(format!("{place} holds {} files, {controls} with a control file{by_profile}{aside}", plain.len() + mapped.len()))
    };
    let found = listed.await;
    report.note("landing", found.map(|detail| ((), detail)));
}
