//! Storing parts as one object: all of it under its name, or nothing.

use bytes::Bytes;
use object_store::path::Path as ObjectPath;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};
use tokio::sync::mpsc::Receiver;

use crate::error::{Result, WarehouseError};
use crate::store::Root;
use crate::store::pack::Part;

/// Stores the parts. Where they end without their end mark nothing is stored: who packs them tells why.
pub(super) async fn upload(root: &Root, path: &str, mut parts: Receiver<Part>) -> Result<()> {
    let failed = |source| WarehouseError::Store { path: path.to_string(), source };
    let object = ObjectPath::from(path);
    let Some(Part::Bytes(first)) = parts.recv().await else { return Ok(()) };
    match parts.recv().await {
        None => Ok(()),
        Some(Part::End) => root.store().put(&object, PutPayload::from(first)).await.map(|_| ()).map_err(failed),
        Some(Part::Bytes(second)) => {
            let mut upload = root.store().put_multipart(&object).await.map_err(failed)?;
            match rest(upload.as_mut(), [first, second], &mut parts).await {
                Ok(true) => Ok(()),
                Ok(false) => upload.abort().await.map_err(failed),
                Err(source) => {
                    if let Err(error) = upload.abort().await {
                        tracing::warn!(path, %error, "an unfinished upload could not be taken back");
                    }
                    Err(failed(source))
                }
            }
        }
    }
}

/// Uploads part by part and closes the object; false where the parts end too early.
async fn rest(
    upload: &mut dyn MultipartUpload,
    first: [Bytes; 2],
    parts: &mut Receiver<Part>,
) -> std::result::Result<bool, object_store::Error> {
    for part in first {
        upload.put_part(PutPayload::from(part)).await?;
    }
    loop {
        match parts.recv().await {
            Some(Part::Bytes(part)) => upload.put_part(PutPayload::from(part)).await?,
            Some(Part::End) => return upload.complete().await.map(|_| true),
            None => return Ok(false),
        }
    }
}

/// Removes what a killed run left of the same upload on a local folder, where an unfinished object lies as `<name>#1`. The lease sees
/// to it that nobody else is at it.
pub(super) fn remove_leftover(root: &Root, path: &str) {
    if let Some(folder) = root.local() {
        // Mostly there is none.
        let _ = std::fs::remove_file(folder.join(format!("{path}#1")));
    }
}
