//! A store that only reads: whoever asks it to write is refused before anything leaves the process.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, Result,
};

/// A store behind which nothing is written.
#[derive(Debug)]
pub(crate) struct ReadOnly(pub(crate) Arc<dyn ObjectStore>);

/// What a reader that would write is told.
pub(crate) fn refused(path: &str) -> Error {
    Error::PermissionDenied { path: path.to_string(), source: "the warehouse was opened for reading: nothing is written".into() }
}

impl fmt::Display for ReadOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReadOnly({})", self.0)
    }
}

#[async_trait]
impl ObjectStore for ReadOnly {
    async fn put_opts(&self, location: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(refused(location.as_ref()))
    }

    async fn put_multipart_opts(&self, location: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(refused(location.as_ref()))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.0.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        locations.map(|location| location.and_then(|location| Err(refused(location.as_ref())))).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.0.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.0.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, _: &Path, to: &Path, _: CopyOptions) -> Result<()> {
        Err(refused(to.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap};
    use std::path::Path as Folder;

    use crate::delta::{Change, Table};
    use crate::store::Root;
    use arrow::datatypes::{DataType, Field, Schema};

    fn below(folder: &Folder) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            found.insert(path.display().to_string());
            if path.is_dir() {
                found.extend(below(&path));
            }
        }
        found
    }

    #[tokio::test]
    async fn a_reader_neither_makes_a_folder_nor_writes_into_one() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("not/there");
        let none = Root::existing(place.to_str().unwrap(), HashMap::new()).unwrap();
        assert_eq!(none.get_opt("x").await.unwrap(), None);
        assert!(none.list(&["gold"]).await.unwrap().is_empty());
        assert!(crate::ledger::current_release(&none).await.unwrap().is_none());
        assert!(!place.exists() && !dir.path().join("not").exists());

        let location = dir.path().join("w");
        let location = location.to_str().unwrap();
        let schema = Schema::new(vec![Field::new("a", DataType::Utf8, true), Field::new("county", DataType::Utf8, true)]);
        let writer = Root::open(location, HashMap::new()).unwrap();
        writer.put("x", "1".into()).await.unwrap();
        let _ = Table::open_or_create(&writer, "gold", "t", &schema, &["county"], "t").await.unwrap();
        let before = below(dir.path());

        let reader = Root::existing(location, HashMap::new()).unwrap();
        assert_eq!(reader.get_opt("x").await.unwrap().as_deref(), Some(b"1".as_slice()));
        assert!(reader.put("x", "2".into()).await.is_err());
        assert!(reader.put("y", "2".into()).await.is_err());
        assert!(reader.delete("x").await.is_err());
        assert!(Table::open_or_create(&reader, "gold", "u", &schema, &["county"], "u").await.is_err());
        let mut table = Table::open(&reader, "gold", "t").await.unwrap().unwrap();
        assert!(table.commit(Change { remove: vec!["z".to_string()], ..Change::default() }).await.is_err());
        assert!(crate::delta::write_file(&table.store(), "gold.t", "f.parquet", &std::sync::Arc::new(schema), Vec::new()).await.is_err());
        assert_eq!(below(dir.path()), before);
        assert_eq!(writer.get_opt("x").await.unwrap().as_deref(), Some(b"1".as_slice()));
    }
}
