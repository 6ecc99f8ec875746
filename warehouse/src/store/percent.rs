//! A local root whose path holds a percent sign.
//!
//! Delta's kernel makes URLs of the paths a store lists and decodes them once more when it reads: a folder named `a%20b` is then looked
//! for as `a b`. Below such a root Delta gets a store of its own, in which the root lies under a plain name.

use std::fmt;
use std::ops::Range;
use std::path::Path as LocalPath;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result,
};
use url::Url;
use yaojia_models::digest::sha256_hex;

/// A store of all that lies below a folder, under a name in place of the folder's path.
#[derive(Debug, Clone)]
pub(super) struct Renamed {
    inner: Arc<LocalFileSystem>,
    name: Path,
}

impl Renamed {
    /// The store of a folder and the URL of its root in it; none where its path has no percent sign.
    ///
    /// # Errors
    /// When the folder cannot be opened.
    pub(super) fn of(folder: &LocalPath) -> Result<Option<(Self, Url)>> {
        if !folder.as_os_str().as_encoded_bytes().contains(&b'%') {
            return Ok(None);
        }
        let inner = Arc::new(LocalFileSystem::new_with_prefix(folder)?);
        // Another name for each folder: engines tell stores apart by their URLs.
        let digest = sha256_hex(folder.as_os_str().as_encoded_bytes());
        let name = format!("root-{}", digest.get(..16).unwrap_or(&digest));
        // Not `file:`: the kernel looks whether such a folder is there.
        let url = Url::parse(&format!("memory:///{name}/"))
            .map_err(|error| object_store::Error::Generic { store: "local", source: Box::new(error) })?;
        Ok(Some((Self { inner, name: Path::from(name) }, url)))
    }

    fn within(&self, path: &Path) -> Path {
        path.prefix_match(&self.name).map_or_else(|| path.clone(), Iterator::collect)
    }

    fn meta(name: &Path, meta: ObjectMeta) -> ObjectMeta {
        ObjectMeta { location: under(name, &meta.location), ..meta }
    }
}

/// A listing in the order of its paths, as everything but a folder gives it.
fn sorted(listing: BoxStream<'static, Result<ObjectMeta>>) -> BoxStream<'static, Result<ObjectMeta>> {
    let all = async move {
        let mut all: Vec<ObjectMeta> = listing.try_collect().await?;
        all.sort_by(|a, b| a.location.cmp(&b.location));
        Ok::<_, object_store::Error>(futures::stream::iter(all.into_iter().map(Ok)))
    };
    futures::stream::once(all).try_flatten().boxed()
}

fn under(name: &Path, path: &Path) -> Path {
    name.parts().chain(path.parts()).collect()
}

impl fmt::Display for Renamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} as {}", self.inner, self.name)
    }
}

#[async_trait]
impl ObjectStore for Renamed {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        self.inner.put_opts(&self.within(location), payload, opts).await
    }

    async fn put_multipart_opts(&self, location: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(&self.within(location), opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let mut got = self.inner.get_opts(&self.within(location), options).await?;
        got.meta = Self::meta(&self.name, got.meta);
        Ok(got)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(&self.within(location), ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let (of, name) = (self.clone(), self.name.clone());
        let locations = locations.map_ok(move |path| of.within(&path)).boxed();
        self.inner.delete_stream(locations).map_ok(move |path| under(&name, &path)).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (prefix, name) = (prefix.map(|path| self.within(path)), self.name.clone());
        sorted(self.inner.list(prefix.as_ref()).map_ok(move |meta| Self::meta(&name, meta)).boxed())
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        let (prefix, name) = (prefix.map(|path| self.within(path)), self.name.clone());
        sorted(self.inner.list_with_offset(prefix.as_ref(), &self.within(offset)).map_ok(move |meta| Self::meta(&name, meta)).boxed())
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let prefix = prefix.map(|path| self.within(path));
        let found = self.inner.list_with_delimiter(prefix.as_ref()).await?;
        Ok(ListResult {
            common_prefixes: found.common_prefixes.iter().map(|path| under(&self.name, path)).collect(),
            objects: found.objects.into_iter().map(|meta| Self::meta(&self.name, meta)).collect(),
        })
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(&self.within(from), &self.within(to), options).await
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use arrow::datatypes::{DataType, Field, Schema};

    use crate::delta::{Change, Table};
    use crate::store::Root;

    #[tokio::test(flavor = "multi_thread")]
    async fn tables_below_any_path_are_opened_again() {
        for name in ["a%20b", "x%2Fy", "100%", "%25", "%", "库 %E5%BA%93", "plain #1?"] {
            let dir = tempfile::tempdir().unwrap();
            let location = dir.path().join(name).join("warehouse");
            let schema = Schema::new(vec![Field::new("n", DataType::Int64, true)]);
            for round in 0..2 {
                // opened anew each time: what the first round wrote is read from the log
                let root = Root::open(location.to_str().unwrap(), HashMap::new()).unwrap();
                assert_eq!(Table::open(&root, "_ops", "run").await.unwrap().is_some(), round > 0, "{name}");
                let mut table = Table::open_or_create(&root, "_ops", "run", &schema, &[], "t").await.unwrap();
                let before = table.version();
                table.commit(Change { positions: vec![("p".to_string(), round)], ..Change::default() }).await.unwrap();
                assert_eq!(table.version(), before + 1, "{name}");
                root.put("_ops/x.json", "{}".into()).await.unwrap();
                assert!(root.exists("_ops/x.json").await.unwrap() && location.join("_ops/x.json").is_file(), "{name}");
                assert!(location.join("_ops/run/_delta_log/00000000000000000000.json").is_file(), "{name}");
            }
            let root = Root::open(location.to_str().unwrap(), HashMap::new()).unwrap();
            let table = Table::open(&root, "_ops", "run").await.unwrap().unwrap();
            assert_eq!((table.version(), table.position("p").await.unwrap()), (2, Some(1)), "{name}");
            table.checkpoint().await.unwrap();
        }
    }
}
